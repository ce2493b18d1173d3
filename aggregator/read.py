"""Reading metrics: the one query layer behind the page, the API and the command line.

What travels from the database is bounded: the hours of one scope, and one row per
project and per agent that was active; agents' hours are summed in SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    Select,
    and_,
    cast,
    exists,
    func,
    select,
)
from sqlalchemy.exc import InterfaceError, OperationalError

from aggregator.errors import UnknownScopeError
from aggregator.hourly import INSTANT, gap_counts
from aggregator.models import (
    ActivityMetric,
    ActivityState,
    Agent,
    Project,
    Task,
    Turn,
    agent_name,
)
from aggregator.states import agent_states
from aggregator.windows import Window

DATABASE_AWAY = (OperationalError, InterfaceError)
"""What any use of a database raises while it does not answer."""

ScopeKind = Literal["overall", "project", "agent"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose metrics: everybody's, one project's or one agent's."""

    kind: ScopeKind = "overall"
    id: int | None = None


OVERALL = Scope()


@dataclass(frozen=True, slots=True)
class Totals:
    """A scope over a whole window.

    Attributes:
        turn_count: Turns.
        avg_turn_time_seconds: Mean of all gaps in seconds, None without a gap.
        active_agents: Distinct agents with at least one turn.
        active_hours: Hours with at least one turn.
        turn_rate: Turns per elapsed hour of the window.
        turns_per_active_hour: Turns per hour with turns, None without turns.
    """

    turn_count: int
    avg_turn_time_seconds: float | None
    active_agents: int
    active_hours: int
    turn_rate: float
    turns_per_active_hour: float | None


@dataclass(frozen=True, slots=True)
class Activity:
    """All that one view of a scope and a window needs, from one snapshot.

    Attributes:
        scope: Whose metrics.
        window: Over which time.
        totals: The scope over the window.
        hours: (n, 4) ``bucket_start`` (UTC), ``turn_count`` (int64),
            ``avg_turn_time_seconds`` (float64, NaN without a gap), ``active_agents``
            (Int64, NA for an agent); only hours with turns, oldest first.
        projects: (n, 6) ``project_id``, ``name``, ``turn_count``,
            ``avg_turn_time_seconds``, ``active_agents``, ``active_hours`` of the
            scope's projects that were active, most turns first.
        agents: (n, 6) ``agent_id``, ``project_id``, ``name``, ``turn_count``,
            ``avg_turn_time_seconds``, ``active_hours`` of the scope's agents that
            were active, most turns first.
        states: All present agents, see :func:`aggregator.states.agent_states`.
        newest_bucket: Start of the scope's newest bucket at any time, or None.
        newest_turn_at: Instant of the scope's newest turn, kept longer than its
            metrics, or None; only looked up where the window is empty.
        last_pass_at: When the table was last brought up to date, or None.
    """

    scope: Scope
    window: Window
    totals: Totals
    hours: pd.DataFrame
    projects: pd.DataFrame
    agents: pd.DataFrame
    states: pd.DataFrame
    newest_bucket: datetime | None
    newest_turn_at: datetime | None
    last_pass_at: datetime | None


