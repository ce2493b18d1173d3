"""The wheel with the extra of the standalone server, used outside the checkout."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVED = re.compile(r"Activity: (http://\S+)/activity  ")


@contextmanager
def serving(environment, home, *arguments: object) -> Iterator[str]:
    """Serve the page from a folder of its own; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        environment.command("serve", "--port", port, *arguments),
        cwd=home,
        env={**environment.variables, "ACTIVITY_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield next(found[1] for line in process.stdout if (found := SERVED.match(line)))
        finally:
            process.send_signal(signal.SIGTERM)


def read(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return answer.read().decode()


@pytest.fixture
def transcripts(tmp_path):
    """One prompt, some minutes ago."""
    at = datetime.now(UTC) - timedelta(minutes=5)
    line = {
        "type": "user",
        "uuid": "u1",
        "sessionId": "s1",
        "cwd": "/code/alpha",
        "timestamp": at.isoformat(),
        "message": {"content": "Please do"},
    }
    (tmp_path / "s1.jsonl").write_text(json.dumps(line) + "\n")
    return tmp_path


@pytest.mark.usefixtures("home_with_database")
def test_the_demo_is_served(standalone, home):
    with serving(standalone, home, "--demo") as url:
        page, layout = read(f"{url}/activity"), read(f"{url}/activity/_dash-layout")
        totals = json.loads(read(f"{url}/api/metrics/overall?window=month"))["totals"]

    assert 'aria-current="page"' in page
    assert "made up" in layout
    assert totals["turn_count"] > 1_000


@pytest.mark.usefixtures("home_with_database")
def test_transcripts_are_served_counted_and_drawn(standalone, home, transcripts):
    with serving(standalone, home, "--transcripts", transcripts) as url:
        page = read(f"{url}/activity")
        totals = json.loads(read(f"{url}/api/metrics/overall"))["totals"]
        status = standalone.run(standalone.command("status", "--json"), ACTIVITY_HOME=home)
        picture = home / "turns.png"
        drawn = standalone.run(
            standalone.command("export", "--chart", "turns", "--out", picture), ACTIVITY_HOME=home
        )

    assert 'aria-current="page"' in page
    assert totals["turn_count"] == 1
    assert json.loads(status.stdout)["turns"] == {"user": 1, "agent": 0}
    assert (drawn.stdout, drawn.returncode) == (f"Wrote {picture}\n", 0), drawn.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_code_is_that_of_the_wheel(standalone):
    code = "import aggregator, dashboard; print(aggregator.__file__, dashboard.__file__)"
    done = standalone.run([str(standalone.python), "-c", code])

    packages = next(standalone.python.parents[1].glob("lib/*/site-packages"))
    assert done.stdout.split() == [
        str(packages / package / "__init__.py") for package in ("aggregator", "dashboard")
    ]


def test_the_version_is_that_of_the_project(standalone):
    done = standalone.run(standalone.command("--version"))

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert done.stdout == f"headspace-activity, version {version}\n"
    assert standalone.wheel.name == f"headspace_activity-{version}-py3-none-any.whl"
