"""Read one transcript from where the last reading ended.

No SQL: an open file and its saved state in, turns out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from aggregator.transcripts.jsonl import Position, read_lines, read_tail, tail_digest
from aggregator.transcripts.names import learn_names
from aggregator.transcripts.parser import (
    LONGEST_ID,
    FoundTurn,
    ParsedLine,
    SkippedLine,
    parse_line,
    session_of,
    storable,
)
from aggregator.transcripts.sessions import Session
from aggregator.transcripts.signals.tracker import Tracker

UNREADABLE = "unreadable file"

FORMAT = 4
"""Number of the rules by which transcripts are read. After a change of these rules, or of
what is kept of a line, a greater number has all files read again."""


INLINE = "inline"
"""Sub-agent of lines that name none; early versions wrote them into the session's file."""


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
        trackers: What finds their signals, by session id.
        format: The :data:`FORMAT` by which it has been read.
        titles: Whether to keep titles that a model wrote from a prompt.
        start: Position at which the last reading started.
    """

    name: str
    is_main: bool = False
    size: int = 0
    modified_ns: int = 0
    read_digest: str = ""
    position: Position = field(default_factory=Position)
    sessions: dict[str, Session] = field(default_factory=dict)
    trackers: dict[str, Tracker] = field(default_factory=dict)
    format: int = FORMAT
    titles: bool = False
    start: Position = field(default_factory=Position)

    def read_on(self, file: BinaryIO) -> Iterator[list[FoundTurn]]:
        """Read to the end of the file; yield the turns of each line that has any.

        A file that was truncated or replaced, or that was read by other rules, is read
        from its beginning. Between two items the reading can be interrupted with
        :meth:`pause`.
        """
        self.is_main = True
        self._go_to_position(file)
        for records in read_lines(file, self.position):
            turns = [turn for record in records if (turn := self._process(record)) is not None]
            if turns:
                yield turns

    def read_sub_agent(self, file: BinaryIO, agent: str) -> None:
        """Read the file of a sub-agent to its end, for the instants of its lines alone.

        Args:
            file: The open file.
            agent: Id of the sub-agent, for lines that do not name it.
        """
        self._go_to_position(file)
        for records in read_lines(file, self.position):
            for record in records:
                session_id = session_of(record)
                if session_id is not None:
                    self._sub_agent_line(session_id, record, agent)

    def _go_to_position(self, file: BinaryIO) -> None:
        tail = read_tail(file, self.position.offset)
        if tail_digest(tail) != self.read_digest or self.is_outdated:
            self.position, self.sessions, self.trackers, tail = Position(), {}, {}, b""
            self.format = FORMAT
        self.position.mid_line = bool(tail) and not tail.endswith(b"\n")
        self.start = replace(self.position, skipped=Counter(self.position.skipped))

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
            "signals": {key: known.to_json() for key, known in self.trackers.items()},
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
            trackers={key: Tracker.from_json(key, known) for key, known in row["signals"].items()},
            format=row["format"],
        )

    def _process(self, record: dict[str, Any]) -> FoundTurn | None:
        """Update the session of a line, or count the line as skipped; return its turn."""
        line = parse_line(record)
        self._learn_names(record)
        self._track(record, line if isinstance(line, ParsedLine) else None)
        if line is None:
            return None
        if isinstance(line, SkippedLine):
            self.position.skipped[line.kind] += 1
            return None
        session = self._session(line.session_id)
        if line.skipped is not None:
            self.position.skipped[line.skipped] += 1
        return session.update(line)

    def _session(self, session_id: str) -> Session:
        session = self.sessions.get(session_id)
        if session is None:
            session = self.sessions[session_id] = Session()
        return session

    def _learn_names(self, record: dict[str, Any]) -> None:
        session_id = session_of(record)
        if session_id is None or record.get("isSidechain"):
            return
        known = self.sessions.get(session_id)
        names = known.names if known is not None else {}
        learn_names(names, record, titles=self.titles)
        if known is None and names:
            self._session(session_id).names = names

    def _track(self, record: dict[str, Any], line: ParsedLine | None) -> None:
        """Let the session of a line find its signals."""
        session_id = line.session_id if line is not None else session_of(record)
        if session_id is None:
            return
        if record.get("isSidechain"):
            self._sub_agent_line(session_id, record, INLINE)
        else:
            self._tracker(session_id).add(record, line)

    def _sub_agent_line(self, session_id: str, record: dict[str, Any], agent: str) -> None:
        named = storable(record.get("agentId"), LONGEST_ID)
        self._tracker(session_id).add_sub_agent(record, named or agent)

    def _tracker(self, session_id: str) -> Tracker:
        tracker = self.trackers.get(session_id)
        if tracker is None:
            tracker = self.trackers[session_id] = Tracker(session_id)
        return tracker
