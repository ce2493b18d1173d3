"""The interface of service managers, and what they share: files and commands."""

from __future__ import annotations

import os
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from tempfile import NamedTemporaryFile

from dashboard.errors import ServiceError
from dashboard.service.program import Program

COMMAND_SECONDS = 60


class ServiceManager(ABC):
    """A service manager of a user's account.

    Attributes:
        unit: File that describes the service.
        log_command: Command that shows the log and follows it.
        hint: Advice for after the installation, or empty.
    """

    unit: Path
    log_command: str
    hint: str = ""

    @abstractmethod
    def check(self) -> None:
        """Make sure that the service manager answers.

        Raises:
            ServiceError: It does not.
        """

    @abstractmethod
    def describe(self, program: Program) -> str:
        """Return the contents of the unit."""

    @abstractmethod
    def start(self, *, changed: bool) -> None:
        """Run the unit now and after every login; again, if its file has changed."""

    @abstractmethod
    def remove(self) -> None:
        """Stop the service, and delete the unit."""

    @abstractmethod
    def is_running(self) -> bool:
        """Return whether the service runs."""

    def install(self, program: Program) -> bool:
        """Write the unit and start the service; return whether the file has changed.

        Raises:
            ServiceError: The service manager refuses.
            OSError: The file cannot be written.
        """
        contents = self.describe(program)
        changed = not self.unit.exists() or self.unit.read_text() != contents
        if changed:
            _write(self.unit, contents)
        self.start(changed=changed)
        return changed

    def uninstall(self) -> bool:
        """Stop the service and delete the unit; return whether there was one.

        Raises:
            ServiceError: The service manager does not answer, or refuses.
        """
        if not self.unit.exists():
            return False
        self.check()
        self.remove()
        return True


def _write(path: Path, contents: str) -> None:
    """Replace a file at once; it may hold a password, so only its owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(contents)
    os.replace(file.name, path)


def succeeds(*command: str) -> bool:
    """Run a command; return whether it exits with 0."""
    return _run(command).returncode == 0


def call(*command: str) -> None:
    """Run a command.

    Raises:
        ServiceError: It does not exit with 0.
    """
    done = _run(command)
    if done.returncode:
        lines = (done.stderr or done.stdout).split("\n")
        said = lines[0].strip() or f"exit code {done.returncode}"
        raise ServiceError(f"{' '.join(command)}: {said}")


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the commands are ours
            command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except FileNotFoundError:
        raise ServiceError(f"there is no {command[0]} on this machine") from None
    except subprocess.TimeoutExpired:
        raise ServiceError(
            f"{' '.join(command)} has not ended within {COMMAND_SECONDS} s"
        ) from None
