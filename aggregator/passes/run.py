"""One run of the aggregator: which hours, in which order, in which transaction.

What holds after a pass: inside the retention, ``activity_metrics`` equals what a
rebuild from the turns would give. The proof is in :func:`make_pass`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from aggregator.database import locks
from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import last_pass_at, save_state
from aggregator.metrics.windows import HOUR, floor_hour
from aggregator.passes.dirty_hours import take_dirty_hours
from aggregator.passes.recompute import chunks, in_transaction, recompute
from aggregator.passes.retention import prune
from aggregator.passes.slots import Slot
from aggregator.passes.write import Written


@dataclass(frozen=True, slots=True)
class PassReport:
    """What a pass did.

    Attributes:
        at: The present of the pass.
        seconds: How long it took.
        written: Rows that changed, per scope.
        pruned: Rows deleted because they were older than the retention.
    """

    at: datetime
    seconds: float
    written: Written
    pruned: int


def make_pass(
    engine: Engine,
    now: datetime,
    retention: timedelta,
    source: Source = STANDALONE,
    *,
    unless_made_in: Slot | None = None,
) -> PassReport | None:
    """Bring the table up to date, or leave if another process is doing so.

    One transaction takes the entries of the queue of changes first, and reads the turns
    of their hours in later statements. In READ COMMITTED these see whatever was
    committed before they began, so every change whose entry was taken. A change that is
    committed in between is perhaps read now, and in any case again next time: its entry
    is still there. A transaction that is open now adds its entries when it is committed.
    And when anything fails, the entries are back with everything else. So whatever is
    not in the table has an entry waiting. Stretches of a rebuild or a backfill read and
    write while no pass does, hence add nothing older than what a later pass finds.

    Args:
        engine: The database.
        now: The present.
        retention: Age at which rows are pruned.
        source: Where the database keeps its turns.
        unless_made_in: Leave as well if the last pass lies in this slot.

    Returns:
        What was done; None when another process holds the lock or made the pass.
    """
    started = time.perf_counter()
    horizon = floor_hour(now - retention)

    def work(conn: Connection) -> Written | None:
        if not locks.try_lock(conn, locks.PASS):
            return None
        if unless_made_in is not None and last_pass_at(conn) in unless_made_in:
            return None
        # Those who recompute chunks finish them first; later ones wait for us.
        locks.lock(conn, locks.RECOMPUTE)
        hours = take_dirty_hours(conn, horizon, floor_hour(now) - HOUR, source)
        written = Written()
        for doubtful in hours.ranges:
            for since, until in chunks(conn, *doubtful, source):
                written += recompute(conn, since, until, source)
        state: dict[str, Any] = {
            "last_pass_at": now,
            "last_pass_seconds": time.perf_counter() - started,
            "retention_days": retention.days,
            "complete_since": horizon if hours.captured else None,
        }
        if hours.everything:
            state["rebuilt_at"] = now
        save_state(conn, now, changed=written.any, **state)
        return written

    written = in_transaction(engine, work)
    if written is None:
        return None
    pruned = prune(engine, horizon)
    return PassReport(now, time.perf_counter() - started, written, pruned)
