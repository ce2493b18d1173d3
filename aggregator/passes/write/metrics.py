"""Write metrics. Callers own the transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from aggregator.metrics.measures import MEASURES, SqlType
from aggregator.passes.write.staging import (
    FLAG,
    ID,
    INSTANT,
    INTEGER,
    SECONDS,
    Kind,
    StagedTable,
    replace_rows,
)


@dataclass(frozen=True, slots=True)
class Written:
    """Number of changed rows.

    Attributes:
        agents: Metrics of agents, inserted or updated.
        projects: Metrics of projects, inserted or updated.
        overall: Overall metrics, inserted or updated.
        deleted: Metrics of any scope that were deleted.
        intervals: Intervals and runs, inserted, updated or deleted.
    """

    agents: int = 0
    projects: int = 0
    overall: int = 0
    deleted: int = 0
    intervals: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(self))
        )

    @property
    def any(self) -> bool:
        """True if the tables changed at all."""
        return self != Written()


_KINDS: Mapping[SqlType, Kind] = {"integer": INTEGER, "double precision": SECONDS}
_METRICS = StagedTable(
    name="activity_metrics",
    keys={"bucket_start": INSTANT, "agent_id": ID, "project_id": ID, "is_overall": FLAG},
    values={measure.column: _KINDS[measure.sql_type] for measure in MEASURES},
    scope="WHERE bucket_start >= :since AND bucket_start < :until",
    result="""
        SELECT count(agent_id), count(project_id), count(*) FILTER (WHERE is_overall),
            (SELECT count(*) FROM deleted)
        FROM written
    """,
    # It means "last changed".
    on_update=", updated_at = now()",
)


def replace_metrics(
    conn: Connection, metrics: pd.DataFrame, since: datetime, until: datetime
) -> Written:
    """Replace the rows of ``[since, until)`` with exactly these rows.

    Args:
        conn: A connection in a transaction.
        metrics: Frame with :data:`aggregator.metrics.hourly.METRIC_DTYPES`, all its buckets
            in the range.
        since: First bucket, on the hour.
        until: End of the range, exclusive, on the hour.
    """
    return Written(*replace_rows(conn, _METRICS, metrics, {"since": since, "until": until}))
