"""One line while its signals are being told, and facts of a line beside its turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aggregator.transcripts.parser import Line, identity_of
from aggregator.transcripts.prompts import blocks_of, first_text

EXIT = "<command-name>/exit</command-name>"


@dataclass(slots=True)
class Seen:
    """A line that is being processed, with its session and its instant in UTC."""

    line: Line
    at: datetime
    session_id: str

    @property
    def key(self) -> str:
        """Identity of the line; without one it is at least different in other sessions."""
        return identity_of(self.line)[0] or f"{self.session_id}/{self.at.isoformat()}"

    @property
    def is_copy(self) -> bool:
        """True if the line says that it was copied from another session."""
        return "forkedFrom" in self.line and identity_of(self.line)[1]


def origin_of(line: Line) -> str | None:
    """Return which program started the session, if the line says so."""
    if line.get("sessionKind") == "bg":
        return "background"
    entrypoint = line.get("entrypoint")
    if isinstance(entrypoint, str):
        return "sdk" if entrypoint.startswith("sdk") else None
    # With an entrypoint this is no evidence: the desktop application's prompts have it, too.
    return "sdk" if line.get("promptSource") == "sdk" else None


def is_exit(line: Line) -> bool:
    """Return whether a user line is the echo of the command that ends a session."""
    message = line.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return first_text(blocks_of(content))[0].startswith(EXIT)
