from __future__ import annotations

import os
import plistlib

import pytest

from dashboard.service.launchd import Launchd
from dashboard.service.program import Program

PROGRAM = Program(("/env/bin/headspace-activity", "serve", "--demo"), {"TZ": "UTC"})
DOMAIN = f"gui/{os.getuid()}"
SERVICE = f"{DOMAIN}/headspace-activity"
LOADED = f"""
    *bootstrap*) touch "$HOME/loaded" ;;
    *bootout*) rm "$HOME/loaded" ;;
    'print {SERVICE}') test -e "$HOME/loaded" ;;
"""


@pytest.fixture
def launchctl(recorder, tmp_path, monkeypatch):
    """The service manager of a Mac, and an account of its own."""
    program = recorder("launchctl", LOADED)
    monkeypatch.setenv("PATH", f"{program.folder}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    return program


def test_the_property_list_runs_the_program_at_login_and_after_a_failure(launchctl, tmp_path):
    manager = Launchd()
    manager.install(PROGRAM)

    assert manager.unit == tmp_path / "Library" / "LaunchAgents" / "headspace-activity.plist"
    log = str(tmp_path / "Library" / "Logs" / "headspace-activity.log")
    assert plistlib.loads(manager.unit.read_bytes()) == {
        "Label": "headspace-activity",
        "ProgramArguments": ["/env/bin/headspace-activity", "serve", "--demo"],
        "EnvironmentVariables": {"TZ": "UTC"},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": 5,
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    assert manager.log_command == f"tail -f '{log}'"


def test_it_is_loaded_once_and_anew_when_it_changes(launchctl):
    manager = Launchd()
    start = f"bootstrap {DOMAIN} {manager.unit}"
    changes = []
    for program in (PROGRAM, PROGRAM, Program(("/other",), {})):
        changed = manager.install(program)
        changes.append((changed, [call for call in launchctl.calls() if "print" not in call]))
    removed = [manager.uninstall(), manager.uninstall()]

    assert changes == [
        (True, [start]),
        (False, []),
        (True, [f"bootout {SERVICE}", start]),
    ]
    assert removed == [True, False]
    assert not manager.unit.exists()
    assert not manager.is_running()
