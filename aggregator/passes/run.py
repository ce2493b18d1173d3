"""Make one pass: recompute what is dirty in one transaction, then prune old rows.

After a pass, intervals, runs and ``activity_metrics`` inside the retention equal the
result of a rebuild from the turns and signals. The proof is in :func:`make_pass`.
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
from aggregator.passes.affected import affected_windows, hours_of_windows, whole_agents
from aggregator.passes.dirty_hours import DirtyHours, merged, take_dirty_hours
from aggregator.passes.recompute import chunks, recompute
from aggregator.passes.retention import prune
from aggregator.passes.slots import Slot
from aggregator.passes.timelines import recompute_timelines
from aggregator.passes.transactions import in_transaction
from aggregator.passes.write.metrics import Written


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
    """Bring the tables up to date, unless another process is doing so.

    A pass has two steps: from the facts of the dirty hours to intervals and runs, and from
    turns, intervals and runs to the metrics of the hours.

    Proof that no change is lost: one transaction first takes the entries of the queue and
    then reads the turns of their hours in later statements. In READ COMMITTED these see
    everything committed before they began, and so every change whose entry was taken. A
    change committed in between may be read now, and is certainly read next time, because
    its entry is still queued. An open transaction adds its entries when it commits. If
    anything fails, the entries are rolled back together with everything else. So every
    change that is not in the table has an entry in the queue. Chunks of a rebuild or a
    backfill never read or write during a pass, so they never overwrite its results with
    older ones.

    That the intervals are right, too: what an agent does between two triggers depends on
    the facts in between and on the kind of the second trigger, so a fact can change only
    what :func:`aggregator.passes.affected.affected_windows` returns for its hour. Agents
    whose facts in the dirty hours are gone are found by what is stored of them there.
    Metrics are recomputed for the dirty hours, and for every hour of which an interval or
    the end of a run has changed. A rebuild or a backfill, which computes agents and hours
    in different transactions, queues these hours together with the change.

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
        written = _recompute(conn, hours, horizon, source)
        state: dict[str, Any] = {
            "last_pass_at": now,
            "last_pass_seconds": time.perf_counter() - started,
            "retention_days": retention.days,
            "complete_since": horizon,
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


def _recompute(conn: Connection, hours: DirtyHours, horizon: datetime, source: Source) -> Written:
    """Recompute the intervals that the dirty hours affect, and then all hours that differ."""
    written = Written()
    touched: set[datetime] = set()
    windows = (
        whole_agents(conn, horizon, source)
        if hours.everything
        else [affected_windows(conn, merged([*hours.older, *hours.ranges]), source)]
    )
    for batch in windows:
        changed, differ = recompute_timelines(conn, batch, horizon, source)
        written += changed
        touched |= differ
        if not hours.captured and not hours.everything:
            # An agent may have moved to another project, with time in hours without turns.
            touched |= hours_of_windows(conn, batch, horizon)
    for dirty in merged([*hours.ranges, *((hour, hour + HOUR) for hour in touched)]):
        for since, until in chunks(conn, *dirty, source):
            written += recompute(conn, since, until, source)
    return written
