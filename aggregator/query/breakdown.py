"""Read the activity of one scope, or of all agents by project and by agent, in a span.

The parts are read from one snapshot of the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import read_version
from aggregator.metrics.comparisons import Comparison
from aggregator.metrics.freqs import STEPS
from aggregator.metrics.hourly import agents_at_once, agents_with_turns, gap_counts
from aggregator.metrics.scope import EVERYBODY, OVERALL, Scope, ScopeKind
from aggregator.metrics.series import (
    SERIES,
    add_up_each,
    distinct_agents,
    resample,
    with_agents,
)
from aggregator.metrics.spans import Span
from aggregator.metrics.totals import Totals, add_up, totals_of
from aggregator.query.agents.names import agents_with_metrics, projects_with_metrics
from aggregator.query.agents.origins import automated_agents, resolved
from aggregator.query.agents.sub_agents import read_sub_agent_seconds
from aggregator.query.comparisons import read_comparison
from aggregator.query.hours import check_scope, count_agents, read_hours, read_rows
from aggregator.query.intervals import read_asking, read_timeline
from aggregator.query.response_times import Times, read_times
from aggregator.query.steps import read_steps, read_steps_of_all


@dataclass(frozen=True, slots=True)
class ScopeActivity:
    """Activity of one scope in a span.

    Attributes:
        scope: The scope.
        span: The span, with its buckets.
        totals: Totals of the scope over the whole span.
        times: Times of its responses and of a person's answers over the whole span.
        asking: Its blocked time by what asked, see
            :func:`aggregator.query.intervals.read_asking`.
        compared: The totals compared with what is usual or with the period before; None
            without a period, and if nothing earlier is known.
        buckets: Frame with :data:`aggregator.metrics.series.ROW_DTYPES`; only buckets with
            turns or time, oldest first. ``active_agents`` and peaks are NA for a single agent.
        last_pass_at: When the table was last brought up to date, or None.
    """

    scope: Scope
    span: Span
    totals: Totals
    times: Times
    asking: pd.DataFrame
    compared: Comparison | None
    buckets: pd.DataFrame
    last_pass_at: datetime | None


@dataclass(frozen=True, slots=True)
class ScopeIntervals:
    """Intervals of one scope in a span.

    Attributes:
        scope: The scope.
        span: The span.
        intervals: See :func:`aggregator.query.intervals.read_timeline`.
        sub_agent_seconds: See :func:`aggregator.query.agents.sub_agents.read_sub_agent_seconds`.
        last_pass_at: When the table was last brought up to date, or None.
    """

    scope: Scope
    span: Span
    intervals: pd.DataFrame
    sub_agent_seconds: float | None
    last_pass_at: datetime | None


@dataclass(frozen=True, slots=True)
class Member:
    """A project or an agent with turns or time in a span.

    Attributes:
        id: Id of the project or agent.
        name: Displayed name.
        project_id: Project of an agent; for a project its own id.
        totals: Its totals over the whole span.
        times: Times of its responses and of a person's answers over the whole span.
        origin: Of an agent that a program started, see
            :func:`aggregator.query.agents.origins.automated_agents`; else None.
    """

    id: int
    name: str
    project_id: int
    totals: Totals
    times: Times
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Activity of all agents in a span, by project and by agent.

    Attributes:
        span: The span, with its buckets.
        totals: Totals of all agents over the whole span.
        times: Times of their responses and of a person's answers over the whole span.
        projects: Projects with turns or time, most turns first.
        agents: Agents with turns or time, most turns first.
        buckets: Frames with :data:`aggregator.metrics.series.ROW_DTYPES` by the kind of
            their series; only buckets with turns or time.
        last_pass_at: When the table was last brought up to date, or None.
    """

    span: Span
    totals: Totals
    times: Times
    projects: tuple[Member, ...]
    agents: tuple[Member, ...]
    buckets: Mapping[ScopeKind, pd.DataFrame]
    last_pass_at: datetime | None


def read_activity(
    conn: Connection, scope: Scope, span: Span, source: Source = STANDALONE
) -> ScopeActivity:
    """Read the activity of one scope.

    Raises:
        UnknownScopeError: A project or an agent of the scope does not exist.
    """
    check_scope(conn, scope)
    asked, scope = scope, resolved(conn, scope, source)
    hours = read_hours(conn, scope, span.since, span.until)
    if scope.is_one_agent and not asked.is_one_agent:
        # Rows of single agents have no such columns.
        hours = hours.assign(active_agents=agents_with_turns(hours), **agents_at_once(hours))
    (agents,) = count_agents(conn, scope, (span.since, span.until))
    return ScopeActivity(
        scope=asked,
        span=span,
        totals=add_up(hours, agents, span.elapsed_hours),
        times=read_times(conn, "overall", scope, span.since, span.until).get(EVERYBODY, Times()),
        asking=read_asking(conn, scope, span.since, span.until),
        compared=_compared(conn, scope, span),
        buckets=_buckets_of_one(conn, scope, span, hours, source, alone=asked.is_one_agent),
        last_pass_at=read_version(conn, span.retained.now).last_pass_at,
    )


def _buckets_of_one(
    conn: Connection,
    scope: Scope,
    span: Span,
    hours: pd.DataFrame,
    source: Source,
    *,
    alone: bool,
) -> pd.DataFrame:
    if span.freq in STEPS:
        return read_steps(conn, "agent" if alone else "overall", scope, span, source)
    rows = hours.assign(series=EVERYBODY, gap_count=gap_counts(hours))
    buckets = resample(rows, span.edges, span.freq)
    if span.freq == "hour" or alone:
        return buckets
    seen = read_rows(conn, "agent", scope, span.since, span.until)
    return with_agents(buckets, distinct_agents(seen, None, span.edges))


