"""systemd, as the service manager of a user's account."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from aggregator.installation import PROGRAM
from dashboard.errors import ServiceError
from dashboard.service.manager import ServiceManager, call, succeeds
from dashboard.service.program import Program

UNIT = f"{PROGRAM}.service"
LINGERING = Path("/var/lib/systemd/linger")

# Mixed: the server alone is told to stop, and stops its database in an orderly way.
TEMPLATE = """\
# Written by "{program} service install", which overwrites changes made by hand.
[Unit]
Description=Activity of Claude Code agents
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
ExecStart={command}
{environment}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
KillMode=mixed
TimeoutStopSec=5

[Install]
WantedBy=default.target
"""


class Systemd(ServiceManager):
    """The user's own systemd."""

    log_command = f"journalctl --user -u {PROGRAM} -f"

    def __init__(self) -> None:
        self.unit = platformdirs.user_config_path() / "systemd" / "user" / UNIT

    @property
    def hint(self) -> str:  # type: ignore[override]
        """Advice about logging out, unless it is followed already."""
        if (LINGERING / getpass.getuser()).exists():
            return ""
        return "It ends when you log out, unless you run: loginctl enable-linger"

    def check(self) -> None:
        """Ask for the environment, which works as soon as the manager answers."""
        try:
            call("systemctl", "--user", "show-environment")
        except ServiceError as refusal:
            raise ServiceError(f"systemd is not there for this account: {refusal.reason}") from None

    def describe(self, program: Program) -> str:
        """Return the unit file."""
        return TEMPLATE.format(
            program=PROGRAM,
            command=command_line(program.command),
            environment="\n".join(
                f"Environment={quoted(f'{name}={value}')}"
                for name, value in program.environment.items()
            ),
        )

    def start(self, *, changed: bool) -> None:
        """Enable the unit, and start it; again, if its file has changed."""
        call("systemctl", "--user", "daemon-reload")
        call("systemctl", "--user", "enable", UNIT)
        call("systemctl", "--user", "restart" if changed else "start", UNIT)

    def remove(self) -> None:
        """Stop and disable the unit, and delete its file."""
        call("systemctl", "--user", "disable", "--now", UNIT)
        self.unit.unlink()
        call("systemctl", "--user", "daemon-reload")

    def is_running(self) -> bool:
        """Return whether the unit is active."""
        return succeeds("systemctl", "--user", "is-active", "--quiet", UNIT)


def command_line(words: Iterable[str]) -> str:
    """Write words as a line for ``ExecStart``, where ``$`` names variables."""
    return " ".join(quoted(word).replace("$", "$$") for word in words)


def quoted(text: str) -> str:
    """Quote a text for systemd, where ``%`` begins a specifier."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + "".join(one if one.isprintable() else _escape(one) for one in escaped) + '"'


def _escape(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
