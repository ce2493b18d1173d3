# Two commands do everything on a fresh machine with Python 3.11+:
#   make serve    sets up, then imports, aggregates and serves the page
#   make test     sets up, then runs every test, the browser's included
# Options go through ARGS: make serve ARGS="--demo --port 5056"

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest

# An environment that was moved, or whose Python is gone, is made anew.
place = $(shell $(1)/bin/python -c 'import sys; print(sys.prefix)' 2>/dev/null; cat $(1)/made-in 2>/dev/null)
define renew
ifneq ($$(wildcard $(1)),)
ifneq ($$(call place,$(1)),$(CURDIR)/$(1) $(CURDIR))
$$(info Making $(1) anew …)
$$(shell rm -rf $(1))
endif
endif
endef
$(foreach env,$(VENV) $(LOWEST),$(eval $(call renew,$(env))))

.PHONY: help serve test thorough check check-lowest check-pythons check-host audit format lock plotly wheel release clean
.DEFAULT_GOAL := help

help:
	@sed -n '2,4s/^# *//p' Makefile

serve: $(VENV)/ready-to-serve
	@exec $(BIN)/headspace-activity serve $(ARGS)

test: $(VENV)/ready-to-test chromium systemd-analyze
	@$(BIN)/pytest -n auto $(ARGS)

# More examples of the tests that make up their own: ten times as many as in make test.
thorough: $(VENV)/ready-to-test
	@HYPOTHESIS_PROFILE=thorough $(BIN)/pytest -n auto -m hypothesis --timeout=0 \
		-o faulthandler_timeout=0 $(ARGS)

check: $(VENV)/ready-to-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

# The lower bounds of pyproject.toml, tried: the tests that start neither a browser nor
# processes of their own, with the lowest versions that it allows.
check-lowest: $(LOWEST)/ready-to-test
	@$(LOWEST)/bin/python -m pytest -n auto $(FAST) $(ARGS)
SLOW := tests/examples/test_browser.py tests/dashboard/pictures tests/dashboard/export \
	tests/dashboard/test_cli.py tests/dashboard/test_processes.py tests/dashboard/service \
	tests/aggregator/test_processes.py tests/aggregator/standalone \
	tests/aggregator/passes/test_backfill.py
FAST := tests/aggregator tests/dashboard tests/examples $(addprefix --ignore=,$(SLOW))

# The same tests with every other Python from 3.11 on that is found here, and the newest
# packages.
PYTHONS := 3.12 3.13 3.14
check-pythons: $(VENV)/ready-to-test
	@for version in $(PYTHONS); do \
		folder=.venv-$$version; \
		$(BIN)/uv venv --quiet --clear --no-python-downloads --python $$version $$folder 2>/dev/null || { \
			echo "Python $$version is not here"; continue; }; \
		echo "With Python $$version:"; \
		$(BIN)/uv pip install --quiet --python $$folder/bin/python --require-hashes \
			-r requirements/all.txt || exit 1; \
		$(BIN)/uv pip install --quiet --python $$folder/bin/python --no-deps \
			--no-build-isolation --editable . || exit 1; \
		$$folder/bin/python -m pytest -n auto $(FAST) $(ARGS) || exit 1; \
	done

# The wheel, installed into an environment such as hosts have: nothing there is moved.
HOST := SQLAlchemy==2.0.49 psycopg2-binary==2.9.9 Flask==3.0.3 click==8.1.7 alembic==1.13.3 \
	pandas==2.2.3 numpy==2.0.2
