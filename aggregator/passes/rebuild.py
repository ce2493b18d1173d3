"""Recompute all intervals and all retained hours, without stopping passes or anything else.

This corrects what a pass cannot detect: hours from before changes were captured, rows
altered by other programs, and definitions that are new in this version.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from aggregator.database import locks
from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import last_rebuild_at, mark_complete_since, save_state
from aggregator.database.turns import END_OF_TIME
from aggregator.metrics.windows import floor_hour
from aggregator.passes.affected import whole_agents
from aggregator.passes.dirty_hours import mark_all_dirty_if_queued
from aggregator.passes.recompute import chunks, recompute_in_transaction
from aggregator.passes.timelines import recompute_agents_in_transaction
from aggregator.passes.transactions import in_transaction
from aggregator.passes.write.metrics import Written
from aggregator.schema.capture import is_installed


def rebuild_due(conn: Connection, now: datetime, every: timedelta) -> bool:
    """Return whether the last rebuild is at least this long ago, or there was none.

    A pass that recomputed every hour, because changes are not captured, counts as one.
    """
    last = last_rebuild_at(conn)
    # The last rebuild may be in the future if a clock was ahead; that must not delay this one.
    return last is None or abs(now - last) >= every


def rebuild(
    engine: Engine, now: datetime, retention: timedelta, source: Source = STANDALONE
) -> Written | None:
    """Recompute agents in batches and then hours in chunks, each in its own transaction.

    Memory is bounded, locks are short, and passes run in between. If it is killed, every
    hour is still correct after the next pass.

    Args:
        engine: The database.
        now: The present.
        retention: Age of the oldest hour.
        source: Columns of the turns and agents in this database.

    Returns:
        Rows that changed, per scope; None if another process is rebuilding.
    """
    horizon = floor_hour(now - retention)
    with locks.try_session_lock(engine, locks.REBUILD) as ours:
        if not ours:
            return None
        in_transaction(engine, _begin)
        written = Written()
        agents = in_transaction(engine, lambda conn: list(whole_agents(conn, horizon, source)))
        for batch in agents:
            written += recompute_agents_in_transaction(engine, batch, horizon, source)
        todo = in_transaction(engine, lambda conn: list(chunks(conn, horizon, END_OF_TIME, source)))
        for since, until in todo:
            written += recompute_in_transaction(engine, since, until, source)
        in_transaction(engine, lambda conn: _end(conn, now, horizon, written, source))
    return written


def _begin(conn: Connection) -> None:
    """Take an entry "recompute everything" from the queue, so that no pass has to handle it.

    The lock waits for chunks in progress, which may have read before that entry was made.
    """
    locks.lock(conn, locks.RECOMPUTE)
    mark_all_dirty_if_queued(conn)


def _end(
    conn: Connection, now: datetime, horizon: datetime, written: Written, source: Source
) -> None:
    """Record the rebuild: every hour has been recomputed, and later changes are queued."""
    save_state(conn, now, changed=written.any, rebuilt_at=now)
    if is_installed(conn, source):
        mark_complete_since(conn, horizon)
