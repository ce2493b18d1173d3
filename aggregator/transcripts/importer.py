"""Import transcripts: choose the files, their order and the transactions.

An import is incremental and may be stopped at any moment, even by SIGKILL: the reading
position of a file is saved in the same transaction as its turns and signals. The next
import then leads to the rows of one uninterrupted import.

A folder leads to the same rows on every machine, in whichever order its files are read.

Turns and other rows of deleted files remain: Claude Code removes old transcripts, and
this must not change the past.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, Engine, func, select, text

from aggregator.database import locks
from aggregator.database.models import Turn
from aggregator.errors import printable
from aggregator.settings import Settings
from aggregator.transcripts.discovery import (
    FoundFiles,
    Transcript,
    can_open,
    find_changed,
    find_transcripts,
    storable_name,
)
from aggregator.transcripts.file_records import (
    FileStatus,
    forget_unreadable,
    load_file_stats,
    load_readings,
    save_readings,
)
from aggregator.transcripts.outdated import forget_outdated, settle_outdated
from aggregator.transcripts.parser import FoundTurn
from aggregator.transcripts.reading import FORMAT, UNREADABLE, Reading
from aggregator.transcripts.store.sessions import save_sessions
from aggregator.transcripts.store.signals import save_signals
from aggregator.transcripts.store.turns import NewTurn, save_turns

TURNS_AT_ONCE = 2_000

FILES_AT_ONCE = 500
"""Files and turns saved in one transaction; limits memory, and the work lost by a kill."""

BUFFER = 2**18

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Report of one import.

    Attributes:
        files: Number of transcripts found, including those of sub-agents.
        files_read: Number of main files that were new or had changed.
        lines: Lines read.
        bytes: Bytes read.
        turns: New turns.
        skipped: Unusable lines and unreadable files, counted by kind.
        missing: Folders that are not there.
        seconds: Duration, including the wait for another import.
    """

    files: int
    files_read: int
    lines: int
    bytes: int
    turns: int
    skipped: dict[str, int]
    missing: tuple[Path, ...]
    seconds: float


def import_transcripts(
    engine: Engine,
    folders: Sequence[Path],
    *,
    must_exist: bool = False,
    progress: Progress | None = None,
    turns_at_once: int = TURNS_AT_ONCE,
    titles: bool = False,
    only: Iterable[Path] | None = None,
) -> ImportReport:
    """Import the new content of some folders of transcripts into the database.

    Several imports into one database queue up, even from different machines.

    Args:
        engine: The database.
        folders: Folders to search for ``**/*.jsonl``.
        must_exist: Whether a missing folder is an error; otherwise it counts as empty.
        progress: Called now and then with the bytes read and the total bytes to read.
        turns_at_once: Approximate number of turns saved in one transaction.
        titles: Whether agents are named by titles that a model wrote from the prompt, too.
        only: Files that have changed, if the others need no look.

    Raises:
        TranscriptsUnreadableError: ``must_exist`` is set, and a folder cannot be listed.
    """
    started = time.perf_counter()
    with _import_lock(engine):
        if only is None:
            found = find_transcripts(folders, must_exist=must_exist)
        else:
            found = find_changed(folders, only)
        work = _Import(engine, turns_at_once, progress or (lambda *_: None), titles)
        work.read(found, folders if only is None else ())
    return ImportReport(
        files=len(found.transcripts),
        files_read=work.files_read,
        lines=work.lines,
        bytes=work.bytes,
        turns=work.turns_added,
        skipped=dict(work.skipped),
        missing=tuple(found.missing),
        seconds=time.perf_counter() - started,
    )


def noteworthy(missing: Sequence[Path], settings: Settings) -> Sequence[Path]:
    """Return the missing folders that a user should know of.

    Of the default folders one usually exists, and that is enough.
    """
    return missing if settings.folders_named or len(missing) == len(settings.transcripts) else ()


@contextmanager
def _import_lock(engine: Engine) -> Iterator[None]:
    """Hold the import lock on a connection of its own, which ends with this process."""
    with engine.begin() as conn:
        conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        locks.lock(conn, locks.IMPORT)
        yield


