"""The questions to the database behind :mod:`aggregator.read`. SQL in, frames out.

What travels is bounded: the hours of one scope, and one row per project and per agent
that was active; the agents' hours are summed in SQL.
"""

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
    exists,
    func,
    select,
)

from aggregator.errors import UnknownScopeError
from aggregator.hourly import INSTANT
from aggregator.models import ActivityMetric, Agent, Project, Task, Turn
from aggregator.scope import Scope
from aggregator.source import STANDALONE, Source
from aggregator.windows import Window

PROJECT_NAME = func.coalesce(
    func.nullif(func.btrim(Project.name), ""), func.concat("project ", Project.id)
)
"""What people call a project; a host may have some without a name."""


def check_scope(conn: Connection, scope: Scope) -> None:
    """Make sure that the scope exists.

    Raises:
        UnknownScopeError: It does not.
    """
    if scope.id is None:
        return
    model = Project if scope.kind == "project" else Agent
    known = exists().where(model.id == scope.id)
    # An id beyond any column's range is unknown too, not an error of the database.
    if not 0 <= scope.id < 2**63 or not conn.scalar(select(known)):
        raise UnknownScopeError(scope.kind, scope.id)


def read_hours(conn: Connection, scope: Scope, window: Window) -> pd.DataFrame:
    """The scope's hours in the window, as :attr:`Activity.hours` has them."""
    statement = (
        select(
            ActivityMetric.bucket_start,
            ActivityMetric.turn_count,
            ActivityMetric.avg_turn_time_seconds,
            ActivityMetric.active_agents,
        )
        .where(_in_scope(scope), _in_window(window))
        .order_by(ActivityMetric.bucket_start)
    )
    return _frame(conn, statement).astype(
        {
            "bucket_start": INSTANT,
            "turn_count": "int64",
            "avg_turn_time_seconds": "float64",
            "active_agents": "Int64",
        }
    )


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    if scope.kind == "agent":
        return ActivityMetric.agent_id == scope.id
    if scope.kind == "project":
        return ActivityMetric.project_id == scope.id
    return ActivityMetric.is_overall.is_(True)


def _in_window(window: Window) -> ColumnElement[bool]:
    return and_(
        ActivityMetric.bucket_start >= window.since, ActivityMetric.bucket_start < window.until
    )


def _pooled_columns() -> list[ColumnElement[Any]]:
    """Turns, pooled average and active hours of a group of metric rows, in SQL.

    The same pooling as :func:`aggregator.hourly.pool`; here so that 144,000 hours
    of 200 agents need not travel.
    """
    gaps = ActivityMetric.turn_count - func.coalesce(ActivityMetric.active_agents, 1)
    seconds = func.sum(func.coalesce(ActivityMetric.avg_turn_time_seconds, 0) * gaps)
    return [
        func.sum(ActivityMetric.turn_count).label("turn_count"),
        (seconds / func.nullif(cast(func.sum(gaps), Float), 0)).label("avg_turn_time_seconds"),
        func.count().label("active_hours"),
    ]


_POOLED_DTYPES = {
    "project_id": "int64",
    "turn_count": "int64",
    "avg_turn_time_seconds": "float64",
    "active_hours": "int64",
}


def read_agents(
    conn: Connection, scope: Scope, window: Window, source: Source = STANDALONE
) -> pd.DataFrame:
    """The scope's active agents, as :attr:`aggregator.read.Activity.agents` has them."""
    statement = (
        select(
            Agent.id.label("agent_id"),
            Agent.project_id,
            source.agent_name.label("name"),
            *_pooled_columns(),
        )
        .join(ActivityMetric, ActivityMetric.agent_id == Agent.id)
        .where(_in_window(window), Agent.project_id.is_not(None))
        .group_by(Agent.id)
        .order_by(func.sum(ActivityMetric.turn_count).desc(), Agent.id)
    )
    if scope.kind == "agent":
        statement = statement.where(Agent.id == scope.id)
    if scope.kind == "project":
        statement = statement.where(Agent.project_id == scope.id)
    return _frame(conn, statement).astype({"agent_id": "int64", **_POOLED_DTYPES})


def read_projects(
    conn: Connection, scope: Scope, window: Window, agents: pd.DataFrame
) -> pd.DataFrame:
    """The scope's active projects, as :attr:`aggregator.read.Activity.projects` has them.

    Args:
        conn: A connection.
        scope: Whose projects.
        window: Over which time.
        agents: What :func:`read_agents` gives for the same.
    """
    statement = (
        select(Project.id.label("project_id"), PROJECT_NAME.label("name"), *_pooled_columns())
        .join(ActivityMetric, ActivityMetric.project_id == Project.id)
        .where(_in_window(window))
        .group_by(Project.id)
        .order_by(func.sum(ActivityMetric.turn_count).desc(), Project.id)
    )
    if scope.kind == "project":
        statement = statement.where(Project.id == scope.id)
    if scope.kind == "agent":
        of_agent = select(Agent.project_id).where(Agent.id == scope.id).scalar_subquery()
        statement = statement.where(Project.id == of_agent)
    projects = _frame(conn, statement).astype(_POOLED_DTYPES)
    # Distinct agents of the window, which no sum of buckets can tell.
    active = agents.groupby("project_id").size()
    return projects.assign(
        active_agents=projects["project_id"].map(active).fillna(0).astype("int64")
    )


def newest_bucket(conn: Connection, scope: Scope) -> datetime | None:
    """Start of the scope's newest bucket at any time."""
    return conn.scalar(select(func.max(ActivityMetric.bucket_start)).where(_in_scope(scope)))


def newest_turn(conn: Connection, scope: Scope, source: Source = STANDALONE) -> datetime | None:
    """Instant of the scope's newest turn, which is kept longer than its metrics."""
    statement = select(func.max(source.turn_at)).select_from(Turn)
    if scope.kind != "overall":
        statement = statement.join(Task, Task.id == Turn.task_id)
    if scope.kind == "project":
        statement = statement.join(Agent, Agent.id == Task.agent_id)
        statement = statement.where(Agent.project_id == scope.id)
    if scope.kind == "agent":
        statement = statement.where(Task.agent_id == scope.id)
    return conn.scalar(statement)


def projects_with_metrics(conn: Connection) -> pd.DataFrame:
    """``project_id`` and ``name`` of each project that has metrics at any time, by name."""
    statement = (
        select(Project.id.label("project_id"), PROJECT_NAME.label("name"))
        .where(exists().where(ActivityMetric.project_id == Project.id))
        .order_by(func.lower(PROJECT_NAME), Project.id)
    )
    return _frame(conn, statement)


def agents_with_metrics(conn: Connection, source: Source = STANDALONE) -> pd.DataFrame:
    """``agent_id``, ``project_id`` and ``name`` of each such agent, newest first."""
    statement = (
        select(Agent.id.label("agent_id"), Agent.project_id, source.agent_name.label("name"))
        .where(exists().where(ActivityMetric.agent_id == Agent.id))
        .where(Agent.project_id.is_not(None))
        .order_by(Agent.id.desc())
    )
    return _frame(conn, statement)


def _frame(conn: Connection, statement: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    result = conn.execute(statement)
    return pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
