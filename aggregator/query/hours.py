"""Read hours and buckets of ``activity_metrics``, for :mod:`aggregator.query.reader`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
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
from aggregator.database.intervals import read_intervals
from aggregator.database.models import (
    ActivityMetric,
    Agent,
    Project,
    Turn,
    column_of,
)
from aggregator.database.source import STANDALONE, Source
from aggregator.errors import UnknownScopeError
from aggregator.metrics.hourly import INSTANT_DTYPE, WEIGHTS
from aggregator.metrics.hourly_time import HOUR_US, cut, peaks
from aggregator.metrics.measures import DISTINCT, DTYPES, MEASURES, Measure
from aggregator.metrics.scope import EVERYBODY, OVERALL, Scope, ScopeKind
from aggregator.metrics.series import ROW_DTYPES, SERIES
from aggregator.query.sql import (
    AGENTS_WITH_TURNS,
    HAS_TURNS,
    agent_rows,
    between,
    frame,
    in_scope,
    of_agents,
    pooled_sums,
)


def check_scope(conn: Connection, scope: Scope) -> None:
    """Check that all projects or agents of a scope exist.

    Raises:
        UnknownScopeError: Some do not; it names all that are missing.
    """
    model = Project if scope.kind == "project" else Agent
    # An id outside the range of the column is unknown, too; the database would fail on it.
    possible = [scope_id for scope_id in scope.ids if 0 <= scope_id < 2**63]
    known = set(conn.scalars(select(model.id).where(model.id.in_(possible)))) if possible else set()
    missing = [scope_id for scope_id in scope.ids if scope_id not in known]
    if missing:
        raise UnknownScopeError(scope.kind, *missing)


def read_hours(conn: Connection, scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
    """Read the hours of a scope in ``[since, until)``, oldest first.

    Several projects or agents are pooled. An agent belongs to one project, so the active
    agents of projects can be added. Their peaks may be at different instants, so they are
    counted anew from the intervals.

    Returns:
        (n, 1 + m) frame of ``bucket_start`` (UTC) and the columns of all measures, with
        their dtypes; only hours with rows.
    """
    columns: list[ColumnElement[Any]] = [column_of(measure).expression for measure in MEASURES]
    statement = select(ActivityMetric.bucket_start).where(in_scope(scope), between(since, until))
    if len(scope.ids) > 1:
        agents = [func.sum(AGENTS_WITH_TURNS).label(measure.column) for measure in DISTINCT]
        columns = [*pooled_sums(), *agents]
        statement = statement.group_by(ActivityMetric.bucket_start)
    statement = statement.add_columns(*columns).order_by(ActivityMetric.bucket_start)
    dtypes = {"bucket_start": INSTANT_DTYPE, **DTYPES}
    hours = frame(conn, statement)[list(dtypes)].astype(dtypes)
    return _with_peaks(conn, hours, scope, since, until) if len(scope.ids) > 1 else hours


def _with_peaks(
    conn: Connection, hours: pd.DataFrame, scope: Scope, since: datetime, until: datetime
) -> pd.DataFrame:
    parts = cut(read_intervals(conn, since, until, scope))
    bucket = pd.DatetimeIndex(hours["bucket_start"]).asi8
    added = {}
    for name, (hour, project, most) in peaks(parts, np.ones_like(parts.bucket)).items():
        together = pd.Series(most, hour * HOUR_US)[project == EVERYBODY]
        added[name] = together.reindex(bucket, fill_value=0).astype("Int64").array
    return hours.assign(**added)


def newest_bucket(conn: Connection, scope: Scope, *within: ColumnElement[bool]) -> datetime | None:
    """Read the start of the scope's newest bucket with turns, or None.

    Conditions may restrict the buckets.
    """
    newest = select(func.max(ActivityMetric.bucket_start)).where(HAS_TURNS)
    return conn.scalar(newest.where(in_scope(scope), *within))


def oldest_bucket(conn: Connection, scope: Scope = OVERALL) -> datetime | None:
    """Read the start of the scope's oldest bucket, or None."""
    return conn.scalar(select(func.min(ActivityMetric.bucket_start)).where(in_scope(scope)))


