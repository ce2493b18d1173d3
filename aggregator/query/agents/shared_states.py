"""Present agents and their states, which the requests of one process read once."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aggregator.database.source import Source
from aggregator.forks import in_forked_children
from aggregator.metrics.windows import floor_minute
from aggregator.query.agents.now import read_full_version
from aggregator.query.agents.states import Present, next_change, read_present

Facts = tuple[datetime | None, ...]

EARLIER = timedelta(seconds=5)
"""Requests that began by so much before the reading get it too, because they waited for it."""


class SharedStates:
    """The states of a version of the numbers, read anew when it or time has changed them.

    What a host changes without a new version, as names, is read anew every minute.
    """

    def __init__(self) -> None:
        self._last: tuple[Facts, datetime, datetime | None, Present] | None = None
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
            found = self._known(facts, now)
            if found is None:
                found = read_present(conn, now, source)
                self._last = facts, now, next_change(found.states, now), found
            return found

    def _known(self, facts: Facts, now: datetime) -> Present | None:
        if self._last is None:
            return None
        known, read_at, changes_at, present = self._last
        is_same = known == facts and floor_minute(read_at) == floor_minute(now)
        is_in_time = read_at - EARLIER <= now and (changes_at is None or now < changes_at)
        return present if is_same and is_in_time else None
