"""One run of the aggregator: which hours, in which order, in which transaction.

What holds after a pass: inside the retention, ``activity_metrics`` equals what a
rebuild from the turns would give.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from aggregator.hourly import hourly_metrics
from aggregator.source import STANDALONE, Source
from aggregator.store import Written, delete_before, replace_metrics, save_pass
from aggregator.turns import read_turns, turns_per_hour
from aggregator.windows import HOUR, ceil_hour, floor_hour

PASS_LOCK = 5055_0001
"""Key of the advisory lock that lets one process at a time make a pass."""
TURNS_AT_ONCE = 250_000
"""Turns held in memory together; bounds a pass whatever the length of the history."""
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
    engine: Engine, now: datetime, retention: timedelta, source: Source = STANDALONE
) -> PassReport | None:
    """Bring the table up to date, or leave if another process is doing so.

    Returns:
        What was done; None when another process holds the lock.
    """
    started = time.perf_counter()
    horizon = floor_hour(now - retention)
    with engine.begin() as conn:
        if not conn.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": PASS_LOCK}):
            return None
        written = Written()
        for since, until in stretches_to_recompute(conn, horizon, now, source):
            metrics = hourly_metrics(read_turns(conn, since, until, source))
            written += replace_metrics(conn, metrics, since, until)
        seconds = time.perf_counter() - started
        save_pass(conn, now, seconds, retention, changed=written.any)
    pruned = prune(engine, horizon)
    return PassReport(now, time.perf_counter() - started, written, pruned)


def stretches_to_recompute(
    conn: Connection, horizon: datetime, now: datetime, source: Source = STANDALONE
) -> Iterator[tuple[datetime, datetime]]:
    """Cut the hours to recompute into stretches that fit in memory.

    All hours since the horizon are recomputed, quiet ones too, where rows may have to
    vanish. Stretches touch each other and are half-open.
    """
    since = horizon
    held = 0
    end = ceil_hour(now)
    for hour, count in turns_per_hour(conn, horizon, source):
        if held and held + count > TURNS_AT_ONCE:
            yield since, hour
            since, held = hour, 0
        held += count
        # A turn from a clock that is ahead lies beyond now, and counts.
        end = max(end, hour + HOUR)
    yield since, end


def prune(engine: Engine, before: datetime) -> int:
    """Delete rows older than an instant in short transactions; return how many went."""
    pruned = 0
    while True:
        with engine.begin() as conn:
            deleted = delete_before(conn, before, PRUNE_BATCH)
        pruned += deleted
        if deleted < PRUNE_BATCH:
            return pruned
