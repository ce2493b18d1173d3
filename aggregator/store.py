"""Writing metrics. Callers own the transaction."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pandas as pd
import psycopg2.extensions
from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from aggregator.hourly import METRIC_DTYPES
from aggregator.models import ActivityState


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows changed: inserted or updated per scope, and deleted."""

    agents: int = 0
    projects: int = 0
    overall: int = 0
    deleted: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(
            self.agents + other.agents,
            self.projects + other.projects,
            self.overall + other.overall,
            self.deleted + other.deleted,
        )

    @property
    def any(self) -> bool:
        """Whether the table changed at all."""
        return self != Written()


_STAGE = text(
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS activity_metrics_new (
        bucket_start timestamptz, agent_id bigint, project_id bigint, is_overall boolean,
        turn_count integer, avg_turn_time_seconds double precision, active_agents integer
    ) ON COMMIT DROP
    """
)
_UPSERT = text(
    """
    WITH written AS (
        INSERT INTO activity_metrics AS old (
            bucket_start, agent_id, project_id, is_overall,
            turn_count, avg_turn_time_seconds, active_agents
        )
        SELECT * FROM activity_metrics_new
        ON CONFLICT (bucket_start, agent_id, project_id, is_overall) DO UPDATE SET
            turn_count = excluded.turn_count,
            avg_turn_time_seconds = excluded.avg_turn_time_seconds,
            active_agents = excluded.active_agents,
            updated_at = now()
        -- Rows that stay the same keep updated_at, so it means "last changed".
        WHERE (old.turn_count, old.avg_turn_time_seconds, old.active_agents) IS DISTINCT FROM
            (excluded.turn_count, excluded.avg_turn_time_seconds, excluded.active_agents)
        RETURNING agent_id, project_id, is_overall
    )
    SELECT count(agent_id), count(project_id), count(*) FILTER (WHERE is_overall) FROM written
    """
)
# coalesce makes the keys comparable with "=", which can be hashed; ids are never -1.
_DELETE_VANISHED = text(
    """
    DELETE FROM activity_metrics AS old
    WHERE bucket_start >= :since AND bucket_start < :until AND NOT EXISTS (
        SELECT FROM activity_metrics_new AS new
        WHERE new.bucket_start = old.bucket_start
            AND coalesce(new.agent_id, -1) = coalesce(old.agent_id, -1)
            AND coalesce(new.project_id, -1) = coalesce(old.project_id, -1)
    )
    """
)
_PRUNE = text(
    """
    DELETE FROM activity_metrics WHERE id IN (
        SELECT id FROM activity_metrics WHERE bucket_start < :before
        LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    """
)


def replace_metrics(
    conn: Connection, metrics: pd.DataFrame, since: datetime, until: datetime
) -> Written:
    """Make the buckets of ``[since, until)`` hold exactly these rows.

    What changed is upserted, what vanished is deleted, what stayed is not touched.
    Running it again with the same rows changes nothing.

    Args:
        conn: A connection in a transaction.
        metrics: Frame with :data:`aggregator.hourly.METRIC_DTYPES`, all its buckets
            in the range.
        since: First bucket, on the hour.
        until: End of the range, exclusive, on the hour.
    """
    conn.execute(_STAGE)
    conn.execute(text("TRUNCATE activity_metrics_new"))
    _copy(conn, metrics)
    agents, projects, overall = conn.execute(_UPSERT).one()
    deleted = conn.execute(_DELETE_VANISHED, {"since": since, "until": until}).rowcount
    return Written(agents, projects, overall, deleted)


def _copy(conn: Connection, metrics: pd.DataFrame) -> None:
    """Send rows with COPY, several times faster than INSERT."""
    buffer = io.StringIO()
    # 17 significant digits carry a double unchanged.
    metrics.to_csv(
        buffer, columns=list(METRIC_DTYPES), header=False, index=False, float_format="%.17g"
    )
    buffer.seek(0)
    raw = cast("psycopg2.extensions.connection", conn.connection.driver_connection)
    with raw.cursor() as cursor:
        cursor.copy_expert("COPY activity_metrics_new FROM STDIN (FORMAT csv)", buffer)


def delete_before(conn: Connection, before: datetime, batch: int) -> int:
    """Delete at most ``batch`` rows older than an instant; return how many went."""
    return conn.execute(_PRUNE, {"before": before, "batch": batch}).rowcount


def save_pass(
    conn: Connection, at: datetime, seconds: float, retention: timedelta, *, changed: bool
) -> None:
    """Remember when the last pass was, how long it took, what it kept, and the last change."""
    values: dict[str, Any] = {
        "last_pass_at": at,
        "last_pass_seconds": seconds,
        "retention_days": retention.days,
    }
    if changed:
        values["changed_at"] = at
    conn.execute(
        insert(ActivityState)
        .values(id=1, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


def last_retention_days(conn: Connection) -> int | None:
    """The retention of the last pass in days, or None before the first."""
    return conn.scalar(select(ActivityState.retention_days))
