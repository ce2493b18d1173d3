"""Write metrics. Callers own the transaction."""

from __future__ import annotations

from collections.abc import Mapping
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
from aggregator.metrics.measures import MEASURES, SqlType


@dataclass(frozen=True, slots=True)
class Written:
    """Number of changed rows: inserted or updated per scope, and deleted."""

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
        """True if the table changed at all."""
        return self != Written()


# -1 and NaN stand for null here: COPY of fixed-width rows is fast, and "=" can be hashed.
_COPY_TYPES: Mapping[SqlType, str] = {"integer": INT4, "double precision": FLOAT8}
_NULLS: Mapping[SqlType, str] = {"integer": "-1", "double precision": "'NaN'"}
_COLUMNS = {
    "bucket_start": TIMESTAMPTZ,
    "agent_id": INT8,
    "project_id": INT8,
    "is_overall": BOOL,
    **{measure.column: _COPY_TYPES[measure.sql_type] for measure in MEASURES},
}


def _listed(form: str) -> str:
    """List all measures in SQL: ``{0}`` is the column, ``{1}`` its type, ``{2}`` its null."""
    return ", ".join(
        form.format(measure.column, measure.sql_type, _NULLS[measure.sql_type])
        for measure in MEASURES
    )


_STAGE = text(
    f"""
    CREATE TEMPORARY TABLE activity_metrics_new (
        bucket_start timestamptz, agent_id bigint, project_id bigint, is_overall boolean,
        {_listed("{0} {1}")}
    ) ON COMMIT DROP
    """
)

# Unchanged rows are not touched: updated_at means "last changed", and nothing is written
# for them.
_REPLACE = text(
    f"""
    WITH old AS (
        SELECT id, bucket_start, coalesce(agent_id, -1) AS agent_id,
            coalesce(project_id, -1) AS project_id, {_listed("{0}")}
        FROM activity_metrics WHERE bucket_start >= :since AND bucket_start < :until
    ), new AS (
        SELECT bucket_start, agent_id, project_id, is_overall, {_listed("nullif({0}, {2}) AS {0}")}
        FROM activity_metrics_new
    ), written AS (
        INSERT INTO activity_metrics (
            bucket_start, agent_id, project_id, is_overall, {_listed("{0}")}
        )
        SELECT bucket_start, nullif(agent_id, -1), nullif(project_id, -1), is_overall,
            {_listed("new.{0}")}
        FROM new LEFT JOIN old USING (bucket_start, agent_id, project_id)
        WHERE old.id IS NULL
            OR ({_listed("old.{0}")}) IS DISTINCT FROM ({_listed("new.{0}")})
        ON CONFLICT (bucket_start, agent_id, project_id, is_overall) DO UPDATE SET
            {_listed("{0} = excluded.{0}")},
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
    """  # noqa: S608 - the names of our own columns
)


def replace_metrics(
    conn: Connection, metrics: pd.DataFrame, since: datetime, until: datetime
) -> Written:
    """Replace the rows of ``[since, until)`` with exactly these rows.

    Changed rows are upserted, missing rows are deleted, unchanged rows are not touched.
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
    values = {
        name: metrics[name].to_numpy("int64", na_value=-1)
        if metrics[name].dtype == "Int64"
        else metrics[name].to_numpy()
        for name in _COLUMNS
    }
    start = metrics["bucket_start"].astype("int64").to_numpy() - POSTGRES_EPOCH
    copy_in(conn, "activity_metrics_new", _COLUMNS, {**values, "bucket_start": start})
