"""Reading one transcript on from where the last reading ended.

No SQL: an open file and what is remembered of it in, turns out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO

from aggregator.transcripts.jsonl import Position, read_lines, read_tail, tail_digest
from aggregator.transcripts.parser import (
    FoundTurn,
    ParsedLine,
    SkippedLine,
    State,
    interpret,
    parse_timestamp,
)

UNREADABLE = "unreadable file"


@dataclass(slots=True)
class Session:
    """What one file tells about one session, besides its turns.

    Attributes:
        cwd: The first working folder; empty if the first turn came before any.
        state: What the session did last.
        at: When that was.
    """

    cwd: str | None = None
    state: State | None = None
    at: datetime | None = None

    def learn(self, meaning: ParsedLine) -> None:
        """Take over what a line says, where it is news."""
        if self.cwd is None and (meaning.cwd or meaning.turn):
            self.cwd = meaning.cwd or ""
        if meaning.at and meaning.state and (self.at is None or meaning.at >= self.at):
            self.state, self.at = meaning.state, meaning.at


@dataclass(slots=True)
class Reading:
    """One transcript, how far it has been read, and what was found up to there.

    Attributes:
        name: The path as text.
        is_main: Whether it is a session's own file, and has been read.
        size: Bytes when last looked at.
        modified_ns: Time of the last change then; 0 if there is more to read.
        read_digest: Digest of the bytes before the position.
        position: How far it has been read.
        sessions: What it tells of sessions, by their id.
        begun: The position where the last reading began.
    """

    name: str
    is_main: bool = False
    size: int = 0
    modified_ns: int = 0
    read_digest: str = ""
    position: Position = field(default_factory=Position)
    sessions: dict[str, Session] = field(default_factory=dict)
    begun: Position = field(default_factory=Position)

    def read_on(self, file: BinaryIO) -> Iterator[list[FoundTurn]]:
        """Read to the end of the file; give the turns of each line that has some.

        A file that was cut or replaced is read from its beginning. Between two items
        the reading can be interrupted by :meth:`pause`.
        """
        self.is_main = True
        tail = read_tail(file, self.position.offset)
        if tail_digest(tail) != self.read_digest:
            self.position, self.sessions, tail = Position(), {}, b""
        self.position.mid_line = bool(tail) and not tail.endswith(b"\n")
        self.begun = replace(self.position, skipped=Counter(self.position.skipped))
        for records in read_lines(file, self.position):
            turns = [turn for record in records if (turn := self._learn(record)) is not None]
            if turns:
                yield turns

    @property
    def lines_read(self) -> int:
        """Lines of the last reading."""
        return self.position.lines - self.begun.lines

    @property
    def bytes_read(self) -> int:
        """Bytes of the last reading."""
        return self.position.offset - self.begun.offset

    @property
    def newly_skipped(self) -> Counter[str]:
        """What the last reading could not use, by kind."""
        return self.position.skipped - self.begun.skipped

    @property
    def is_unreadable(self) -> bool:
        """Whether the last attempt to read it failed."""
        return UNREADABLE in self.position.skipped

    def give_up(self) -> None:
        """Remember that it cannot be read, but may be some day."""
        self.modified_ns = 0
        self.position.skipped[UNREADABLE] = 1

    def pause(self, file: BinaryIO) -> None:
        """Remember that there is more to read behind the position."""
        self.size, self.modified_ns = self.position.offset, 0
        self._mark(file)

    def finish(self, file: BinaryIO, status: os.stat_result) -> None:
        """Remember that the file has been read to its end.

        Args:
            file: The open file.
            status: Its status before the reading; what came later is read later.
        """
        self.size, self.modified_ns = status.st_size, status.st_mtime_ns
        self.position.skipped.pop(UNREADABLE, None)
        self._mark(file)

    def _mark(self, file: BinaryIO) -> None:
        self.read_digest = tail_digest(read_tail(file, self.position.offset))
        file.seek(self.position.offset)

    def to_row(self) -> dict[str, Any]:
        """The columns of :class:`aggregator.database.models.TranscriptFile`."""
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
            "sessions": {
                session_id: [known.cwd, known.state, known.at and known.at.isoformat()]
                for session_id, known in self.sessions.items()
            },
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Reading:
        """The reverse of :meth:`to_row`."""
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
            sessions={
                session_id: Session(cwd, state, parse_timestamp(at))
                for session_id, (cwd, state, at) in row["sessions"].items()
            },
        )

    def _learn(self, record: dict[str, Any]) -> FoundTurn | None:
        """Take over what a line says; give its turn."""
        meaning = interpret(record)
        if meaning is None:
            return None
        if isinstance(meaning, SkippedLine):
            self.position.skipped[meaning.kind] += 1
            return None
        session = self.sessions.get(meaning.session_id)
        if session is None:
            session = self.sessions[meaning.session_id] = Session()
        session.learn(meaning)
        return meaning.turn
