"""launchd, as the service manager of a user's account on a Mac."""

from __future__ import annotations

import os
import plistlib
from pathlib import Path

from aggregator.installation import PROGRAM
from dashboard.service.manager import ServiceManager, call, succeeds
from dashboard.service.program import Program


class Launchd(ServiceManager):
    """The agents of the user's own session."""

    def __init__(self) -> None:
        library = Path.home() / "Library"
        self.unit = library / "LaunchAgents" / f"{PROGRAM}.plist"
        self._log = library / "Logs" / f"{PROGRAM}.log"
        self.log_command = f"tail -f '{self._log}'"
        self._domain = f"gui/{os.getuid()}"

    def check(self) -> None:
        """Ask for the session of the user, which needs no service."""
        call("launchctl", "print", self._domain)

    def describe(self, program: Program) -> str:
        """Return the property list."""
        return plistlib.dumps(
            {
                "Label": PROGRAM,
                "ProgramArguments": list(program.command),
                "EnvironmentVariables": dict(program.environment),
                "RunAtLoad": True,
                "KeepAlive": {"SuccessfulExit": False},
                "ThrottleInterval": 10,
                "ExitTimeOut": 5,
                "StandardOutPath": str(self._log),
                "StandardErrorPath": str(self._log),
            },
            sort_keys=False,
        ).decode()

    def start(self, *, changed: bool) -> None:
        """Load the property list, anew if it has changed; it runs as soon as it is loaded."""
        if changed or not self.is_running():
            self._unload()
            call("launchctl", "bootstrap", self._domain, str(self.unit))

    def remove(self) -> None:
        """Unload the property list, and delete its file."""
        self._unload()
        self.unit.unlink()

    def is_running(self) -> bool:
        """Return whether the property list is loaded."""
        return succeeds("launchctl", "print", f"{self._domain}/{PROGRAM}")

    def _unload(self) -> None:
        if self.is_running():
            call("launchctl", "bootout", f"{self._domain}/{PROGRAM}")
