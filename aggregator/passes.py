"""One run of the aggregator: which hours, in which order, in which transaction.

What holds after a pass: inside the retention, ``activity_metrics`` equals what a
rebuild from the turns would give. The proof is in :func:`make_pass`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from aggregator.changes import forget_before, take_doubtful
from aggregator.recompute import PASS_LOCK, STRETCH_LOCK, in_transaction, recompute, stretches
from aggregator.slots import Slot
from aggregator.source import STANDALONE, Source
from aggregator.store import BEGINNING, Written, delete_before, last_pass_at, save_state
from aggregator.windows import HOUR, floor_hour

PRUNE_BATCH = 10_000
"""Rows deleted in one transaction, so that row locks are held briefly."""


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
        if not conn.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": PASS_LOCK}):
            return None
        if unless_made_in is not None and last_pass_at(conn) in unless_made_in:
            return None
        # Those who recompute stretches finish them first; later ones wait for us.
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": STRETCH_LOCK})
        hours = take_doubtful(conn, horizon, floor_hour(now) - HOUR, source)
        written = Written()
        for doubtful in hours.ranges:
            for since, until in stretches(conn, *doubtful, source):
                written += recompute(conn, since, until, source)
        state: dict[str, Any] = {
            "last_pass_at": now,
            "last_pass_seconds": time.perf_counter() - started,
            "retention_days": retention.days,
            "complete_since": horizon if hours.captured else None,
        }
        if hours.everything:
            state["rebuilt_at"] = now
        save_state(conn, now, written, **state)
        return written

    written = in_transaction(engine, work)
    if written is None:
        return None
    pruned = prune(engine, horizon)
    return PassReport(now, time.perf_counter() - started, written, pruned)


def prune(engine: Engine, before: datetime, *, batch: int = PRUNE_BATCH) -> int:
    """Delete rows older than an instant in short transactions; return how many went.

    A row that somebody else holds at that moment is left for the next time.
    """
    with engine.begin() as conn:
        forget_before(conn, before)
    pruned, reached = 0, BEGINNING
    while True:
        with engine.begin() as conn:
            deleted, newest = delete_before(conn, before, batch, reached)
        pruned += deleted
        if deleted < batch or newest is None:
            return pruned
        reached = newest
