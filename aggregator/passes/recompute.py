"""Recompute chunks of hours: read their turns, compute, replace their rows.

Hours are independent of each other, so a pass, a rebuild and a backfill on many
machines all use these functions, each in its own order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from aggregator.database import locks
from aggregator.database.source import STANDALONE, Source
from aggregator.database.sqlstate import DEADLOCK_DETECTED, FOREIGN_KEY_VIOLATION, sqlstate
from aggregator.database.turns import more_turns_than, read_turns, turns_per_hour
from aggregator.metrics.hourly import hourly_metrics
from aggregator.metrics.windows import HOUR
from aggregator.passes.fingerprints import forget_fingerprints
from aggregator.passes.write import Written, replace_metrics

TURNS_AT_ONCE = 250_000
"""Turns in memory at one time; limits the memory of a process for any length of history."""

TRIES = 5
"""Attempts for a transaction that conflicts with concurrent deletions."""

LOCK_TIMEOUT = "1min"
"""Longest wait for a lock, so that a transaction that hangs does not block all others."""

CONFLICTS = (FOREIGN_KEY_VIOLATION, DEADLOCK_DETECTED)

T = TypeVar("T")


def recompute(
    conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> Written:
    """Recompute the rows of ``[since, until)`` from the present turns.

    Args:
        conn: A connection in a READ COMMITTED transaction.
        since: First hour, on the hour.
        until: End of the range, exclusive, on the hour.
        source: Columns of the turns and agents in this database.
    """
    metrics = hourly_metrics(read_turns(conn, since, until, source))
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


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Do some work in a READ COMMITTED transaction, which recomputing relies on.

    If a host deletes an agent while we write its rows, the transaction fails: the agent
    is missing, or the two transactions are in a deadlock. The work is then retried.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with (
                engine.connect().execution_options(isolation_level="READ COMMITTED") as conn,
                conn.begin(),
            ):
                conn.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
                return work(conn)
        except DBAPIError as failure:
            if not tries_left or sqlstate(failure) not in CONFLICTS:
                raise
    raise AssertionError("unreachable")
