"""Read the overview part by part, from one snapshot of the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import read_version
from aggregator.metrics.buckets import (
    Counts,
    by_day,
    chart_buckets,
    chart_edges,
    spark_edges,
    sparks,
)
from aggregator.metrics.comparisons import candidates
from aggregator.metrics.hourly import agents_at_once, agents_with_turns
from aggregator.metrics.periods import Period
from aggregator.metrics.scope import EVERYBODY, Scope, ScopeKind
from aggregator.metrics.totals import add_up
from aggregator.metrics.weekly_pattern import pattern_period, weekly_pattern
from aggregator.metrics.windows import RetainedHours, elapsed_hours, floor_hour
from aggregator.query.agents.members import agents_by_bin, projects_by_bin
from aggregator.query.agents.names import project_ids
from aggregator.query.agents.origins import automated_agents, resolved
from aggregator.query.agents.states import Present
from aggregator.query.agents.sub_agents import read_sub_agent_seconds
from aggregator.query.comparisons import compare
from aggregator.query.hours import check_scope, newest_bucket, newest_turn, read_hours
from aggregator.query.intervals import no_intervals, read_asking, read_timeline
from aggregator.query.overview import Overview, Zoom
from aggregator.query.response_times import (
    ResponseTimes,
    Times,
    read_response_times,
    read_times,
)
from aggregator.query.sql import between
from aggregator.query.steps import read_zoom


def read_overview(
    conn: Connection,
    scope: Scope,
    period: Period,
    retained: RetainedHours,
    present: Present,
    *,
    source: Source = STANDALONE,
    everyone: bool = False,
    zoom: Zoom | None = None,
) -> Overview:
    """Read an :class:`aggregator.query.overview.Overview`.

    Args:
        conn: A connection whose transaction sees one snapshot.
        scope: The scope.
        period: The period.
        retained: The retained hours.
        present: The present agents.
        source: Columns of the turns and agents in this database.
        everyone: Whether to include agents without turns in the period.
        zoom: Requests steps beside the buckets; of an hour of the period, if it names one.

    Raises:
        UnknownScopeError: A project or an agent of the scope does not exist.
    """
    check_scope(conn, scope)
    asked, scope = scope, resolved(conn, scope, source)
    edges, fine_edges = chart_edges(period), spark_edges(period)
    since, until = retained.clip(period.since, period.until)
    hours = _read_hours(conn, scope, period, retained)
    agents, by_agent = agents_by_bin(
        conn, scope, fine_edges, retained, present.last_turns, source=source, everyone=everyone
    )
    projects, by_project = projects_by_bin(conn, scope, edges, retained, present.last_turns)
    active = agents[agents["turn_count"] > 0]
    own = hours[_starts_in(hours, since, until)]
    version = read_version(conn, retained.now)
    pattern = pattern_period(period, retained.now)

    def times(of: ScopeKind) -> dict[int, ResponseTimes]:
        return read_response_times(conn, of, scope, since, until)

    return Overview(
        scope=asked,
        period=period,
        window=period.window(retained.now),
        kept_since=retained.since,
        totals=add_up(own, len(active), elapsed_hours(since, min(until, retained.now))),
        compared=compare(conn, scope, period, retained, hours),
        buckets=chart_buckets(own, edges, retained, _agents_by_day(period, by_agent)),
        hours=own.reset_index(drop=True),
        project_buckets=_project_buckets(projects, by_project, edges),
        pattern=_pattern(hours, pattern, retained),
        pattern_since=pattern.first,
        pattern_until=pattern.last,
        project_ids=project_ids(conn),
        projects=projects.assign(
            active_agents=_agents_of(projects, active),
            spark=sparks(by_project, edges, fine_edges, retained),
            response_p50_seconds=_medians(projects["project_id"], times("project")),
        ),
        agents=agents.assign(
            origin=_origins(conn, agents["agent_id"], source),
            spark=sparks(by_agent, fine_edges, fine_edges, retained),
            response_p50_seconds=_medians(agents["agent_id"], times("agent")),
        ),
        times=read_times(conn, "overall", scope, since, until).get(EVERYBODY, Times()),
        asking=read_asking(conn, scope, since, until),
        timeline=(
            read_timeline(conn, scope, since, until) if asked.is_one_agent else no_intervals()
        ),
        sub_agent_seconds=(
            read_sub_agent_seconds(conn, scope, since, until) if asked.is_one_agent else None
        ),
        states=present.states,
        newest_bucket=newest_bucket(conn, scope, between(retained.since, retained.until)),
        newest_turn_at=None if own["turn_count"].any() else newest_turn(conn, scope, source),
        last_pass_at=version.last_pass_at,
        changed_at=version.changed_at,
        steps=(read_zoom(conn, scope, period, zoom, retained, source=source) if zoom else None),
    )


def _read_hours(
    conn: Connection, scope: Scope, period: Period, retained: RetainedHours
) -> pd.DataFrame:
    """Read the hours of the period, of those that it is compared with, and of the pattern."""
    # The pattern has whole days, 24 hours may end within one.
    pattern = pattern_period(period, retained.now)
    ranges = (period, candidates(period, retained.now) or period, pattern)
    since, until = retained.clip(
        min(each.since for each in ranges), max(each.until for each in (period, pattern))
    )
    hours = read_hours(conn, scope, since, until)
    # Rows of single agents have no such columns.
    return hours.assign(active_agents=agents_with_turns(hours), **agents_at_once(hours))


def _origins(conn: Connection, ids: pd.Series, source: Source) -> pd.Series:
    known = automated_agents(conn, ids.tolist(), source)
    return pd.Series([known.get(number, "") for number in ids], ids.index, dtype="str")


def _medians(ids: pd.Series, times: Mapping[int, ResponseTimes]) -> pd.Series:
    """Median time to the answer of each project or agent, NaN without a response."""
    found = [times.get(number, ResponseTimes()).p50_seconds for number in ids]
    return pd.Series(found, ids.index, dtype="float64")


def _starts_in(hours: pd.DataFrame, since: datetime, until: datetime) -> pd.Series:
    starts = hours["bucket_start"]
    return (starts >= since) & (starts < until)


def _agents_by_day(period: Period, by_agent: Counts) -> pd.Series | None:
    """Distinct agents of each local day; for days, the bins of sparklines are days as well."""
    return pd.Series((by_agent > 0).sum(axis=0)) if by_day(period) else None


def _project_buckets(
    projects: pd.DataFrame, by_project: Counts, edges: pd.DatetimeIndex
) -> pd.DataFrame:
    bins, rows = np.nonzero(by_project.T)
    return pd.DataFrame(
        {
            "project_id": projects["project_id"].to_numpy()[rows],
            "start": edges[bins],
            "turn_count": by_project[rows, bins],
        }
    )


def _agents_of(projects: pd.DataFrame, active: pd.DataFrame) -> pd.Series:
    """Distinct agents of the period by project, which cannot be summed over buckets."""
    found = projects["project_id"].map(active.groupby("project_id").size())
    return found.fillna(0).astype("int64")


def _pattern(hours: pd.DataFrame, days: Period, retained: RetainedHours) -> pd.DataFrame:
    """Pattern of some days, without the running bucket, which is not over."""
    since, until = retained.clip(days.since, min(days.until, floor_hour(retained.now)))
    return weekly_pattern(hours[_starts_in(hours, since, until)], since, until, days.zone)
