"""Writing metrics. Callers own the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, text

from aggregator.database.binary_copy import (
    BOOL,
    FLOAT8,
    INT4,
    INT8,
    POSTGRES_EPOCH,
    TIMESTAMPTZ,
    copy_in,
)


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


# -1 and NaN stand for null here: rows of one width travel fast, and "=" can be hashed.
_COLUMNS = {
    "bucket_start": TIMESTAMPTZ,
    "agent_id": INT8,
    "project_id": INT8,
    "is_overall": BOOL,
    "turn_count": INT4,
    "avg_turn_time_seconds": FLOAT8,
    "active_agents": INT4,
}

_STAGE = text(
    """
    CREATE TEMPORARY TABLE activity_metrics_new (
        bucket_start timestamptz, agent_id bigint, project_id bigint, is_overall boolean,
        turn_count integer, avg_turn_time_seconds double precision, active_agents integer
    ) ON COMMIT DROP
    """
)

# Rows that stay the same are not touched: updated_at means "last changed", and nothing is
# written for them.
_REPLACE = text(
    """
    WITH old AS (
        SELECT id, bucket_start, coalesce(agent_id, -1) AS agent_id,
            coalesce(project_id, -1) AS project_id, turn_count, avg_turn_time_seconds, active_agents
        FROM activity_metrics WHERE bucket_start >= :since AND bucket_start < :until
    ), new AS (
        SELECT bucket_start, agent_id, project_id, is_overall, turn_count,
            nullif(avg_turn_time_seconds, 'NaN') AS avg_turn_time_seconds,
            nullif(active_agents, -1) AS active_agents
        FROM activity_metrics_new
    ), written AS (
        INSERT INTO activity_metrics (
            bucket_start, agent_id, project_id, is_overall,
            turn_count, avg_turn_time_seconds, active_agents
        )
        SELECT bucket_start, nullif(agent_id, -1), nullif(project_id, -1), is_overall,
            new.turn_count, new.avg_turn_time_seconds, new.active_agents
        FROM new LEFT JOIN old USING (bucket_start, agent_id, project_id)
        WHERE old.id IS NULL
            OR (old.turn_count, old.avg_turn_time_seconds, old.active_agents) IS DISTINCT FROM
                (new.turn_count, new.avg_turn_time_seconds, new.active_agents)
        ON CONFLICT (bucket_start, agent_id, project_id, is_overall) DO UPDATE SET
            turn_count = excluded.turn_count,
            avg_turn_time_seconds = excluded.avg_turn_time_seconds,
            active_agents = excluded.active_agents,
            updated_at = now()
        RETURNING agent_id, project_id, is_overall
    ), deleted AS (
        DELETE FROM activity_metrics WHERE id IN (
            SELECT id FROM old LEFT JOIN new USING (bucket_start, agent_id, project_id)
            WHERE new.bucket_start IS NULL
        )
        RETURNING id
    )
    SELECT count(agent_id), count(project_id), count(*) FILTER (WHERE is_overall),
        (SELECT count(*) FROM deleted)
    FROM written
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
        metrics: Frame with :data:`aggregator.metrics.hourly.METRIC_DTYPES`, all its buckets
            in the range.
        since: First bucket, on the hour.
        until: End of the range, exclusive, on the hour.
    """
    conn.execute(_STAGE)
    _copy(conn, metrics)
    changed = conn.execute(_REPLACE, {"since": since, "until": until}).one()
    conn.execute(text("DROP TABLE activity_metrics_new"))
    return Written(*changed)


def _copy(conn: Connection, metrics: pd.DataFrame) -> None:
    ids = {
        name: metrics[name].to_numpy("int64", na_value=-1)
        for name in ("agent_id", "project_id", "active_agents")
    }
    start = metrics["bucket_start"].astype("int64").to_numpy() - POSTGRES_EPOCH
    rest = {name: metrics[name].to_numpy() for name in _COLUMNS.keys() - ids}
    copy_in(conn, "activity_metrics_new", _COLUMNS, {**rest, **ids, "bucket_start": start})