check-host: wheel
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(BIN)/uv venv --quiet "$$folder/env" && \
	$(BIN)/uv pip install --quiet --python "$$folder/env/bin/python" $(HOST) && \
	$(BIN)/uv pip freeze --python "$$folder/env/bin/python" | sort > "$$folder/before" && \
	$(BIN)/uv pip install --quiet --python "$$folder/env/bin/python" dist/*.whl && \
	$(BIN)/uv pip freeze --python "$$folder/env/bin/python" | sort > "$$folder/after" && \
	moved=$$(comm -23 "$$folder/before" "$$folder/after") && \
	{ test -z "$$moved" || { echo "Installing the wheel moves: $$moved" >&2; exit 1; }; } && \
	echo "Installing the wheel moves nothing of:" $$(cat "$$folder/before")

# Known vulnerabilities of the locked packages. It asks a service on the network, so it is
# no part of make check; a package of which nothing can be learned is an error, too.
audit: $(BIN)/uv
	@$(BIN)/uv tool run pip-audit@2.10.1 --strict --require-hashes --disable-pip \
		--progress-spinner off -r requirements/all.txt || { \
		echo "make audit: what is named above is vulnerable, or its advisories could not be read" \
		"(offline, or behind a mirror that has none)" >&2; exit 1; }

format: $(VENV)/ready-to-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Writes the locked requirements anew from pyproject.toml. Everything first, then
# what serving needs as a part of it, so that both fit in one environment.
COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-header --no-emit-index-url --quiet --group build
lock: $(BIN)/uv
	$(BIN)/$(COMPILE) --all-extras -o requirements/all.txt
	$(BIN)/$(COMPILE) --all-extras --resolution lowest-direct --upgrade -o requirements/lowest.txt
	$(BIN)/$(COMPILE) --extra standalone -c requirements/all.txt -o requirements/serve.txt
	$(BIN)/$(COMPILE) --extra standalone --extra gunicorn -c requirements/all.txt -o requirements/container.txt
	echo uv | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --quiet -o requirements/uv.txt

# Makes the scripts of others that the page has instead of Dash's: Plotly with the traces
# that are drawn, of the very version that plotly.py draws for (a test holds the two
# together), and the part of Dash's polyfill that browsers still need.
PLOTLY := assets/plotly-activity.min.js
plotly: $(VENV)/ready-to-test
	@version=$$($(BIN)/python -c 'from plotly.offline import get_plotlyjs_version as v; print(v())') && \
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	install -m 644 tools/plotly/build.mjs "$$folder" && \
	npm install --silent --no-audit --no-fund --prefix "$$folder" \
		"plotly.js@$$version" esbuild@0.28.2 regenerator-runtime@0.14.1 && \
	(cd "$$folder" && node build.mjs '$(CURDIR)/$(PLOTLY)') && \
	$(BIN)/python tools/plotly/compress.py $(PLOTLY) && \
	install -m 644 "$$folder"/node_modules/plotly.js/LICENSE assets/plotly.LICENSE.txt && \
	install -m 644 "$$folder"/node_modules/regenerator-runtime/runtime.js assets/regenerator-runtime.js

wheel: $(VENV)/ready-to-serve
	@rm -f dist/*.whl
	@$(BIN)/python -m hatchling build -t wheel -d dist

# The wheel and the source archive of the tagged version that is checked out.
release: $(VENV)/ready-to-test
	@$(BIN)/python tools/release.py

clean:
	rm -rf $(VENV) $(LOWEST) $(addprefix .venv-,$(PYTHONS)) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# ---- What is missing is installed; what cannot be is said in one line. ----------

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not: make PYTHON=python3.12 …" >&2; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null && \
		$(PYTHON) -m venv --clear $(VENV); } || { \
		echo "Python cannot make a virtual environment; install its venv module" \
			"(Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/uv.txt
	@touch $@
	@printf '%s\n' '$(CURDIR)' > $(VENV)/made-in

# uv takes seconds where pip takes minutes; pip knows mirrors that uv does not.
define install
	@echo "Installing what $(1) needs into $(2) …"
	@$(BIN)/uv pip install --quiet --python $(2)/bin/python --require-hashes -r requirements/$(1).txt || \
		$(BIN)/python -m pip --python $(2)/bin/python install --quiet --disable-pip-version-check \
			--require-hashes -r requirements/$(1).txt || { \
		echo "The packages of requirements/$(1).txt could not be installed; is the network there?" >&2; \
		exit 1; }
endef

$(VENV)/ready-to-serve: requirements/serve.txt pyproject.toml $(BIN)/uv
	$(call install,serve,$(VENV))
	$(call install-project,$(VENV))
	@touch $@

$(VENV)/ready-to-test: requirements/all.txt pyproject.toml $(BIN)/uv
	$(call install,all,$(VENV))
	$(call install-project,$(VENV))
	@touch $@ $(VENV)/ready-to-serve

$(LOWEST)/ready-to-test: requirements/lowest.txt pyproject.toml $(BIN)/uv
	@$(BIN)/python -m venv --without-pip $(LOWEST)
	@printf '%s\n' '$(CURDIR)' > $(LOWEST)/made-in
	$(call install,lowest,$(LOWEST))
	$(call install-project,$(LOWEST))
	@touch $@

# hatchling builds the project itself; locked like the rest, it needs no isolation.
define install-project
	@$(BIN)/uv pip install --quiet --python $(1)/bin/python --no-deps --no-build-isolation --editable .
endef

.PHONY: chromium
chromium:
	@{ command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null && \
		command -v chromedriver >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		echo "Installing Chromium and its driver …" && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver >/dev/null; } || { \
		echo "The browser tests need Chromium and its driver" \
			"(Debian: apt-get install chromium chromium-driver)" >&2; exit 1; }

.PHONY: systemd-analyze
systemd-analyze:
	@command -v systemd-analyze >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		echo "Installing systemd-analyze …" && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq systemd >/dev/null; } || { \
		echo "A test needs systemd-analyze (Debian: apt-get install systemd)" >&2; exit 1; }
