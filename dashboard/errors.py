"""Errors of the page, its pictures and the command line."""

from __future__ import annotations

from pathlib import Path

from aggregator.errors import ActivityError, ExtraMissingError


class AddressTakenError(ActivityError):
    """The address to serve on cannot be bound."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"cannot serve on {host}:{port}: {reason}; choose another with --host or --port"
        )


class AccessTokenError(ActivityError):
    """The file with the access token of a server cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the access token {path}: {reason}; expected a file that this account can read, or "
            "a folder in which it can make one; or --insecure for a server without a token"
        )


class MountError(ActivityError):
    """Activity cannot be added to a server."""

    def __init__(self, server: str, reason: str) -> None:
        super().__init__(f"cannot add Activity to the Flask server {server!r}: {reason}")


class BrowserMissingError(ActivityError):
    """There is no Chrome or Chromium to draw pictures."""

    def __init__(self, command: str, named: str | None) -> None:
        place = f" at {named}" if named else ""
        super().__init__(
            f"pictures need Chrome or Chromium, and none was found{place}; run: {command}"
        )


class PicturePackageMissingError(ExtraMissingError):
    """A package that pictures need is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__("a picture", package, "png")


class PictureFailedError(ActivityError):
    """The browser did not draw a picture."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the picture could not be drawn: {reason}")


class PicturesBusyError(ActivityError):
    """Too many exports are already drawing or waiting."""

    def __init__(self, waiting: int) -> None:
        super().__init__(
            f"{waiting} exports are being drawn or are waiting already; try again in a moment"
        )


class OutputError(ActivityError):
    """A file cannot be written."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot write {path}: {reason}")


class ServiceError(ActivityError):
    """A service cannot be installed, removed or looked at."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"service: {reason}")
