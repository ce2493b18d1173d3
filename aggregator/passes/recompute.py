"""Recompute chunks of hours: read their turns and intervals, compute, replace their rows.

Given the intervals, hours are independent of each other, so a pass, a rebuild and a
backfill on many machines all use these functions, each in its own order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, Engine

from aggregator.database import locks
from aggregator.database.intervals import read_intervals, read_responses
from aggregator.database.source import STANDALONE, Source
from aggregator.database.turns import more_turns_than, read_turns, turns_per_hour
from aggregator.metrics.hourly import hourly_metrics
from aggregator.metrics.windows import HOUR
from aggregator.passes.fingerprints import forget_fingerprints
from aggregator.passes.transactions import in_transaction
from aggregator.passes.write.metrics import Written, replace_metrics

TURNS_AT_ONCE = 250_000
"""Turns in memory at one time; limits the memory of a process for any length of history."""


def recompute(
    conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> Written:
    """Recompute the rows of ``[since, until)`` from the present turns and stored intervals.

    Args:
        conn: A connection in a READ COMMITTED transaction.
        since: First hour, on the hour.
        until: End of the range, exclusive, on the hour.
        source: Columns of the turns and agents in this database.
    """
    metrics = hourly_metrics(
        read_turns(conn, since, until, source),
        read_intervals(conn, since, until),
        read_responses(conn, since, until),
    )
    return replace_metrics(conn, metrics, since, until)


def recompute_in_transaction(
    engine: Engine, since: datetime, until: datetime, source: Source = STANDALONE
) -> Written:
    """Call :func:`recompute` in a transaction of its own.

    Any number of these may run concurrently; a pass waits for the running ones, and
    later ones wait for the pass.
    """

    def work(conn: Connection) -> Written:
        locks.lock(conn, locks.RECOMPUTE, shared=True)
        forget_fingerprints(conn, since, until)
        return recompute(conn, since, until, source)

    return in_transaction(engine, work)


def chunks(
    conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> Iterator[tuple[datetime, datetime]]:
    """Cut ``[since, until)`` into chunks whose turns fit in memory, oldest first.

    Chunks are half-open and adjacent, and consist of whole hours. They include hours
    without turns, whose rows may have to be deleted.
    """
    if until - since <= HOUR or not more_turns_than(TURNS_AT_ONCE, conn, since, until, source):
        yield since, until
        return
    start, size = since, 0
    for hour, count in turns_per_hour(conn, since, until, source):
        if size and size + count > TURNS_AT_ONCE:
            yield start, hour
            start, size = hour, 0
        size += count
    yield start, until
