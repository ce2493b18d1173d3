"""Recomputing chunks of hours: read their turns, compute, replace their rows.

Hours are independent of each other, so a pass, a rebuild and a backfill on many
machines all do the same, each in its own order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

import psycopg2.errors
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from aggregator.database import locks
from aggregator.database.source import STANDALONE, Source
from aggregator.database.turns import more_turns_than, read_turns, turns_per_hour
from aggregator.metrics.hourly import hourly_metrics
from aggregator.metrics.windows import HOUR
from aggregator.passes.write import Written, replace_metrics

TURNS_AT_ONCE = 250_000
"""Turns held in memory together; bounds every process whatever the length of the history."""

TRIES = 5
"""Times that a transaction is tried into which others' deletions came."""

LOCK_TIMEOUT = "1min"
"""How long a transaction waits for a lock: one that hangs must not block all others for ever."""

T = TypeVar("T")


def recompute(
    conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> Written:
    """Make the rows of ``[since, until)`` what their turns say, as of now.

    Args:
        conn: A connection in a READ COMMITTED transaction.
        since: First hour, on the hour.
        until: End of the hours, exclusive, on the hour.
        source: Where the database keeps its turns.
    """
    metrics = hourly_metrics(read_turns(conn, since, until, source))
    return replace_metrics(conn, metrics, since, until)


def recompute_alone(
    engine: Engine, since: datetime, until: datetime, source: Source = STANDALONE
) -> Written:
    """The same in a transaction of its own.

    Any number of these may run side by side; a pass waits for those at work, and those
    that come later wait for the pass.
    """

    def work(conn: Connection) -> Written:
        locks.lock(conn, locks.RECOMPUTE, shared=True)
        return recompute(conn, since, until, source)

    return in_transaction(engine, work)


def chunks(
    conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> Iterator[tuple[datetime, datetime]]:
    """Cut ``[since, until)`` into chunks whose turns fit in memory, oldest first.

    Quiet hours belong to a stretch too: their rows may have to vanish. Stretches touch
    each other and are half-open. An hour is never cut.
    """
    if until - since <= HOUR or not more_turns_than(TURNS_AT_ONCE, conn, since, until, source):
        yield since, until
        return
    start, held = since, 0
    for hour, count in turns_per_hour(conn, since, until, source):
        if held and held + count > TURNS_AT_ONCE:
            yield start, hour
            start, held = hour, 0
        held += count
    yield start, until


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Do some work in a READ COMMITTED transaction, which is what recomputing relies on.

    A host that deletes an agent while we write its rows makes the transaction fail: the
    agent is gone, or each waits for the other. Then all of it is done again.
    """
    reading_committed = engine.execution_options(isolation_level="READ COMMITTED")
    for tries_left in reversed(range(TRIES)):
        try:
            with reading_committed.begin() as conn:
                conn.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
                return work(conn)
        # COPY goes past SQLAlchemy, which then does not wrap its errors.
        except (DBAPIError, psycopg2.Error) as failure:
            if not tries_left or not _is_conflict(failure):
                raise
    raise AssertionError("unreachable")


def _is_conflict(failure: DBAPIError | psycopg2.Error) -> bool:
    return isinstance(
        failure.orig if isinstance(failure, DBAPIError) else failure,
        psycopg2.errors.ForeignKeyViolation | psycopg2.errors.DeadlockDetected,
    )
