"""Read the numbers for a monitoring system, which polls them every few seconds.

The amount of data does not grow with the history of turns: metrics of one day, turns of
one day, and one row per transcript.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Connection, func, select

from aggregator.database.models import (
    ActivityMetric,
    ActivityState,
    Agent,
    Project,
    Turn,
)
from aggregator.database.source import STANDALONE, Source
from aggregator.intervals.state import STATES
from aggregator.metrics.measures import MEASURES
from aggregator.metrics.totals import Value, values_of
from aggregator.metrics.windows import (
    HOUR,
    RetainedHours,
    custom_window,
    floor_hour,
    rolling_window,
)
from aggregator.query.agents.names import PROJECT_NAME
from aggregator.query.imported import import_totals
from aggregator.query.sql import HAS_TURNS, between, pooled_sums

CountWindow = Literal["hour", "day"]
"""Windows of counts: the last UTC hour that is over, and the rolling day of the API."""


NO_ACTIVITY: Mapping[str, Value] = {
    measure.column: None if measure.combine == "pooled" else 0 for measure in MEASURES
}
"""Measures of a project without turns, by their columns."""


@dataclass(frozen=True, slots=True)
class ProjectSnapshot:
    """One project at one instant.

    Attributes:
        id: Id of the project.
        name: Displayed name.
        counted: Its measures, by window.
        agents: Number of its present agents, by each of
            :data:`aggregator.intervals.state.STATES`.
    """

    id: int
    name: str
    counted: Mapping[CountWindow, Mapping[str, Value]]
    agents: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MonitoringSnapshot:
    """All projects and the state of the aggregator at one instant, from one snapshot.

    Attributes:
        as_of: The instant.
        projects: Projects with metrics in the day or with present agents, by id.
        last_pass_at: When the metrics were last brought up to date, or None.
        last_pass_seconds: Duration of that pass in seconds, or None.
        lag_seconds: Time from the last pass to the newest turn in seconds: 0.0 if no turn
            is newer, None before the first pass.
        imported: See :func:`aggregator.query.imported.import_totals`; None on a host,
            which imports nothing.
    """

    as_of: datetime
    projects: tuple[ProjectSnapshot, ...]
    last_pass_at: datetime | None
    last_pass_seconds: float | None
    lag_seconds: float | None
    imported: Mapping[str, Any] | None


def read_monitoring(
    conn: Connection,
    retained: RetainedHours,
    states: pd.DataFrame,
    source: Source = STANDALONE,
) -> MonitoringSnapshot:
    """Read a :class:`MonitoringSnapshot`.

    Args:
        conn: A connection whose transaction sees one snapshot.
        retained: The retained hours, and the present.
        states: Of the present agents, see :class:`aggregator.query.agents.states.Present`.
        source: Columns of the turns and agents in this database.
    """
    last = conn.execute(
        select(ActivityState.last_pass_at, ActivityState.last_pass_seconds)
    ).one_or_none()
    last_at, last_seconds = last or (None, None)
    return MonitoringSnapshot(
        as_of=retained.now,
        projects=_projects(conn, retained, states),
        last_pass_at=last_at,
        last_pass_seconds=last_seconds,
        lag_seconds=_lag(conn, last_at, retained.now, source) if last_at else None,
        imported=import_totals(conn),
    )


def _projects(
    conn: Connection, retained: RetainedHours, states: pd.DataFrame
) -> tuple[ProjectSnapshot, ...]:
    counted = _counted(conn, retained)
    agents = Counter(zip(states["project_id"], states["state"], strict=True))
    ids = {*states["project_id"]}.union(*counted.values())
    # A project is 0 in windows without turns, so that its time series are never interrupted.
    return tuple(
        ProjectSnapshot(
            id=project,
            name=name,
            counted={window: of.get(project, NO_ACTIVITY) for window, of in counted.items()},
            agents={state: agents[project, state] for state in STATES},
        )
        for project, name in _names(conn, ids).items()
    )


def _counted(
    conn: Connection, retained: RetainedHours
) -> dict[CountWindow, dict[int, Mapping[str, Value]]]:
    """Measures by window and project; only projects with turns."""
    running = floor_hour(retained.now)
    hour = custom_window(running - HOUR, running, retained.now)
    day = rolling_window("day", retained.now)
    return {
        "hour": _in_window(conn, *retained.clip(hour.since, hour.until)),
        "day": _in_window(conn, *retained.clip(day.since, day.until)),
    }


def _in_window(
    conn: Connection, since: datetime, until: datetime
) -> dict[int, Mapping[str, Value]]:
    inside = between(since, until)
    metrics = (
        select(Project.id, *pooled_sums())
        .join(ActivityMetric, ActivityMetric.project_id == Project.id)
        .where(inside)
        .group_by(Project.id)
    )
    # Distinct agents cannot be summed over buckets; each counts for its present project.
    agents = (
        select(Agent.project_id, func.count(ActivityMetric.agent_id.distinct()))
        .join(ActivityMetric, ActivityMetric.agent_id == Agent.id)
        .where(inside, HAS_TURNS, Agent.project_id.is_not(None))
        .group_by(Agent.project_id)
    )
    active: dict[int, int] = dict(conn.execute(agents).all())
    return {
        row["id"]: values_of(row, active.get(row["id"], 0))
        for row in map(dict, conn.execute(metrics).mappings())
    }


def _names(conn: Connection, ids: Collection[int]) -> dict[int, str]:
    """Displayed names of these projects by id, ascending."""
    statement = select(Project.id, PROJECT_NAME).where(Project.id.in_(ids)).order_by(Project.id)
    return dict(conn.execute(statement).all())


def _lag(conn: Connection, last_pass_at: datetime, now: datetime, source: Source) -> float:
    # Scans the index on that column from its end, up to the first turn with a project.
    newest = conn.scalar(
        select(source.turn_at)
        .join_from(Turn, source.task, source.task.c.id == source.turn_task_id)
        .join(Agent, Agent.id == source.task.c.agent_id)
        .join(Project, Project.id == Agent.project_id)
        .where(source.turn_at > last_pass_at, source.turn_at <= now)
        .order_by(source.turn_at.desc())
        .limit(1)
    )
    return (newest - last_pass_at).total_seconds() if newest else 0.0
