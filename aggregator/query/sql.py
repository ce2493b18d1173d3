"""Conditions and sums over ``activity_metrics``, for the statements of this package."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Select,
    and_,
    cast,
    func,
    select,
    true,
)

from aggregator.database.models import ActivityMetric, Agent
from aggregator.metrics.scope import Scope


def in_scope(scope: Scope) -> ColumnElement[bool]:
    """Condition on metric rows: they are the scope's own."""
    if scope.kind == "agent":
        return ActivityMetric.agent_id.in_(scope.ids)
    if scope.kind == "project":
        return ActivityMetric.project_id.in_(scope.ids)
    return ActivityMetric.is_overall.is_(True)


def agent_rows(scope: Scope) -> ColumnElement[bool]:
    """Condition on metric rows: they are those of the scope's single agents."""
    if scope.kind == "agent":
        return ActivityMetric.agent_id.in_(scope.ids)
    if scope.kind == "project":
        return ActivityMetric.agent_id.in_(select(Agent.id).where(of_agents(scope)))
    return ActivityMetric.agent_id.is_not(None)


def of_agents(scope: Scope) -> ColumnElement[bool]:
    """Condition on rows of ``agents``: they are the scope's."""
    if scope.kind == "agent":
        return Agent.id.in_(scope.ids)
    if scope.kind == "project":
        return Agent.project_id.in_(scope.ids)
    return true()


def between(since: datetime, until: datetime) -> ColumnElement[bool]:
    """Condition on metric rows: their buckets start in ``[since, until)``."""
    return and_(ActivityMetric.bucket_start >= since, ActivityMetric.bucket_start < until)


# A group of metric rows of one scope, pooled as aggregator.metrics.hourly.pool does it; here so
# that 144,000 hours of 200 agents need not travel.
_ROW_GAPS = ActivityMetric.turn_count - func.coalesce(ActivityMetric.active_agents, 1)

TURNS = func.sum(ActivityMetric.turn_count).label("turn_count")

GAPS = func.sum(_ROW_GAPS).label("gaps")

SECONDS = func.sum(func.coalesce(ActivityMetric.avg_turn_time_seconds, 0) * _ROW_GAPS).label(
    "seconds"
)

AVERAGE = (SECONDS.element / func.nullif(cast(GAPS.element, Float), 0)).label(
    "avg_turn_time_seconds"
)

HOURS = func.count().label("active_hours")

POOLED_DTYPES = {
    "project_id": "int64",
    "turn_count": "int64",
    "avg_turn_time_seconds": "float64",
    "active_hours": "int64",
}


def frame(conn: Connection, statement: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    """The rows of an answer under their names, with the types that Python gives them."""
    result = conn.execute(statement)
    return pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
