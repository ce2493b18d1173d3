"""Read one transcript from where the last reading ended.

No SQL: an open file and its saved state in, turns out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO

from aggregator.transcripts.jsonl import Position, read_lines, read_tail, tail_digest
from aggregator.transcripts.parser import (
    FoundTurn,
    ParsedLine,
    ReplyLine,
    SkippedLine,
    State,
    parse_line,
    parse_timestamp,
)

UNREADABLE = "unreadable file"

FORMAT = 2
"""Number of the rules by which transcripts are read. After a change of these rules, or of
what is kept of a line, a greater number has all files read again."""


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
    """

    cwd: str | None = None
    state: State | None = None
    at: datetime | None = None
    state_rank: int = 0
    states_told: int = 0
    since: datetime | None = None
    reply: ReplyLine | None = None
    reply_key: str | None = None

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
        return [self.cwd, self.state, at, *told, since, self.reply, self.reply_key]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Session:
        """Restore a session from :meth:`to_json`, also of earlier formats, which had less."""
        padded: list[Any] = [*values, *[None] * (8 - len(values))]
        cwd, state, at, rank, told, since, reply, key = padded
        line = ReplyLine(*reply) if reply else None
        times = parse_timestamp(at), rank or 0, told or 0, parse_timestamp(since)
        return cls(cwd, state, *times, line, key)


@dataclass(slots=True)
class Reading:
    """The state of reading one transcript, from one import to the next.

    Attributes:
        name: Path as text.
        is_main: Whether it is a session's own file, and has been read.
        size: Size in bytes when last seen.
        modified_ns: Time of the last change when last seen, in ns since 1970; 0 if there
            is more to read.
        read_digest: Digest of the bytes before the position.
        position: Position up to which it has been read.
        sessions: Facts about sessions, by session id.
        format: The :data:`FORMAT` by which it has been read.
        start: Position at which the last reading started.
    """

    name: str
    is_main: bool = False
    size: int = 0
    modified_ns: int = 0
    read_digest: str = ""
    position: Position = field(default_factory=Position)
    sessions: dict[str, Session] = field(default_factory=dict)
    format: int = FORMAT
    start: Position = field(default_factory=Position)

    def read_on(self, file: BinaryIO) -> Iterator[list[FoundTurn]]:
        """Read to the end of the file; yield the turns of each line that has any.

        A file that was truncated or replaced, or that was read by other rules, is read
        from its beginning. Between two items the reading can be interrupted with
        :meth:`pause`.
        """
        self.is_main = True
        tail = read_tail(file, self.position.offset)
        if tail_digest(tail) != self.read_digest or self.is_outdated:
            self.position, self.sessions, tail = Position(), {}, b""
            self.format = FORMAT
        self.position.mid_line = bool(tail) and not tail.endswith(b"\n")
        self.start = replace(self.position, skipped=Counter(self.position.skipped))
        for records in read_lines(file, self.position):
            turns = [turn for record in records if (turn := self._process(record)) is not None]
            if turns:
                yield turns

    @property
    def lines_read(self) -> int:
        """Number of lines read by the last reading."""
        return self.position.lines - self.start.lines

    @property
    def bytes_read(self) -> int:
        """Number of bytes read by the last reading."""
        return self.position.offset - self.start.offset

    @property
    def newly_skipped(self) -> Counter[str]:
        """Unusable lines of the last reading, counted by kind."""
        return self.position.skipped - self.start.skipped

    @property
    def is_outdated(self) -> bool:
        """True if it has been read by other rules than the present ones."""
        return self.format != FORMAT

    @property
    def is_unreadable(self) -> bool:
        """True if the last attempt to read the file failed."""
        return UNREADABLE in self.position.skipped

    def mark_unreadable(self) -> None:
        """Record that the file cannot be read; the next import tries again."""
        self.modified_ns = 0
        self.position.skipped[UNREADABLE] = 1

    def pause(self, file: BinaryIO) -> None:
        """Record that there is more to read after the position."""
        self.size, self.modified_ns = self.position.offset, 0
        self._update_digest(file)

    def finish(self, file: BinaryIO, status: os.stat_result) -> None:
        """Record that the file has been read to its end.

        Args:
            file: The open file.
            status: Its status before the reading, so that the next import reads what was
                written meanwhile.
        """
        self.size, self.modified_ns = status.st_size, status.st_mtime_ns
        self.position.skipped.pop(UNREADABLE, None)
        self._update_digest(file)

    def _update_digest(self, file: BinaryIO) -> None:
        self.read_digest = tail_digest(read_tail(file, self.position.offset))
        file.seek(self.position.offset)

    def to_row(self) -> dict[str, Any]:
        """Convert to the columns of :class:`aggregator.database.models.TranscriptFile`."""
        return {
            "path": self.name,
            "is_main": self.is_main,
            "size": self.size,
            "modified_ns": self.modified_ns,
            "read_bytes": self.position.offset,
            "read_digest": self.read_digest,
            "lines": self.position.lines,
            "objects": self.position.objects,
            "waiting": self.position.waiting,
            "skipped": dict(self.position.skipped),
            "sessions": {key: known.to_json() for key, known in self.sessions.items()},
            "format": self.format,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Reading:
        """Restore a reading from the columns of :meth:`to_row`."""
        return cls(
            name=row["path"],
            is_main=row["is_main"],
            size=row["size"],
            modified_ns=row["modified_ns"],
            read_digest=row["read_digest"],
            position=Position(
                offset=row["read_bytes"],
                lines=row["lines"],
                objects=row["objects"],
                waiting=row["waiting"],
                skipped=Counter(row["skipped"]),
            ),
            sessions={key: Session.from_json(known) for key, known in row["sessions"].items()},
            format=row["format"],
        )

    def _process(self, record: dict[str, Any]) -> FoundTurn | None:
        """Update the session of a line, or count the line as skipped; return its turn."""
        line = parse_line(record)
        if line is None:
            return None
        if isinstance(line, SkippedLine):
            self.position.skipped[line.kind] += 1
            return None
        session = self.sessions.get(line.session_id)
        if session is None:
            session = self.sessions[line.session_id] = Session()
        if line.skipped is not None:
            self.position.skipped[line.skipped] += 1
        return session.update(line)
