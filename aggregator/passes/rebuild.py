"""Recomputing every hour that is kept, while everything else goes on.

For what no pass could know: hours from before changes were captured, rows that somebody
else altered, a definition that is new in this version.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from aggregator.database import locks
from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import last_rebuild_at, mark_complete_since, save_state
from aggregator.database.turns import END_OF_TIME
from aggregator.metrics.windows import floor_hour
from aggregator.passes.dirty_hours import mark_all_dirty_if_queued
from aggregator.passes.recompute import chunks, in_transaction, recompute_alone
from aggregator.passes.write import Written
from aggregator.schema.capture import is_installed


def rebuild_due(conn: Connection, now: datetime, every: timedelta) -> bool:
    """Whether every hour should be recomputed: it never was, or as long ago.

    A pass that recomputes every hour, because changes are not captured, counts.
    """
    last = last_rebuild_at(conn)
    # A clock that was ahead must not put it off until then.
    return last is None or abs(now - last) >= every


def rebuild(
    engine: Engine, now: datetime, retention: timedelta, source: Source = STANDALONE
) -> Written | None:
    """Recompute every hour that is kept, in chunks with a transaction each.

    Memory is bounded, locks are short, passes come in between. Killed in the middle, it
    leaves every hour right.

    Args:
        engine: The database.
        now: The present.
        retention: Age of the oldest hour.
        source: Where the database keeps its turns.

    Returns:
        How many rows changed; None when another process is rebuilding.
    """
    horizon = floor_hour(now - retention)
    with locks.try_session_lock(engine, locks.REBUILD) as ours:
        if not ours:
            return None
        in_transaction(engine, _begin)
        todo = in_transaction(engine, lambda conn: list(chunks(conn, horizon, END_OF_TIME, source)))
        written = Written()
        for since, until in todo:
            written += recompute_alone(engine, since, until, source)
        in_transaction(engine, lambda conn: _end(conn, now, horizon, written, source))
    return written


def _begin(conn: Connection) -> None:
    """Take over from the queue that everything may have changed, so that no pass has to.

    Not while chunks are at work, which may have read before that entry was made.
    """
    locks.lock(conn, locks.RECOMPUTE)
    mark_all_dirty_if_queued(conn)


def _end(
    conn: Connection, now: datetime, horizon: datetime, written: Written, source: Source
) -> None:
    """Every hour has been read since the beginning; what changed later is in the queue."""
    save_state(conn, now, changed=written.any, rebuilt_at=now)
    if is_installed(conn, source):
        mark_complete_since(conn, horizon)
