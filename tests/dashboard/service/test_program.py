from __future__ import annotations

from pathlib import Path

import pytest

from aggregator.errors import ConflictingParametersError
from aggregator.installation import Installation
from aggregator.settings import Settings, inherited
from dashboard.errors import ServiceError
from dashboard.service.program import Program, server_program

WITHOUT = Installation(Path("/env"), Path("/env/bin/python"), "pip", {})


def test_settings_that_were_given_are_passed_on_and_a_password_is_no_argument():
    environ = {"ACTIVITY_PORT": "5056", "ACTIVITY_DATABASE_URL": "postgresql://me:secret@h/x"}
    settings = Settings.load({"transcripts": ["/a:b", "~/c d"], "retention_days": "30"}, environ)

    assert server_program(WITHOUT, settings, {"TZ": "Asia/Tokyo"}, demo=False) == Program(
        (
            *("/env/bin/python", "-Pm", "dashboard", "serve", "--port", "5056"),
            *("--transcripts", "/a:b", "--transcripts", str(Path.home() / "c d")),
            *("--retention-days", "30"),
        ),
        {
            "PYTHONUNBUFFERED": "1",
            "TZ": "Asia/Tokyo",
            "ACTIVITY_DATABASE_URL": "postgresql://me:secret@h/x",
        },
    )


def test_the_command_beside_the_interpreter_is_run(tmp_path):
    command = tmp_path / "headspace-activity"
    command.touch()
    installation = Installation(tmp_path, tmp_path / "python", "pip", {})

    program = server_program(installation, Settings.load({}, {}), {}, demo=True)

    assert program.command == (str(command), "serve", "--demo")


def test_what_decides_where_files_are_found_is_inherited():
    environ = {"CLAUDE_CONFIG_DIR": "/c", "XDG_DATA_HOME": "", "PATH": "/bin", "TZ": "UTC"}

    assert inherited(environ) == {"CLAUDE_CONFIG_DIR": "/c", "TZ": "UTC"}


def test_an_environment_of_uvx_is_refused():
    uvx = Installation(Path("/cache/archive-v0/x"), Path("/x/bin/python"), "uv", {})

    with pytest.raises(ServiceError) as refusal:
        server_program(uvx, Settings.load({}, {}), {}, demo=False)

    assert str(refusal.value) == (
        "service: the environments of uvx do not last; "
        "run: uv tool install 'headspace-activity[standalone]'"
    )


def test_the_demo_has_no_database_of_others():
    settings = Settings.load({"database_url": "postgresql://h/x"}, {})

    with pytest.raises(ConflictingParametersError, match="--demo cannot be combined with"):
        server_program(WITHOUT, settings, {}, demo=True)
