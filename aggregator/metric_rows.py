"""Rows of ``activity_metrics`` as they are, many at a time. SQL in, frames out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    and_,
    cast,
    func,
    literal,
    select,
)

from aggregator.binary import EPOCH, FLOAT8, INT8, TIMESTAMPTZ, compiled, copy_out
from aggregator.hourly import gap_counts
from aggregator.models import ActivityMetric, Agent
from aggregator.queries import agent_rows, between
from aggregator.scope import Scope, ScopeKind
from aggregator.series import EVERYBODY, ROW_DTYPES, SERIES

_COLUMNS = {
    SERIES: INT8,
    "bucket_start": TIMESTAMPTZ,
    "turn_count": INT8,
    "avg_turn_time_seconds": FLOAT8,
    "active_agents": INT8,
}


def read_rows(
    conn: Connection, of: ScopeKind, scope: Scope, since: datetime, until: datetime
) -> pd.DataFrame:
    """The hours of many series in ``[since, until)``.

    Args:
        conn: A connection.
        of: Whose series: of everybody, of each project or of each agent.
        scope: Which of them. Agents can be chosen by their projects.
        since: Start of the range, on the hour.
        until: Its end.

    Returns:
        (n, 6) frame with :data:`aggregator.series.ROW_DTYPES`, in no order.
    """
    key, rows = _series(of, scope)
    metric = ActivityMetric
    query = select(
        cast(key, BigInteger),
        metric.bucket_start,
        cast(metric.turn_count, BigInteger),
        # COPY's rows have a fixed width, so a number stands for null.
        func.coalesce(metric.avg_turn_time_seconds, literal("NaN", Float)),
        cast(func.coalesce(metric.active_agents, -1), BigInteger),
    ).where(rows, between(since, until))
    found = copy_out(conn, compiled(query), {}, _COLUMNS)
    native: dict[str, Any] = {name: found[name].astype(kind[1:]) for name, kind in _COLUMNS.items()}
    return _frame(native)


def _series(of: ScopeKind, scope: Scope) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """The column that tells series apart, and the condition on their rows."""
    if of == "agent":
        agent = ActivityMetric.agent_id.expression
        # One that has lost its project counts nowhere, even before the next pass.
        belonging = select(Agent.id).where(Agent.project_id.is_not(None))
        return agent, and_(agent_rows(scope), agent.in_(belonging))
    if of == "overall":
        return literal(EVERYBODY), ActivityMetric.is_overall.is_(True)
    project = ActivityMetric.project_id.expression
    return project, project.in_(scope.ids) if scope.ids else project.is_not(None)


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    at = (columns["bucket_start"] + EPOCH).view("datetime64[us]")
    agents = pd.Series(columns["active_agents"], dtype="Int64")
    frame = pd.DataFrame(columns).assign(
        bucket_start=pd.DatetimeIndex(at).tz_localize("UTC"),
        active_agents=agents.mask(agents < 0),
    )
    return frame.assign(gap_count=gap_counts(frame))[list(ROW_DTYPES)].astype(ROW_DTYPES)
