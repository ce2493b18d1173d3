"""Make one pass: recompute the dirty hours in one transaction, then prune old rows.

After a pass, ``activity_metrics`` inside the retention equals the result of a rebuild
from the turns. The proof is in :func:`make_pass`.
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
    """Report of one pass.

    Attributes:
        at: Instant of the pass.
        seconds: Duration.
        written: Rows that changed, per scope.
        pruned: Number of rows deleted because they were older than the retention.
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
    """Bring the table up to date, unless another process is doing so.

    Proof that no change is lost: one transaction first takes the entries of the queue and
    then reads the turns of their hours in later statements. In READ COMMITTED these see
    everything committed before they began, and so every change whose entry was taken. A
    change committed in between may be read now, and is certainly read next time, because
    its entry is still queued. An open transaction adds its entries when it commits. If
    anything fails, the entries are rolled back together with everything else. So every
    change that is not in the table has an entry in the queue. Chunks of a rebuild or a
    backfill never read or write during a pass, so they never overwrite its results with
    older ones.

    Args:
        engine: The database.
        now: The present.
        retention: Age at which rows are pruned.
        source: Columns of the turns and agents in this database.
        unless_made_in: Skip the pass if the last one lies in this slot or in the next.

    Returns:
        The report; None if another process holds the lock or made the pass.
    """
    started = time.perf_counter()
    horizon = floor_hour(now - retention)

    def work(conn: Connection) -> Written | None:
        if not locks.try_lock(conn, locks.PASS):
            return None
        if unless_made_in is not None and unless_made_in.is_done(last_pass_at(conn)):
            return None
        # Running chunks finish first; later ones wait for this pass.
        locks.lock(conn, locks.RECOMPUTE)
        hours = take_dirty_hours(conn, horizon, floor_hour(now) - HOUR, source)
        written = Written()
        for dirty in hours.ranges:
            for since, until in chunks(conn, *dirty, source):
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