@dataclass(slots=True)
class _Import:
    """One import: the known files, the unsaved turns and readings, and the counts so far."""

    engine: Engine
    turns_at_once: int
    progress: Progress
    titles: bool
    known: dict[str, Reading] = field(default_factory=dict)
    turns: dict[str, NewTurn] = field(default_factory=dict)
    readings: dict[str, Reading] = field(default_factory=dict)
    bytes_to_read: int = 0
    files_read: int = 0
    lines: int = 0
    bytes: int = 0
    turns_added: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    reading_again: Connection | None = None

    def read(self, found: FoundFiles, folders: Sequence[Path]) -> None:
        """Read and save the files that have changed since the last import.

        Args:
            found: Files to look at.
            folders: Folders of which these are all files.
        """
        unreadable = [storable_name(path) for path in found.unreadable]
        present = {*unreadable, *(file.name for file in found.transcripts)}
        with self.engine.begin() as conn:
            forget_unreadable(conn, folders, present)
            stats = load_file_stats(conn, None if folders else present)
            changed = [
                file
                for file in found.transcripts
                if stats.get(file.name) != FileStatus(file.size, file.modified_ns, FORMAT)
            ]
            names = [*unreadable, *(file.name for file in changed)]
            self.known = load_readings(conn, [name for name in names if name in stats])
        for path, reason in found.unreadable.items():
            self._note_unreadable(path, reason)
        outdated = [file for file in changed if self._is_outdated(file)]
        if outdated:
            self._read_again(outdated, changed)
        else:
            self._read_changed(changed)
        self._save()

    def _is_outdated(self, file: Transcript) -> bool:
        """Return whether a file was read by earlier rules, and can be read again."""
        known = self.known.get(file.name)
        return known is not None and known.is_outdated and file.is_main and can_open(file.path)

    def _read_again(self, outdated: Sequence[Transcript], changed: Sequence[Transcript]) -> None:
        """Read the changed files, some of them from their beginning by the present rules.

        One transaction, so that a reader sees what the earlier rules gave until all is
        put right, and a crash leaves it so.
        """
        count = select(func.count()).select_from(Turn)
        with self.engine.begin() as conn:
            conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            before = conn.scalars(count).one()
            forget_outdated(conn, [self.known[file.name] for file in outdated])
            self.reading_again = conn
            self._read_changed(changed)
            self._save()
            settle_outdated(conn)
            after = conn.scalars(count).one()
        self.reading_again = None
        self.turns_added = max(0, after - before)
        logger.info(
            "Read %d transcripts again by the rules of this version: %d turns before, %d now",
            len(outdated), before, after,
        )  # fmt: skip

    def _read_changed(self, files: Sequence[Transcript]) -> None:
        main = [file for file in files if file.is_main]
        grown = [file for file in main if file.name in self.known]
        new = [file for file in main if file.name not in self.known]
        self.bytes_to_read = sum(
            max(0, file.size - self._reading(file.name).position.offset) for file in main
        )
        for file in files:
            if not file.is_main:
                self._read_sub_agent(file)
        for file in grown + new:
            self._read_file(file)

    def _reading(self, name: str) -> Reading:
        reading = self.known.get(name) or Reading(name)
        reading.titles = self.titles
        return reading

    def _read_file(self, file: Transcript) -> None:
        reading = self._reading(file.name)
        try:
            with file.path.open("rb", buffering=BUFFER) as content:
                status = os.fstat(content.fileno())
                for turns in reading.read_on(content):
                    self._add_turns(reading, turns, content)
                reading.finish(content, status)
        except OSError as failure:
            if self.reading_again and reading.format == FORMAT:
                raise  # What was forgotten of it must not be lost.
            self._note_unreadable(file.path, failure.strerror or str(failure))
            return
        self.files_read += 1
        self.lines += reading.lines_read
        self.bytes += reading.bytes_read
        self.skipped += reading.newly_skipped
        self._add_reading(reading)
        self.progress(self.bytes, max(self.bytes, self.bytes_to_read))

    def _read_sub_agent(self, file: Transcript) -> None:
        reading = self._reading(file.name)
        try:
            with file.path.open("rb", buffering=BUFFER) as content:
                status = os.fstat(content.fileno())
                reading.read_sub_agent(content, file.path.stem.removeprefix("agent-"))
                reading.finish(content, status)
        except OSError as failure:
            self._note_unreadable(file.path, failure.strerror or str(failure))
            return
        self._add_reading(reading)

    def _add_turns(self, reading: Reading, turns: list[FoundTurn], content: BinaryIO) -> None:
        """Collect turns of the file being read; save them when there are many."""
        for turn in turns:
            known = self.turns.get(turn.key)
            if known is None or turn.rank < known.turn.rank:
                session = reading.sessions[turn.session_id]
                self.turns[turn.key] = NewTurn(turn, session, reading.name)
        if len(self.turns) >= self.turns_at_once:
            reading.pause(content)
            self.readings[reading.name] = reading
            self._save()
            done = self.bytes + reading.bytes_read
            self.progress(done, max(done, self.bytes_to_read))

    def _add_reading(self, reading: Reading) -> None:
        self.readings[reading.name] = reading
        if len(self.readings) >= FILES_AT_ONCE:
            self._save()

    def _note_unreadable(self, path: Path, reason: str) -> None:
        """Count an unreadable file; log a warning the first time."""
        self.skipped[UNREADABLE] += 1
        reading = self._reading(storable_name(path))
        if reading.is_unreadable:
            return
        logger.warning("Cannot read %s: %s", printable(str(path)), reason)
        reading.mark_unreadable()
        self._add_reading(reading)

    def _save(self) -> None:
        if not (self.turns or self.readings):
            return
        again = self.reading_again
        with nullcontext(again) if again else self.engine.begin() as conn:
            self.turns_added += save_turns(conn, self.turns)
            save_sessions(conn, self.readings.values())
            save_signals(conn, self.readings.values())
            save_readings(conn, self.readings.values())
        self.turns.clear()
        self.readings.clear()
