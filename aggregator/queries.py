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
    or_,
    select,
    true,
)

from aggregator.errors import UnknownScopeError
from aggregator.hourly import INSTANT
from aggregator.models import ActivityMetric, Agent, Project, Task, Turn
from aggregator.scope import Scope
from aggregator.source import STANDALONE, Source

PROJECT_NAME = func.coalesce(
    func.nullif(func.btrim(Project.name), ""), func.concat("project ", Project.id)
)
"""What people call a project; a host may have some without a name."""


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
    statement = select(ActivityMetric.bucket_start).where(_in_scope(scope), between(since, until))
    if len(scope.ids) > 1:
        agents = func.sum(func.coalesce(ActivityMetric.active_agents, 1)).label("active_agents")
        columns = [TURNS, AVERAGE, agents]
        statement = statement.group_by(ActivityMetric.bucket_start)
    statement = statement.add_columns(*columns).order_by(ActivityMetric.bucket_start)
    return frame(conn, statement).astype(
        {
            "bucket_start": INSTANT,
            "turn_count": "int64",
            "avg_turn_time_seconds": "float64",
            "active_agents": "Int64",
        }
    )


def _in_scope(scope: Scope) -> ColumnElement[bool]:
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


# A group of metric rows of one scope, pooled as aggregator.hourly.pool does it; here so
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


def newest_bucket(conn: Connection, scope: Scope, *within: ColumnElement[bool]) -> datetime | None:
    """Start of the scope's newest bucket at any time, or of those :func:`between` tells."""
    newest = select(func.max(ActivityMetric.bucket_start))
    return conn.scalar(newest.where(_in_scope(scope), *within))


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


def projects_with_metrics(conn: Connection) -> pd.DataFrame:
    """``project_id`` and ``name`` of each project that has metrics at any time, by name."""
    return all_projects(conn, exists().where(ActivityMetric.project_id == Project.id))


def agents_with_metrics(conn: Connection, source: Source = STANDALONE) -> pd.DataFrame:
    """``agent_id``, ``project_id`` and ``name`` of each such agent, newest first."""
    return all_agents(conn, source, exists().where(ActivityMetric.agent_id == Agent.id))


def all_projects(conn: Connection, *conditions: ColumnElement[bool]) -> pd.DataFrame:
    """``project_id`` (int64) and ``name`` (str) of each project, by name."""
    statement = (
        select(Project.id.label("project_id"), PROJECT_NAME.label("name"))
        .where(*conditions)
        .order_by(func.lower(PROJECT_NAME), Project.id)
    )
    return frame(conn, statement).astype({"project_id": "int64", "name": "str"})


def all_agents(
    conn: Connection, source: Source = STANDALONE, *conditions: ColumnElement[bool]
) -> pd.DataFrame:
    """``agent_id``, ``project_id`` (int64) and ``name`` (str) of each agent of a project.

    Newest first.
    """
    statement = (
        select(Agent.id.label("agent_id"), Agent.project_id, source.agent_name.label("name"))
        .where(Agent.project_id.is_not(None), *conditions)
        .order_by(Agent.id.desc())
    )
    return frame(conn, statement).astype(
        {"agent_id": "int64", "project_id": "int64", "name": "str"}
    )


def frame(conn: Connection, statement: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    """The rows of an answer under their names, with the types that Python gives them."""
    result = conn.execute(statement)
    return pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
