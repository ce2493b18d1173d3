"""Read the agents and projects of a period, each with its turns by bin of a sparkline.

The hours, 144,000 for 200 agents, are added up in SQL. The result has one row per agent
or project, with the turns of all bins in an array. Bins are given by their edges, so the
database does not need to know the viewer's time zone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Label,
    Subquery,
    and_,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from aggregator.database.models import TIMESTAMPTZ_TYPE as INSTANT_TYPE
from aggregator.database.models import ActivityMetric, Agent, Project
from aggregator.database.source import STANDALONE, Source
from aggregator.metrics.buckets import Counts
from aggregator.metrics.hourly import INSTANT_DTYPE
from aggregator.metrics.scope import Scope
from aggregator.metrics.windows import HOUR, RetainedHours
from aggregator.query.agents.names import PROJECT_NAME
from aggregator.query.sql import (
    ADDED,
    HAS_TURNS,
    HOURS,
    POOLED_DTYPES,
    agent_rows,
    between,
    frame,
    of_agents,
    partial_sums,
    sums_of_partial,
)

_DTYPES = {"name": "str", **POOLED_DTYPES}


def agents_by_bin(
    conn: Connection,
    scope: Scope,
    edges: pd.DatetimeIndex,
    retained: RetainedHours,
    last_turns: pd.DataFrame,
    *,
    source: Source = STANDALONE,
    everyone: bool = False,
) -> tuple[pd.DataFrame, Counts]:
    """Read ``Overview.agents`` of a scope, without ``spark``, and their turns by bin.

    Args:
        conn: A connection.
        scope: The scope.
        edges: (m + 1,) edges of m bins, which cover the period.
        retained: The retained hours.
        last_turns: Of the present agents, see :class:`aggregator.query.agents.states.Present`.
        source: Columns of the turns and agents in this database.
        everyone: Whether to include agents that were active only outside the period.

    Returns:
        Frame of n agents, and their (n, m) turns.
    """
    summed = _summed(ActivityMetric.agent_id.expression, agent_rows(scope), edges, retained)
    newest = (
        select(func.max(ActivityMetric.bucket_start).label("at"))
        .where(
            ActivityMetric.agent_id == Agent.id,
            HAS_TURNS,
            between(retained.since, retained.until),
        )
        .correlate(Agent)
        .lateral()
    )
    statement = (
        select(
            Agent.id.label("agent_id"),
            Agent.project_id,
            source.agent_name.label("name"),
            *_numbers(summed),
            newest.c.at.label("newest_bucket"),
            func.coalesce(source.ended_at <= retained.now, False).label("ended"),
        )
        .join(summed, summed.c.key == Agent.id, isouter=everyone)
        .join(newest, newest.c.at.is_not(None))
        .where(of_agents(scope), Agent.project_id.is_not(None))
        .order_by(func.coalesce(summed.c.turn_count, 0).desc(), Agent.id)
    )
    found = frame(conn, statement)
    last = last_turns.set_index("agent_id")["last_turn_at"]
    found["last_active_at"] = _last_active(
        found["agent_id"], found["newest_bucket"], last, retained
    )
    agents = found.drop(columns=["newest_bucket", "bins", "turns"])
    dtypes = {"agent_id": "int64", **_DTYPES, "ended": "bool"}
    return agents.astype(dtypes), _counts(found, len(edges) - 1)


def projects_by_bin(
    conn: Connection,
    scope: Scope,
    edges: pd.DatetimeIndex,
    retained: RetainedHours,
    last_turns: pd.DataFrame,
) -> tuple[pd.DataFrame, Counts]:
    """Read ``Overview.projects`` of a scope, without ``active_agents`` and ``spark``.

    Arguments and result are those of :func:`agents_by_bin`.
    """
    key: ColumnElement[Any] = ActivityMetric.project_id.expression
    rows: ColumnElement[bool] = key.in_(scope.ids) if scope.ids else key.is_not(None)
    hours = HOURS
    if scope.kind == "agent":
        key = Agent.project_id.expression
        rows = and_(agent_rows(scope), ActivityMetric.agent_id == Agent.id)
        # Several agents may have been active in the same hour.
        active = func.count(ActivityMetric.bucket_start.distinct()).filter(HAS_TURNS)
        hours = active.label("active_hours")
    summed = _summed(key, rows, edges, retained, hours)
    newest = select(func.max(ActivityMetric.bucket_start)).where(
        rows, key == Project.id, HAS_TURNS, between(retained.since, retained.until)
    )
    statement = (
        select(
            Project.id.label("project_id"),
            PROJECT_NAME.label("name"),
            *_numbers(summed),
            newest.correlate(Project).scalar_subquery().label("newest_bucket"),
        )
        .join(summed, summed.c.key == Project.id)
        .order_by(summed.c.turn_count.desc(), Project.id)
    )
    found = frame(conn, statement)
    last = last_turns[_is_in(scope, last_turns)].groupby("project_id")["last_turn_at"].max()
    found["last_active_at"] = _last_active(
        found["project_id"], found["newest_bucket"], last, retained
    )
    projects = found.drop(columns=["newest_bucket", "bins", "turns"])
    return projects.astype(_DTYPES), _counts(found, len(edges) - 1)


def _summed(
    key: ColumnElement[Any],
    rows: ColumnElement[bool],
    edges: pd.DatetimeIndex,
    retained: RetainedHours,
    hours: Label[int] = HOURS,
) -> Subquery:
    """Add up metric rows by a key: one row per key, with the turns of its bins in arrays."""
    since, until = retained.clip(edges[0].to_pydatetime(), edges[-1].to_pydatetime())
    thresholds = cast(edges[:-1].to_pydatetime().tolist(), ARRAY(INSTANT_TYPE))
    number = func.width_bucket(ActivityMetric.bucket_start, thresholds) - 1
    binned = (
        select(key.label("key"), number.label("bin"), *partial_sums(), hours)
        .where(rows, between(since, until))
        .group_by("key", "bin")
        .subquery()
    )
    by_bin = binned.c
    return (
        select(
            by_bin.key,
            *sums_of_partial(binned),
            cast(func.sum(by_bin.active_hours), BigInteger).label("active_hours"),
            func.array_agg(by_bin.bin).label("bins"),
            func.array_agg(by_bin.turn_count).label("turns"),
        )
        .group_by(by_bin.key)
        .subquery()
    )


def _numbers(summed: Subquery) -> list[ColumnElement[Any]]:
    """Columns of :func:`_summed` for the outer query; an agent may have no row there."""
    found = summed.c
    return [
        *(
            found[measure.column]
            if measure.combine == "pooled"
            else func.coalesce(found[measure.column], 0).label(measure.column)
            for measure in ADDED
        ),
        func.coalesce(found.active_hours, 0).label("active_hours"),
        func.coalesce(found.bins, cast([], ARRAY(BigInteger))).label("bins"),
        func.coalesce(found.turns, cast([], ARRAY(BigInteger))).label("turns"),
    ]


def _counts(found: pd.DataFrame, width: int) -> Counts:
    counts = np.zeros((len(found), width), dtype=np.int64)
    for row, (bins, turns) in enumerate(zip(found["bins"], found["turns"], strict=True)):
        counts[row, bins] = turns
    return counts


def _last_active(
    ids: pd.Series, newest_bucket: pd.Series, last_turns: pd.Series, retained: RetainedHours
) -> pd.Series:
    """Instant of the last turn, or the end of the newest bucket if that is unknown."""
    ends = pd.Series(newest_bucket, dtype=INSTANT_DTYPE) + HOUR
    exact = last_turns.reindex(ids).set_axis(ids.index)
    return exact.fillna(ends.mask(ends > retained.now, retained.now))


def _is_in(scope: Scope, agents: pd.DataFrame) -> pd.Series:
    if scope.kind == "overall":
        return pd.Series(True, agents.index)
    return agents[f"{scope.kind}_id"].isin(scope.ids)
