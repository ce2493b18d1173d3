"""Delete metrics that are older than the retention."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from aggregator.database.state import mark_incomplete_before
from aggregator.passes.fingerprints import forget_fingerprints

PRUNE_BATCH = 10_000
"""Rows deleted in one transaction, so that row locks are held briefly."""


def prune(engine: Engine, before: datetime, *, batch: int = PRUNE_BATCH) -> int:
    """Delete rows older than an instant in short transactions; return their number.

    A row that another transaction has locked is left for the next time.
    """
    with engine.begin() as conn:
        mark_incomplete_before(conn, before)
        forget_fingerprints(conn, until=before)
    pruned, reached = 0, BEFORE_ALL_BUCKETS
    while True:
        with engine.begin() as conn:
            deleted, newest = delete_before(conn, before, batch, reached)
        pruned += deleted
        if deleted < batch or newest is None:
            return pruned
        reached = newest


BEFORE_ALL_BUCKETS = datetime(1, 1, 1, tzinfo=UTC)
"""An instant before every bucket."""

# Rows are deleted by physical location (ctid), not by id: no batch reads more rows than it
# deletes, whatever the size of the table. Locked rows are left for the next time.
_PRUNE = text(
    """
    WITH deleted AS (
        DELETE FROM activity_metrics WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM activity_metrics
            WHERE bucket_start >= :reached AND bucket_start < :before
            ORDER BY bucket_start LIMIT :batch FOR UPDATE SKIP LOCKED
        ))
        RETURNING bucket_start
    )
    SELECT count(*), max(bucket_start) FROM deleted
    """
)


def delete_before(
    conn: Connection, before: datetime, batch: int, reached: datetime = BEFORE_ALL_BUCKETS
) -> tuple[int, datetime | None]:
    """Delete the oldest rows of ``[reached, before)``, at most ``batch`` of them.

    Rows that another transaction has locked are skipped.

    Returns:
        The number of deleted rows, less than ``batch`` at the end of the range; and the
        newest bucket among them, or None. The next batch starts at that bucket, so that
        it does not have to skip the rows just deleted.
    """
    deleted, newest = conn.execute(
        _PRUNE, {"before": before, "batch": batch, "reached": reached}
    ).one()
    return deleted, newest
