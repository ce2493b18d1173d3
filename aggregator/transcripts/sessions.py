"""Facts about one session from one transcript, apart from its turns and signals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aggregator.transcripts.names import Names
from aggregator.transcripts.parser import (
    FoundTurn,
    ParsedLine,
    ReplyLine,
    State,
    parse_timestamp,
)


@dataclass(slots=True)
class Session:
    """Facts about one session from one file, apart from its turns.

    Attributes:
        cwd: First working folder; empty if the first turn came before any.
        state: Last state of the session.
        at: Instant of that state, in UTC.
        state_rank: Number of lines up to that state which told one; it orders states of
            the same instant.
        states_told: Number of all lines that told a state.
        since: Earliest instant of its lines, in UTC.
        reply: Last line of a reply whose request is not known.
        reply_key: Identity of that reply.
        names: Its names, by kind.
    """

    cwd: str | None = None
    state: State | None = None
    at: datetime | None = None
    state_rank: int = 0
    states_told: int = 0
    since: datetime | None = None
    reply: ReplyLine | None = None
    reply_key: str | None = None
    names: Names = field(default_factory=dict)

    def update(self, line: ParsedLine) -> FoundTurn | None:
        """Take over the facts of a line; return its turn, with its final identity."""
        if self.cwd is None and (line.cwd or line.turn):
            self.cwd = line.cwd or ""
        if line.at and (self.since is None or line.at < self.since):
            self.since = line.at
        if line.at and line.state:
            self.states_told += 1
            if self.at is None or line.at >= self.at:
                self.state, self.at, self.state_rank = line.state, line.at, self.states_told
        if line.reply is None:
            return line.turn
        key = self._key_of(line.reply)
        return line.turn and line.turn._replace(key=key)

    def _key_of(self, line: ReplyLine) -> str:
        """Return the identity of a line's reply: that of the reply before it if it goes on.

        A line goes on with a reply if it has the same message id, and follows the last
        line of that reply or the same line as that one.
        """
        last = self.reply
        goes_on = (
            last is not None
            and last.message_id == line.message_id
            and line.parent in (last.line_id, last.parent)
        )
        if not goes_on or self.reply_key is None:
            self.reply_key = f"{line.message_id}/{line.line_id}"
        self.reply = line
        return self.reply_key

    def to_json(self) -> list[Any]:
        """Convert to a list of JSON values."""
        at, since = (instant and instant.isoformat() for instant in (self.at, self.since))
        told = [self.state_rank, self.states_told]
        return [self.cwd, self.state, at, *told, since, self.reply, self.reply_key, self.names]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Session:
        """Restore a session from :meth:`to_json`, also of earlier formats, which had less."""
        padded: list[Any] = [*values, *[None] * (9 - len(values))]
        cwd, state, at, rank, told, since, reply, key, names = padded
        line = ReplyLine(*reply) if reply else None
        times = parse_timestamp(at), rank or 0, told or 0, parse_timestamp(since)
        return cls(cwd, state, *times, line, key, names or {})
