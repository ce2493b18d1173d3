"""The questions to the database behind :mod:`aggregator.query.reader`. SQL in, frames out.

What travels is bounded: the hours of one scope, and one row per project and per agent
that was active; the agents' hours are summed in SQL.
"""

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
    or_,
    select,
)

from aggregator.database.binary_copy import (
    FLOAT8,
    INT8,
    POSTGRES_EPOCH,
    TIMESTAMPTZ,
    compiled,
    copy_out,
)
from aggregator.database.models import ActivityMetric, Agent, Project, Task, Turn
from aggregator.database.source import STANDALONE, Source
from aggregator.errors import UnknownScopeError
from aggregator.metrics.hourly import INSTANT_DTYPE, gap_counts
from aggregator.metrics.scope import Scope, ScopeKind
from aggregator.metrics.series import EVERYBODY, ROW_DTYPES, SERIES
from aggregator.query.sql import AVERAGE, TURNS, agent_rows, between, frame, in_scope, of_agents


def check_scope(conn: Connection, scope: Scope) -> None:
    """Make sure that the scope exists.

    Raises:
        UnknownScopeError: One of its projects or agents does not.
    """
    model = Project if scope.kind == "project" else Agent
    # An id beyond any column's range is unknown too, not an error of the database.
    possible = [scope_id for scope_id in scope.ids if 0 <= scope_id < 2**63]
    known = set(conn.scalars(select(model.id).where(model.id.in_(possible)))) if possible else set()
    for scope_id in scope.ids:
        if scope_id not in known:
            raise UnknownScopeError(scope.kind, scope_id)


def read_hours(conn: Connection, scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
    """The scope's hours in ``[since, until)``, oldest first.

    (n, 4) frame of ``bucket_start`` (UTC), ``turn_count`` (int64),
    ``avg_turn_time_seconds`` (float64, NaN without a gap) and ``active_agents`` (Int64, NA
    for a single agent); only hours with turns.

    Several projects or agents are pooled; an agent belongs to one project, so that the
    active agents of projects add up.
    """
    columns: list[ColumnElement[Any]] = [
        ActivityMetric.turn_count.expression,
        ActivityMetric.avg_turn_time_seconds.expression,
        ActivityMetric.active_agents.expression,
    ]
    statement = select(ActivityMetric.bucket_start).where(in_scope(scope), between(since, until))
    if len(scope.ids) > 1:
        agents = func.sum(func.coalesce(ActivityMetric.active_agents, 1)).label("active_agents")
        columns = [TURNS, AVERAGE, agents]
        statement = statement.group_by(ActivityMetric.bucket_start)
    statement = statement.add_columns(*columns).order_by(ActivityMetric.bucket_start)
    return frame(conn, statement).astype(
        {
            "bucket_start": INSTANT_DTYPE,
            "turn_count": "int64",
            "avg_turn_time_seconds": "float64",
            "active_agents": "Int64",
        }
    )


def newest_bucket(conn: Connection, scope: Scope, *within: ColumnElement[bool]) -> datetime | None:
    """Start of the scope's newest bucket at any time, or of those :func:`between` tells."""
    newest = select(func.max(ActivityMetric.bucket_start))
    return conn.scalar(newest.where(in_scope(scope), *within))


def oldest_bucket(conn: Connection) -> datetime | None:
    """Start of the oldest bucket, or None."""
    return conn.scalar(
        select(func.min(ActivityMetric.bucket_start)).where(ActivityMetric.is_overall.is_(True))
    )


def count_agents(
    conn: Connection, scope: Scope, *spans: tuple[datetime, datetime]
) -> tuple[int, ...]:
    """How many of the scope's agents were active in each of some half-open spans."""
    inside = [between(since, until) for since, until in spans]
    seen = (
        select(*(func.bool_or(span).label(f"in_{number}") for number, span in enumerate(inside)))
        .join(Agent, Agent.id == ActivityMetric.agent_id)
        # One that has lost its project counts nowhere, even before the next pass.
        .where(or_(*inside), agent_rows(scope), Agent.project_id.is_not(None))
        .group_by(ActivityMetric.agent_id)
        .subquery()
    )
    return tuple(conn.execute(select(*(func.count().filter(span) for span in seen.c))).one())


def newest_turn(conn: Connection, scope: Scope, source: Source = STANDALONE) -> datetime | None:
    """Instant of the scope's newest turn, which is kept longer than its metrics."""
    statement = select(func.max(source.turn_at)).select_from(Turn)
    if scope.kind != "overall":
        statement = statement.join(Task, Task.id == Turn.task_id)
        statement = statement.join(Agent, Agent.id == Task.agent_id).where(of_agents(scope))
    return conn.scalar(statement)


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
        (n, 6) frame with :data:`aggregator.metrics.series.ROW_DTYPES`, in no order.
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
    at = (columns["bucket_start"] + POSTGRES_EPOCH).view("datetime64[us]")
    agents = pd.Series(columns["active_agents"], dtype="Int64")
    frame = pd.DataFrame(columns).assign(
        bucket_start=pd.DatetimeIndex(at).tz_localize("UTC"),
        active_agents=agents.mask(agents < 0),
    )
    return frame.assign(gap_count=gap_counts(frame))[list(ROW_DTYPES)].astype(ROW_DTYPES)
