"""Delete metrics that are older than the retention."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from aggregator.database.state import mark_incomplete_before

PRUNE_BATCH = 10_000
"""Rows deleted in one transaction, so that row locks are held briefly."""


def prune(engine: Engine, before: datetime, *, batch: int = PRUNE_BATCH) -> int:
    """Delete rows older than an instant in short transactions; return how many went.

    A row that somebody else holds at that moment is left for the next time.
    """
    with engine.begin() as conn:
        mark_incomplete_before(conn, before)
    pruned, reached = 0, BEFORE_ALL_BUCKETS
    while True:
        with engine.begin() as conn:
            deleted, newest = delete_before(conn, before, batch, reached)
        pruned += deleted
        if deleted < batch or newest is None:
            return pruned
        reached = newest


BEFORE_ALL_BUCKETS = datetime(1, 1, 1, tzinfo=UTC)
"""Before every bucket."""

# By place (ctid), not by id: no batch looks at more rows than it deletes, whatever the
# size of the table. Rows that somebody holds are left for the next time.
_PRUNE = text(
    """
    WITH gone AS (
        DELETE FROM activity_metrics WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM activity_metrics
            WHERE bucket_start >= :reached AND bucket_start < :before
            ORDER BY bucket_start LIMIT :batch FOR UPDATE SKIP LOCKED
        ))
        RETURNING bucket_start
    )
    SELECT count(*), max(bucket_start) FROM gone
    """
)


def delete_before(
    conn: Connection, before: datetime, batch: int, reached: datetime = BEFORE_ALL_BUCKETS
) -> tuple[int, datetime | None]:
    """Delete the oldest rows of ``[reached, before)``, at most ``batch`` of them.

    Rows that another transaction holds are passed over.

    Returns:
        How many went, fewer than ``batch`` at the end of the range; and the newest
        bucket among them, or None: where the next batch begins. Starting there, it
        need not step over all that have just been deleted.
    """
    deleted, newest = conn.execute(
        _PRUNE, {"before": before, "batch": batch, "reached": reached}
    ).one()
    return deleted, newest
