"""Import transcripts when they change, and every minute whatever happens."""

from __future__ import annotations

import logging
import socket
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert

from aggregator.database import locks
from aggregator.database.models import Watch
from aggregator.errors import printable
from aggregator.jobs.retry import run_with_retries
from aggregator.jobs.watching import EVENTS, OFF, POLLING, changed_files, shared_system
from aggregator.sessions.files import sessions_folders
from aggregator.sessions.store import note_gone_processes, note_session_files
from aggregator.settings import Settings
from aggregator.transcripts.discovery import SUFFIX
from aggregator.transcripts.importer import ImportReport, import_transcripts, noteworthy

AT_MOST_EVERY = 1.0
"""Shortest time between two imports in seconds; changes in between are imported together."""
LOOK_AT_SESSIONS_EVERY = 3.0
"""Seconds between two looks whether the processes of sessions still run."""
TRY_AGAIN_AFTER = 5.0
"""Seconds after which a process looks if the one that watches has ended."""
BLIND_AFTER = 2
"""Number of polls in a row that find changes of which no event told, until events are given up."""

log = logging.getLogger(__name__)


class LiveImport:
    """The import of one process.

    Args:
        engine: The database.
        settings: Where transcripts are, and how to watch them.
        make_pass: Makes a pass; returns None if another process is making one.
    """

    def __init__(
        self, engine: Engine, settings: Settings, make_pass: Callable[[], object | None]
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._make_pass = make_pass
        self._sessions = sessions_folders(settings.transcripts)
        self._folders = (*settings.transcripts, *self._sessions)
        self._missing: set[Path] = set()
        self._mode = ""
        self._reason = ""
        self._told_at = 0.0
        self._untold = 0

    def poll(self) -> None:
        """Import whatever is new, and look which sessions run.

        Logs once that a folder is missing.
        """
        started = time.monotonic()
        report = self._import(None)
        self._warn_of_missing(report)
        now = datetime.now(UTC)
        with self._engine.begin() as conn:
            note_session_files(conn, self._sessions, now)
            note_gone_processes(conn, now)
        if self._mode == EVENTS and report.lines:
            is_told = started - self._told_at < TRY_AGAIN_AFTER
            self._untold = 0 if is_told else self._untold + 1
        if self._mode:
            self._note(self._mode, self._reason)

    def run(self, stopping: Event) -> None:
        """Import changed transcripts at once, each followed by a pass, until stopped.

        Of many processes of a machine with the same folders and database one does so.
        """
        if self._settings.live != OFF:
            run_with_retries("live import", lambda: self._take_turns(stopping), stopping)

    def _take_turns(self, stopping: Event) -> None:
        names = ":".join([socket.gethostname(), *map(str, self._folders)])
        key = locks.WATCH + zlib.crc32(names.encode("utf-8", "surrogateescape"))
        while not stopping.is_set():
            with locks.try_session_lock(self._engine, key) as is_ours:
                if is_ours:
                    self._watch(stopping)
            stopping.wait(TRY_AGAIN_AFTER)

    def _watch(self, stopping: Event) -> None:
        asked = self._settings.live
        system = shared_system(self._folders) if asked == "auto" else None
        changes = changed_files(
            self._folders,
            stopping,
            polling=asked == POLLING or system is not None,
            note=lambda mode, reason: self._note(mode, reason or (system or "")),
            is_blind=lambda: asked == "auto" and self._untold >= BLIND_AFTER,
        )
        is_pass_due, looked_at = False, 0.0
        for changed in changes:
            started = time.monotonic()
            transcripts = {path for path in changed if path.suffix == SUFFIX}
            if changed:
                self._told_at, self._untold = started, 0
            if transcripts:
                is_pass_due |= self._import(transcripts).bytes > 0
            if changed - transcripts or started - looked_at >= LOOK_AT_SESSIONS_EVERY:
                looked_at = started
                with self._engine.begin() as conn:
                    note_session_files(conn, self._sessions, datetime.now(UTC))
            if is_pass_due:
                is_pass_due = self._make_pass() is None
            if changed:
                stopping.wait(max(0.0, AT_MOST_EVERY - (time.monotonic() - started)))

    def _import(self, only: set[Path] | None) -> ImportReport:
        return import_transcripts(
            self._engine,
            self._settings.transcripts,
            must_exist=self._settings.transcripts_given and only is None,
            titles=self._settings.titles,
            only=only,
        )

    def _warn_of_missing(self, report: ImportReport) -> None:
        missing = set(noteworthy(report.missing, self._settings))
        for folder in sorted(missing - self._missing):
            log.warning("There is no folder %s with transcripts", printable(str(folder)))
        self._missing = missing

    def _note(self, mode: str, reason: str) -> None:
        """Store how this machine watches, for the page and the command ``status``."""
        self._mode, self._reason = mode, reason
        folders = ", ".join(map(str, self._folders))
        machine = socket.gethostname()
        told = {"mode": mode, "reason": reason, "seen_at": datetime.now(UTC)}
        row = {"key": f"{machine}:{folders}", "machine": machine, "folders": folders, **told}
        with self._engine.begin() as conn:
            conn.execute(
                insert(Watch).values(row).on_conflict_do_update(index_elements=["key"], set_=told)
            )
