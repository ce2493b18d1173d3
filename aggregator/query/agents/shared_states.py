"""Present agents and their states, which the requests of one process read once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.database.source import Source
from aggregator.forks import in_forked_children
from aggregator.metrics.windows import floor_minute
from aggregator.query.agents.now import read_full_version
from aggregator.query.agents.states import (
    Present,
    PresentFacts,
    next_change,
    read_present,
)

Facts = tuple[datetime | None, ...]

EARLIER = timedelta(seconds=5)
"""Requests that began by so much before a reading get it too, because they waited for it."""


class SharedStates:
    """The states of a version of the numbers, which are read once, and change with time.

    What a host changes without a new version, as names, is read anew every minute.
    """

    def __init__(self) -> None:
        self._read: tuple[Facts, PresentFacts] | None = None
        self._shown: tuple[datetime | None, Present] | None = None
        self._forget()
        in_forked_children(self, SharedStates._forget)

    def _forget(self) -> None:
        # In a forked child nobody holds it.
        self._lock = threading.Lock()

    def read(self, conn: Connection, now: datetime, source: Source) -> Present:
        """Return who is present in the snapshot of a connection. Only read it.

        One thread reads, the others wait for it, each as long as its connection may last.
        """
        facts = read_full_version(conn, now).facts
        with self._lock:
            read = self._of_version(facts, now)
            if read is None:
                read, self._shown = read_present(conn, now, source), None
                self._read = facts, read
            return self._at(read, max(now, read.read_at))

    def _of_version(self, facts: Facts, now: datetime) -> PresentFacts | None:
        if self._read is None:
            return None
        known, read = self._read
        is_same = known == facts and floor_minute(read.read_at) == floor_minute(now)
        return read if is_same and read.read_at - EARLIER <= now else None

    def _at(self, read: PresentFacts, now: datetime) -> Present:
        if self._shown is not None:
            changes_at, present = self._shown
            if changes_at is None or now < changes_at:
                return present
        present = read.at(now)
        self._shown = next_change(present.states, now), present
        return present
