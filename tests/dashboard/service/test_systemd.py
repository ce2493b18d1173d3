"""``headspace-activity service`` where there is systemd, and where there is none."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.installation import PROGRAM
from dashboard.service.systemd import command_line, quoted

ACTIVE = '*is-active*) test -e "$HOME/running" ;; *restart*) touch "$HOME/running" ;;'
INSTALLED = [
    "--user show-environment",
    "--user is-active --quiet headspace-activity.service",
    "--user daemon-reload",
    "--user enable headspace-activity.service",
]


@pytest.fixture
def service(tmp_path):
    """Run a command of ``service`` in an account of its own."""

    def run(*words: str, path: Path | str = "/nowhere", **variables: str):
        return subprocess.run(
            [sys.executable, "-m", "dashboard", "service", *words],
            env={"HOME": str(tmp_path), "PATH": f"{path}:/usr/bin:/bin", **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def unit(tmp_path) -> Path:
    """The unit file of the account."""
    return tmp_path / ".config" / "systemd" / "user" / "headspace-activity.service"


@pytest.fixture
def systemctl(recorder):
    return recorder("systemctl", ACTIVE)


@pytest.fixture
def port() -> str:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_a_service_is_installed_changed_looked_at_and_removed(service, systemctl, unit, port):
    asked = {"path": systemctl.folder}
    first = service("install", "--port", port, **asked)
    installed = systemctl.calls()
    again = service("install", "--port", port, **asked)
    unchanged = systemctl.calls()
    other = service("install", "--demo", **asked)
    changed = systemctl.calls()
    status = service("status", **asked)
    removed, absent = service("uninstall", **asked), service("uninstall", **asked)

    assert first.stdout.splitlines()[:3] == [
        f"Wrote {unit}",
        f"Serving http://127.0.0.1:{port}/activity",
        "Log: journalctl --user -u headspace-activity -f",
    ]
    assert installed == [*INSTALLED, "--user restart headspace-activity.service"]
    assert again.stdout.startswith(f"Unchanged: {unit}\n")
    assert unchanged == [*INSTALLED, "--user start headspace-activity.service"]
    assert other.stdout.startswith(f"Wrote {unit}\n")
    assert changed == installed
    assert status.stdout.startswith(f"Running: {unit}\n")
    assert (removed.stdout, absent.stdout) == (f"Removed {unit}\n", "No service is installed\n")
    assert systemctl.calls()[2:] == [
        "--user show-environment",
        "--user disable --now headspace-activity.service",
        "--user daemon-reload",
    ]
    assert not unit.exists()


def test_systemd_accepts_the_unit_and_others_cannot_read_it(
    service, systemctl, unit, port, tmp_path
):
    environment = {
        "ACTIVITY_PORT": port,
        "ACTIVITY_DATABASE_URL": "postgresql://me:100%25@h/x",
        "TZ": "UTC",
    }
    service("install", "--home", f"{tmp_path}/a $b", path=systemctl.folder, **environment)
    lines = unit.read_text().splitlines()
    verified = subprocess.run(
        ["systemd-analyze", "--user", "verify", unit],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (verified.stderr, verified.returncode) == ("", 0)
    assert stat.S_IMODE(unit.stat().st_mode) == 0o600
    program = Path(sys.executable).with_name(PROGRAM)
    assert [line for line in lines if line.startswith(("ExecStart", "Environment"))] == [
        f'ExecStart="{program}" "serve" "--home" "{tmp_path}/a $$b" "--port" "{port}"',
        'Environment="PYTHONUNBUFFERED=1"',
        'Environment="TZ=UTC"',
        'Environment="ACTIVITY_DATABASE_URL=postgresql://me:100%%25@h/x"',
    ]
    assert {"Restart=on-failure", "TimeoutStopSec=5", "WantedBy=default.target"} <= set(lines)


def test_without_systemd_nothing_is_written(service, recorder, unit):
    refusing = recorder("systemctl", "*) echo 'Failed to connect to bus' >&2; exit 1 ;;")

    done = service("install", path=refusing.folder)

    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == (
        "headspace-activity: service: systemd is not there for this account: "
        "systemctl --user show-environment: Failed to connect to bus\n"
    )
    assert not unit.parent.exists()


def test_an_address_that_is_taken_stops_an_installation(service, systemctl, unit):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = service("install", "--port", str(port), path=systemctl.folder)

    assert done.stderr == (
        f"headspace-activity: cannot serve on 127.0.0.1:{port}: Address already in use; "
        "choose another with --host or --port\n"
    )
    assert not unit.exists()


def test_status_of_no_service_says_how_to_install_one(service):
    done = service("status")

    assert (done.stdout, done.returncode) == (
        "No service is installed; run: headspace-activity service install\n",
        1,
    )


def test_options_are_checked_before_anything_is_installed(service, systemctl):
    done = service("install", "--port", "x", path=systemctl.folder)

    assert done.stderr.startswith("headspace-activity: --port: 'x' is not allowed; expected ")
    assert systemctl.calls() == []


def test_words_are_quoted_for_systemd():
    assert command_line(['a "b"', "$c", "100%"]) == r'"a \"b\"" "$$c" "100%%"'
    assert quoted("back\\slash\nline é") == r'"back\\slash\x0aline é"'