def _compared(conn: Connection, scope: Scope, span: Span) -> Comparison | None:
    return read_comparison(conn, scope, span.period, span.retained) if span.period else None


def read_scope_intervals(conn: Connection, scope: Scope, span: Span) -> ScopeIntervals:
    """Read the intervals of one scope.

    Raises:
        UnknownScopeError: A project or an agent of the scope does not exist.
    """
    check_scope(conn, scope)
    return ScopeIntervals(
        scope=scope,
        span=span,
        intervals=read_timeline(conn, scope, span.since, span.until),
        sub_agent_seconds=read_sub_agent_seconds(conn, scope, span.since, span.until),
        last_pass_at=read_version(conn, span.retained.now).last_pass_at,
    )


def read_series(
    conn: Connection, of: ScopeKind, scope: Scope, span: Span, source: Source = STANDALONE
) -> pd.DataFrame:
    """Read many series in the buckets of a span.

    Args:
        conn: A connection.
        of: Kind of the series: one overall, one per project or one per agent.
        scope: Restricts them. Agents can be chosen by their projects.
        span: The span, with its buckets.
        source: Columns of the turns and agents in this database.

    Returns:
        Frame with :data:`aggregator.metrics.series.ROW_DTYPES`; only buckets with turns or
        time, by series and time.
    """
    if span.freq in STEPS:
        return read_steps(conn, of, scope, span, source)
    buckets = resample(read_rows(conn, of, scope, span.since, span.until), span.edges, span.freq)
    if span.freq == "hour" or of == "agent":
        return buckets
    seen = read_rows(conn, "agent", scope, span.since, span.until)
    owners = _owners(agents_with_metrics(conn, source)) if of == "project" else None
    return with_agents(buckets, distinct_agents(seen, owners, span.edges))


def read_breakdown(conn: Connection, span: Span, source: Source = STANDALONE) -> Breakdown:
    """Read the activity of all agents together, of every project and of every agent."""
    known_projects, known = projects_with_metrics(conn), agents_with_metrics(conn, source)
    since, until = span.since, span.until
    overall = read_rows(conn, "overall", OVERALL, since, until)
    projects = read_rows(conn, "project", OVERALL, since, until)
    agents = read_rows(conn, "agent", OVERALL, since, until)
    owners = _owners(known)
    active = pd.Series(agents.loc[agents["turn_count"] > 0, SERIES].unique())
    return Breakdown(
        span=span,
        totals=add_up(overall, len(active), span.elapsed_hours),
        times=read_times(conn, "overall", OVERALL, since, until).get(EVERYBODY, Times()),
        projects=_members(
            projects,
            known_projects.assign(owner=known_projects["project_id"]).set_index("project_id"),
            active.map(owners).value_counts(),
            read_times(conn, "project", OVERALL, since, until),
            span,
        ),
        agents=_members(
            agents,
            known.rename(columns={"project_id": "owner"})
            .assign(origin=known["agent_id"].map(automated_agents(conn, active.tolist(), source)))
            .set_index("agent_id"),
            pd.Series(1, active),
            read_times(conn, "agent", OVERALL, since, until),
            span,
        ),
        buckets=(
            read_steps_of_all(conn, span, source)
            if span.freq in STEPS
            else {
                "overall": _buckets(overall, span, distinct_agents(agents, None, span.edges)),
                "project": _buckets(projects, span, distinct_agents(agents, owners, span.edges)),
                "agent": resample(agents, span.edges, span.freq),
            }
        ),
        last_pass_at=read_version(conn, span.retained.now).last_pass_at,
    )


def _owners(agents: pd.DataFrame) -> pd.Series:
    """Project of each agent, by agent id."""
    return agents.set_index("agent_id")["project_id"]


def _buckets(rows: pd.DataFrame, span: Span, agents: pd.Series) -> pd.DataFrame:
    buckets = resample(rows, span.edges, span.freq)
    return buckets if span.freq == "hour" else with_agents(buckets, agents)


def _members(
    rows: pd.DataFrame,
    known: pd.DataFrame,
    agents: pd.Series,
    times: Mapping[int, Times],
    span: Span,
) -> tuple[Member, ...]:
    """Add up the rows of each project or agent, most turns first.

    Args:
        rows: Frame with :data:`aggregator.metrics.series.ROW_DTYPES`.
        known: ``name`` and ``owner`` by id, and ``origin`` of agents; rows of other ids are
            left out.
        agents: Number of active agents by id.
        times: Times of responses and answers by id.
        span: The span of the rows.
    """
    summed = add_up_each(rows).join(known, how="inner").join(agents.rename("agents"))
    summed = summed.fillna({"agents": 0}).rename_axis("id").reset_index()
    return tuple(
        Member(
            id=int(row["id"]),
            name=row["name"],
            project_id=int(row["owner"]),
            totals=totals_of(row, int(row["agents"]), int(row["active_hours"]), span.elapsed_hours),
            times=times.get(int(row["id"]), Times()),
            origin=row["origin"] if isinstance(row.get("origin"), str) else None,
        )
        for row in summed.sort_values(["turn_count", "id"], ascending=[False, True]).to_dict(
            "records"
        )
    )
