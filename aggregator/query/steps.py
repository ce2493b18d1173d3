"""Read metrics in steps that divide the hour, from turns and stored intervals."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import pandas as pd
from sqlalchemy import Connection

from aggregator.database.binary_copy import INT8, TIMESTAMPTZ, compiled, copy_out
from aggregator.database.intervals import read_intervals, read_responses
from aggregator.database.source import STANDALONE, Source
from aggregator.database.turns import turn_frame, turns_of_projects
from aggregator.metrics.buckets import bin_of, step_buckets, step_edges
from aggregator.metrics.freqs import STEPS
from aggregator.metrics.periods import Period
from aggregator.metrics.scope import OVERALL, Scope, ScopeKind
from aggregator.metrics.spans import Span
from aggregator.metrics.steps import Facts, in_steps
from aggregator.metrics.windows import HOUR, RetainedHours
from aggregator.query.overview import Steps, Zoom
from aggregator.query.sql import of_agents


def read_facts(
    conn: Connection, scope: Scope, since: datetime, until: datetime, source: Source = STANDALONE
) -> Facts:
    """Read the turns, intervals and responses of a scope from a full hour to an instant."""
    query = turns_of_projects(source, since, until).where(of_agents(scope))
    columns = {"agent_id": INT8, "project_id": INT8, "at": TIMESTAMPTZ}
    return Facts(
        turn_frame(copy_out(conn, compiled(conn, query), {}, columns)),
        read_intervals(conn, since, until, scope),
        read_responses(conn, since, until, scope),
    )


def read_steps(
    conn: Connection, of: ScopeKind, scope: Scope, span: Span, source: Source = STANDALONE
) -> pd.DataFrame:
    """Read many series in the steps of a span.

    Args:
        conn: A connection.
        of: Kind of the series: one of all agents, one per project or one per agent.
        scope: Restricts the agents.
        span: The span; its frequency is a step.
        source: Columns of the turns and agents in this database.

    Returns:
        Frame with :data:`aggregator.metrics.series.ROW_DTYPES`, see
        :func:`aggregator.metrics.steps.in_steps`.
    """
    return _steps(read_facts(conn, scope, span.since, span.until, source), of, span)


def read_steps_of_all(
    conn: Connection, span: Span, source: Source = STANDALONE
) -> dict[ScopeKind, pd.DataFrame]:
    """Read all series of each kind in the steps of a span."""
    facts = read_facts(conn, OVERALL, span.since, span.until, source)
    return {of: _steps(facts, of, span) for of in get_args(ScopeKind)}


def read_zoom(
    conn: Connection,
    scope: Scope,
    period: Period,
    zoom: Zoom,
    retained: RetainedHours,
    *,
    source: Source = STANDALONE,
) -> Steps:
    """Read the buckets of a zoom: every step of a period, or of one of its hours.

    Args:
        conn: A connection.
        scope: The scope, see :func:`aggregator.query.agents.origins.resolved`.
        period: The period.
        zoom: The length of the steps, and the hour.
        retained: The retained hours.
        source: Columns of the turns and agents in this database.
    """
    first = zoom.hour or period.since
    edges = step_edges(first, first + HOUR if zoom.hour else period.until, zoom.step)
    # Steps that have not begun hold at most turns of a clock that is ahead.
    begun = edges[: edges.searchsorted(pd.Timestamp(retained.now), side="right") + 1]
    since = max(first, retained.since)
    facts = read_facts(conn, scope, since, max(since, begun[-1].to_pydatetime()), source)
    rows = in_steps(facts, "overall", STEPS[zoom.step])
    return Steps(zoom, step_buckets(rows, edges, retained), _by_project(facts.turns, edges))


def _by_project(turns: pd.DataFrame, edges: pd.DatetimeIndex) -> pd.DataFrame:
    position = bin_of(turns["at"], edges)
    counts = turns["project_id"].groupby([position, turns["project_id"]]).size()
    return pd.DataFrame(
        {
            "project_id": counts.index.get_level_values(1).to_numpy(),
            "start": edges[counts.index.get_level_values(0).to_numpy("int64")],
            "turn_count": counts.to_numpy("int64"),
        }
    )


def _steps(facts: Facts, of: ScopeKind, span: Span) -> pd.DataFrame:
    """Compute the steps of a span from its facts, without those that have not begun."""
    steps = in_steps(facts, of, STEPS[span.freq])
    end = span.edges[-1] if len(span.edges) else span.since
    return steps[steps["bucket_start"] < end].reset_index(drop=True)