def count_agents(
    conn: Connection, scope: Scope, *ranges: tuple[datetime, datetime]
) -> tuple[int, ...]:
    """Count the agents of a scope that had turns, for each of some half-open ranges."""
    inside = [between(since, until) for since, until in ranges]
    seen = (
        select(*(func.bool_or(each).label(f"in_{number}") for number, each in enumerate(inside)))
        .join(Agent, Agent.id == ActivityMetric.agent_id)
        # An agent without a project is excluded at once, not only after the next pass.
        .where(or_(*inside), HAS_TURNS, agent_rows(scope), Agent.project_id.is_not(None))
        .group_by(ActivityMetric.agent_id)
        .subquery()
    )
    return tuple(conn.execute(select(*(func.count().filter(flag) for flag in seen.c))).one())


def newest_turn(conn: Connection, scope: Scope, source: Source = STANDALONE) -> datetime | None:
    """Read the instant of the scope's newest turn, or None; turns outlive metrics."""
    statement = select(func.max(source.turn_at)).select_from(Turn)
    if scope.kind != "overall":
        task = source.task
        statement = statement.join(task, task.c.id == source.turn_task_id)
        statement = statement.join(Agent, Agent.id == task.c.agent_id).where(of_agents(scope))
    return conn.scalar(statement)


_COLUMNS = {
    SERIES: INT8,
    "bucket_start": TIMESTAMPTZ,
    **{measure.column: INT8 if measure.sql_type == "integer" else FLOAT8 for measure in MEASURES},
}


def read_rows(
    conn: Connection, of: ScopeKind, scope: Scope, since: datetime, until: datetime
) -> pd.DataFrame:
    """Read the hours of many series in ``[since, until)``.

    Args:
        conn: A connection.
        of: Kind of the series: one overall, one per project or one per agent.
        scope: Restricts them. Agents can be chosen by their projects.
        since: Start of the range, on the hour.
        until: End of the range, exclusive.

    Returns:
        Frame with :data:`aggregator.metrics.series.ROW_DTYPES`, in no particular order.
    """
    key, rows = _series(of, scope)
    query = select(
        cast(key, BigInteger),
        ActivityMetric.bucket_start,
        *(_without_null(measure) for measure in MEASURES),
    ).where(rows, between(since, until))
    found = copy_out(conn, compiled(conn, query), {}, _COLUMNS)
    native: dict[str, Any] = {name: found[name].astype(kind[1:]) for name, kind in _COLUMNS.items()}
    return _frame(native)


def _series(of: ScopeKind, scope: Scope) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """Return the column that identifies a series, and the condition on the rows."""
    if of == "agent":
        agent = ActivityMetric.agent_id.expression
        # An agent without a project is excluded at once, not only after the next pass.
        belonging = select(Agent.id).where(Agent.project_id.is_not(None))
        return agent, and_(agent_rows(scope), agent.in_(belonging))
    if of == "overall":
        return literal(EVERYBODY), ActivityMetric.is_overall.is_(True)
    project = ActivityMetric.project_id.expression
    return project, project.in_(scope.ids) if scope.ids else project.is_not(None)


def _without_null(measure: Measure) -> ColumnElement[Any]:
    # Rows of COPY have a fixed width, so a number stands for null.
    if measure.sql_type == "integer":
        return cast(func.coalesce(column_of(measure), -1), BigInteger)
    return func.coalesce(column_of(measure), literal("NaN", Float))


def _frame(columns: dict[str, Any]) -> pd.DataFrame:
    at = (columns["bucket_start"] + POSTGRES_EPOCH).view("datetime64[us]")
    frame = pd.DataFrame(columns).assign(bucket_start=pd.DatetimeIndex(at).tz_localize("UTC"))
    for name, dtype in DTYPES.items():
        if dtype == "Int64":
            frame[name] = frame[name].astype(dtype).mask(frame[name] < 0)
    weights = {name: weigh(frame) for name, weigh in WEIGHTS.items()}
    return frame.assign(**weights)[list(ROW_DTYPES)].astype(ROW_DTYPES)
