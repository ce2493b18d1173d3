"""SQL conditions and sums over ``activity_metrics``, for the statements of this package."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Label,
    Select,
    Subquery,
    and_,
    any_,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from aggregator.database.models import ActivityMetric, Agent, column_of
from aggregator.metrics.measures import MEASURES, PEAKS, Measure, SqlType
from aggregator.metrics.scope import Scope


def in_scope(scope: Scope) -> ColumnElement[bool]:
    """Condition on metric rows: they are rows of the scope itself."""
    if scope.kind == "agent":
        return ActivityMetric.agent_id.in_(scope.ids)
    if scope.kind == "project":
        return ActivityMetric.project_id.in_(scope.ids)
    return ActivityMetric.is_overall.is_(True)


def agent_rows(scope: Scope) -> ColumnElement[bool]:
    """Condition on metric rows: they are rows of the single agents in the scope."""
    if scope.kind == "agent":
        return ActivityMetric.agent_id.in_(scope.ids)
    if scope.kind == "project":
        return ActivityMetric.agent_id.in_(select(Agent.id).where(of_agents(scope)))
    return ActivityMetric.agent_id.is_not(None)


def of_agents(scope: Scope) -> ColumnElement[bool]:
    """Condition on rows of ``agents``: they are in the scope."""
    if scope.kind == "agent":
        return Agent.id.in_(scope.ids)
    if scope.kind == "project":
        return Agent.project_id.in_(scope.ids)
    return true()


def among(
    column: ColumnElement[int] | InstrumentedAttribute[Any], ids: Collection[int]
) -> ColumnElement[bool]:
    """Condition on rows: a number is one of many, which are sent as one array."""
    condition: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(BigInteger)))
    return condition


def between(since: datetime, until: datetime) -> ColumnElement[bool]:
    """Condition on metric rows: their buckets start in ``[since, until)``."""
    return and_(ActivityMetric.bucket_start >= since, ActivityMetric.bucket_start < until)


AGENTS_WITH_TURNS = func.coalesce(
    ActivityMetric.active_agents, func.least(ActivityMetric.turn_count, 1)
)
"""Agents with turns behind one row: in a row of an agent, 1 or 0."""

# Sums over groups of metric rows of one scope, equal to aggregator.metrics.hourly.pool. In
# SQL, so that the 144,000 hours of 200 agents need not be transferred.
ROW_WEIGHTS: Mapping[str, ColumnElement[Any]] = {
    "gap_count": ActivityMetric.turn_count - AGENTS_WITH_TURNS
}
"""The weight of each pooled measure in one row, by the weight's column."""

HAS_TURNS = ActivityMetric.turn_count > 0
"""Condition on metric rows: there are turns behind them, not time alone."""

HOURS = func.count().filter(HAS_TURNS).label("active_hours")

ADDED = tuple(measure for measure in MEASURES if measure.combine in ("sum", "pooled"))
"""Measures that can be combined over any rows, of one scope or of several."""

POOLED_DTYPES = {
    "project_id": "int64",
    **{measure.column: measure.total_dtype for measure in ADDED},
    "active_hours": "int64",
}


def pooled_sums() -> list[Label[Any]]:
    """Summed and pooled measures, and peaks, of a group of rows of one scope, by column."""
    parts = {part.name: part.element for part in partial_sums()}
    return [
        _quotient(parts, measure) if measure.weight else parts[measure.column].label(measure.column)
        for measure in ADDED
    ] + [func.max(column_of(measure)).label(measure.column) for measure in PEAKS]


def partial_sums() -> list[Label[Any]]:
    """Additive sums over a group of rows: averages are multiplied by their weights."""
    sums: list[Label[Any]] = []
    for measure in MEASURES:
        column = column_of(measure)
        if measure.combine == "sum":
            sums.append(func.sum(column).label(measure.column))
        elif measure.weight:
            weight = ROW_WEIGHTS[measure.weight.column]
            sums += [
                func.sum(func.coalesce(column, 0) * weight).label(measure.column),
                func.sum(weight).label(measure.weight.column),
            ]
    return sums


def sums_of_partial(partial: Subquery) -> list[Label[Any]]:
    """Summed and pooled measures over groups of rows of :func:`partial_sums`."""
    parts = {column.name: func.sum(column) for column in partial.c}
    return [
        _quotient(parts, measure)
        if measure.weight
        else cast(parts[measure.column], SUM_TYPES[measure.sql_type]).label(measure.column)
        for measure in ADDED
    ]


SUM_TYPES: Mapping[SqlType, type[TypeEngine[Any]]] = {
    "integer": BigInteger,
    "double precision": Float,
}


def _quotient(parts: Mapping[str, ColumnElement[Any]], measure: Measure) -> Label[Any]:
    value, weight = measure.columns
    quotient = parts[value] / func.nullif(cast(parts[weight], Float), 0)
    return quotient.label(measure.column)


def frame(conn: Connection, statement: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    """Read the rows of a statement into a frame, with the types of Python values."""
    result = conn.execute(statement)
    return pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