class MetricReader:
    """Answers questions about metrics from one database."""

    def __init__(self, engine: Engine) -> None:
        # Every answer is one snapshot, so that its parts agree with each other
        # even while a pass is writing.
        self._engine = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def activity(self, scope: Scope, window: Window) -> Activity:
        """Read one view.

        Raises:
            UnknownScopeError: The project or agent does not exist.
        """
        with self._engine.connect() as conn:
            check_scope(conn, scope)
            hours = read_hours(conn, scope, window)
            agents = _agents(conn, scope, window)
            return Activity(
                scope=scope,
                window=window,
                totals=_totals(hours, len(agents), window),
                hours=hours,
                projects=_projects(conn, scope, window, agents),
                agents=agents,
                states=agent_states(conn, window.as_of),
                newest_bucket=_newest_bucket(conn, scope),
                newest_turn_at=_newest_turn(conn, scope) if hours.empty else None,
                last_pass_at=conn.scalar(select(ActivityState.last_pass_at)),
            )

    def choices(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What can be chosen: projects and agents that have metrics at any time.

        Returns:
            (n, 2) ``project_id``, ``name`` by name; and (m, 3) ``agent_id``,
            ``project_id``, ``name`` by id, newest first.
        """
        with self._engine.connect() as conn:
            projects = _frame(
                conn,
                select(Project.id.label("project_id"), Project.name)
                .where(exists().where(ActivityMetric.project_id == Project.id))
                .order_by(func.lower(Project.name), Project.id),
            )
            agents = _frame(
                conn,
                select(Agent.id.label("agent_id"), Agent.project_id, agent_name().label("name"))
                .where(exists().where(ActivityMetric.agent_id == Agent.id))
                .order_by(Agent.id.desc()),
            )
        return projects, agents


def check_scope(conn: Connection, scope: Scope) -> None:
    """Make sure that the scope exists.

    Raises:
        UnknownScopeError: It does not.
    """
    if scope.id is None:
        return
    model = Project if scope.kind == "project" else Agent
    known = exists().where(model.id == scope.id)
    # An id beyond the column's range is unknown too, not an error of the database.
    if not 0 <= scope.id < 2**31 or not conn.scalar(select(known)):
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


def _totals(hours: pd.DataFrame, active_agents: int, window: Window) -> Totals:
    turns = int(hours["turn_count"].sum())
    gaps = gap_counts(hours)
    seconds = float((hours["avg_turn_time_seconds"].fillna(0.0) * gaps).sum())
    return Totals(
        turn_count=turns,
        avg_turn_time_seconds=seconds / int(gaps.sum()) if gaps.sum() else None,
        active_agents=active_agents,
        active_hours=len(hours),
        turn_rate=turns / window.elapsed_hours,
        turns_per_active_hour=turns / len(hours) if len(hours) else None,
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


def _agents(conn: Connection, scope: Scope, window: Window) -> pd.DataFrame:
    statement = (
        select(
            Agent.id.label("agent_id"),
            Agent.project_id,
            agent_name().label("name"),
            *_pooled_columns(),
        )
        .join(ActivityMetric, ActivityMetric.agent_id == Agent.id)
        .where(_in_window(window))
        .group_by(Agent.id)
        .order_by(func.sum(ActivityMetric.turn_count).desc(), Agent.id)
    )
    if scope.kind == "agent":
        statement = statement.where(Agent.id == scope.id)
    if scope.kind == "project":
        statement = statement.where(Agent.project_id == scope.id)
    return _frame(conn, statement).astype({"agent_id": "int64", **_POOLED_DTYPES})


def _projects(conn: Connection, scope: Scope, window: Window, agents: pd.DataFrame) -> pd.DataFrame:
    statement = (
        select(Project.id.label("project_id"), Project.name, *_pooled_columns())
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


def _newest_bucket(conn: Connection, scope: Scope) -> datetime | None:
    return conn.scalar(select(func.max(ActivityMetric.bucket_start)).where(_in_scope(scope)))


def _newest_turn(conn: Connection, scope: Scope) -> datetime | None:
    statement = select(func.max(Turn.timestamp))
    if scope.kind != "overall":
        statement = statement.join(Task, Task.id == Turn.task_id)
    if scope.kind == "project":
        statement = statement.join(Agent, Agent.id == Task.agent_id)
        statement = statement.where(Agent.project_id == scope.id)
    if scope.kind == "agent":
        statement = statement.where(Task.agent_id == scope.id)
    return conn.scalar(statement)


def _frame(conn: Connection, statement: Select[*tuple[Any, ...]]) -> pd.DataFrame:
    result = conn.execute(statement)
    return pd.DataFrame([tuple(row) for row in result], columns=list(result.keys()))
