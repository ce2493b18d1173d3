"""Delete metrics, intervals and runs that are older than the retention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from aggregator.database.state import mark_incomplete_before

PRUNE_BATCH = 10_000
"""Rows deleted in one transaction, so that row locks are held briefly."""


def prune(engine: Engine, before: datetime, *, batch: int = PRUNE_BATCH) -> int:
    """Delete rows older than an instant in short transactions; return the number of metrics.

    A row that another transaction has locked is left for the next time.
    """
    with engine.begin() as conn:
        mark_incomplete_before(conn, before)
    for old in (INTERVALS, RUNS):
        _prune(engine, old, before, batch)
    return _prune(engine, METRICS, before, batch)


def _prune(engine: Engine, old: Old, before: datetime, batch: int) -> int:
    pruned, reached = 0, BEFORE_ALL_BUCKETS
    while True:
        with engine.begin() as conn:
            deleted, newest = delete_before(conn, before, batch, reached, old)
        pruned += deleted
        if deleted < batch or newest is None:
            return pruned
        reached = newest


BEFORE_ALL_BUCKETS = datetime(1, 1, 1, tzinfo=UTC)
"""An instant before every bucket."""


@dataclass(frozen=True, slots=True)
class Old:
    """A table whose rows grow old.

    Attributes:
        table: Its name.
        at: Its column with the instant of a row.
        is_old: SQL that compares this column with ``:before``.
    """

    table: str
    at: str
    is_old: str


METRICS = Old("activity_metrics", "bucket_start", "bucket_start < :before")
# One that ends where the retention begins has no time in it.
INTERVALS = Old("activity_intervals", "ended_at", "ended_at <= :before")
RUNS = Old("activity_runs", "ended_at", "ended_at < :before")

# Rows are deleted by physical location (ctid), not by id: no batch reads more rows than it
# deletes, whatever the size of the table. Locked rows are left for the next time.
_PRUNE = """
    WITH deleted AS (
        DELETE FROM {table} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {table}
            WHERE {at} >= :reached AND {is_old}
            ORDER BY {at} LIMIT :batch FOR UPDATE SKIP LOCKED
        ))
        RETURNING {at}
    )
    SELECT count(*), max({at}) FROM deleted
"""


def delete_before(
    conn: Connection,
    before: datetime,
    batch: int,
    reached: datetime = BEFORE_ALL_BUCKETS,
    old: Old = METRICS,
) -> tuple[int, datetime | None]:
    """Delete the oldest rows of ``[reached, before)``, at most ``batch`` of them.

    Rows that another transaction has locked are skipped.

    Returns:
        The number of deleted rows, less than ``batch`` at the end of the range; and the
        newest instant among them, or None. The next batch starts at that instant, so that
        it does not have to skip the rows just deleted.
    """
    prune_rows = text(_PRUNE.format(table=old.table, at=old.at, is_old=old.is_old))
    deleted, newest = conn.execute(
        prune_rows, {"before": before, "batch": batch, "reached": reached}
    ).one()
    return deleted, newest
