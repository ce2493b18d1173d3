"""Read intervals: what agents did when, and what asking a person cost."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Select,
    and_,
    cast,
    func,
    literal,
    select,
)

from aggregator.database.models import TIMESTAMPTZ_TYPE, ActivityInterval, Agent, Project
from aggregator.intervals.kinds import BLOCKED
from aggregator.metrics.hourly import INSTANT_DTYPE
from aggregator.metrics.scope import Scope
from aggregator.query.sql import frame, of_agents

INTERVAL_DTYPES = {
    "agent_id": "int64",
    "project_id": "int64",
    "kind": "str",
    "started_at": INSTANT_DTYPE,
    "ended_at": INSTANT_DTYPE,
    "reason": "str",
    # Text or None: before pandas 3, the dtype str has no missing values.
    "tool": "object",
    "mode": "object",
    "is_exact": "bool",
}
ASKING_DTYPES = {
    "project_id": "int64",
    # Text or None: before pandas 3, the dtype str has no missing values.
    "tool": "object",
    "mode": "object",
    "calls": "int64",
    "seconds": "float64",
}


def read_timeline(conn: Connection, scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
    """Read the intervals of a scope's agents, clipped to ``[since, until)``.

    Returns:
        (n, 9) frame with :data:`INTERVAL_DTYPES`, by agent and time. ``kind`` is one of
        :data:`aggregator.intervals.kinds.KINDS`; ``tool`` and ``mode`` are missing unless
        it is ``blocked`` and they are known.
    """
    start, end = _clipped(since, until)
    interval = ActivityInterval
    statement = (
        select(
            cast(Agent.id, BigInteger).label("agent_id"),
            Agent.project_id,
            interval.kind,
            start.label("started_at"),
            end.label("ended_at"),
            interval.reason,
            interval.tool,
            interval.mode,
            interval.is_exact,
        )
        .select_from(interval)
        .order_by(Agent.id, interval.started_at)
    )
    return frame(conn, _of_scope(statement, scope, since, until)).astype(INTERVAL_DTYPES)


def no_intervals() -> pd.DataFrame:
    """Return the frame of :func:`read_timeline` without rows."""
    return pd.DataFrame(columns=list(INTERVAL_DTYPES)).astype(INTERVAL_DTYPES)


def read_asking(conn: Connection, scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
    """Add up the blocked time of a scope in ``[since, until)`` by what asked.

    Returns:
        (n, 5) frame with :data:`ASKING_DTYPES`, most seconds first: blocked intervals and
        their seconds inside the range, by project, tool and permission mode. The last two
        are missing where they are not known, as on hosts.
    """
    interval = ActivityInterval
    start, end = _clipped(since, until)
    seconds = cast(func.sum(func.extract("epoch", end - start)), Float).label("seconds")
    statement = (
        select(Agent.project_id, interval.tool, interval.mode, func.count().label("calls"), seconds)
        .select_from(interval)
        .where(interval.kind == BLOCKED)
        .group_by(Agent.project_id, interval.tool, interval.mode)
        .order_by(seconds.desc(), Agent.project_id, interval.tool, interval.mode)
    )
    return frame(conn, _of_scope(statement, scope, since, until)).astype(ASKING_DTYPES)


def _clipped(
    since: datetime, until: datetime
) -> tuple[ColumnElement[datetime], ColumnElement[datetime]]:
    first, last = (literal(at, TIMESTAMPTZ_TYPE) for at in (since, until))
    interval = ActivityInterval
    return func.greatest(interval.started_at, first), func.least(interval.ended_at, last)


def _of_scope(
    statement: Select[*tuple[object, ...]], scope: Scope, since: datetime, until: datetime
) -> Select[*tuple[object, ...]]:
    """Restrict intervals to a scope's agents that have a project, and to a range."""
    interval = ActivityInterval
    overlap = and_(interval.ended_at > since, interval.started_at < until)
    return (
        statement.join(Agent, Agent.id == interval.agent_id)
        .join(Project, Project.id == Agent.project_id)
        .where(of_agents(scope), overlap)
    )
