from __future__ import annotations

from pathlib import Path

import pytest

from aggregator.installation import Installation, extra_with

WHEEL = {"url": "file:///dl/headspace_activity-0.1.0-py3-none-any.whl", "archive_info": {}}
COMMIT = {
    "url": "https://example.org/activity.git",
    "vcs_info": {"vcs": "git", "commit_id": "1a2b"},
}


@pytest.fixture
def installed(tmp_path):
    """Make an installation in an environment of a name, with the file that its tool leaves."""

    def make(name: str, marker: str | None, installer: str, origin: dict) -> Installation:
        prefix = tmp_path / name
        prefix.mkdir(parents=True)
        if marker:
            (prefix / marker).touch()
        return Installation(prefix, Path("/env/bin/python"), installer, origin)

    return make


@pytest.mark.parametrize(
    ("name", "marker", "installer", "tool", "command"),
    [
        ("venv", None, "pip", "pip", "/env/bin/python -m pip install 'headspace-activity[png]'"),
        (
            "venv",
            None,
            "uv",
            "uv",
            "uv pip install --python /env/bin/python 'headspace-activity[png]'",
        ),
        (
            "venvs/headspace-activity",
            "pipx_metadata.json",
            "pip",
            "pipx",
            "pipx install --force 'headspace-activity[png]'",
        ),
        (
            "tools/headspace-activity",
            "uv-receipt.toml",
            "uv",
            "uv tool",
            "uv tool install --force 'headspace-activity[png]'",
        ),
        (
            "archive-v0/qI6Kc",
            None,
            "uv",
            "uvx",
            "uvx --from 'headspace-activity[png]' headspace-activity",
        ),
    ],
)
def test_an_extra_is_added_by_the_tool_that_installed_the_package(
    installed, name, marker, installer, tool, command
):
    installation = installed(name, marker, installer, {})

    assert (installation.tool, installation.install_command("png")) == (tool, command)


@pytest.mark.parametrize(
    ("origin", "requirement"),
    [
        ({}, "'headspace-activity[standalone]'"),
        (WHEEL, f"'headspace-activity[standalone] @ {WHEEL['url']}'"),
        (
            COMMIT,
            "'headspace-activity[standalone] @ git+https://example.org/activity.git@1a2b'",
        ),
        (
            {"url": "file:///src/my%20code", "dir_info": {"editable": True}},
            "--editable '/src/my code[standalone]'",
        ),
        (
            {"url": "file:///src/code", "dir_info": {}},
            "'headspace-activity[standalone] @ file:///src/code'",
        ),
    ],
)
def test_a_requirement_names_the_place_from_which_the_package_came(installed, origin, requirement):
    assert installed("venv", None, "pip", origin).requirement("standalone") == requirement


def test_make_is_named_only_where_it_made_the_environment(installed, tmp_path):
    origin = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    (tmp_path / "Makefile").touch()
    commands = [
        installed(name, None, "uv", origin).serve_command("--demo") for name in (".venv", "other")
    ]

    assert commands == ['make serve ARGS="--demo"', "headspace-activity serve --demo"]


def test_with_uvx_the_page_is_served_by_a_longer_command(installed):
    assert installed("archive-v0/x", None, "uv", WHEEL).serve_command("--demo") == (
        f"uvx --from 'headspace-activity[standalone] @ {WHEEL['url']}' "
        "headspace-activity serve --demo"
    )


@pytest.mark.parametrize(
    ("module", "extra"),
    [
        ("psycopg2", "standalone"),
        ("kaleido.errors", "standalone"),
        ("distributed", None),
        ("dask", "dask"),
        ("pandas", None),
        ("nowhere", None),
    ],
)
def test_a_module_leads_to_the_extra_that_installs_it(module, extra):
    assert extra_with(module) == extra
