"""Load metrics and turns as DataFrames, for notebooks and scripts.

Everything is read through :class:`aggregator.query.reader.MetricReader`, so that a notebook
has the numbers of the page and the API.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import cast
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.errors import ConflictingParametersError
from aggregator.intervals.kinds import KINDS
from aggregator.metrics.freqs import FREQS, Freq, check_steps
from aggregator.metrics.periods import (
    CALENDAR,
    LAST_24_HOURS,
    ROLLING,
    ROLLING_DAYS,
    CalendarName,
    Period,
    calendar_period,
    last_days,
    rolling_period,
    today,
)
from aggregator.metrics.scope import EVERYBODY, Origin, ScopeKind
from aggregator.metrics.series import SERIES, filled
from aggregator.metrics.spans import Span
from aggregator.metrics.windows import RetainedHours, WindowName, retained_hours
from aggregator.notebook.arguments import Instant, chosen_scope, parse_instant, range_of, series_of
from aggregator.notebook.connect import Database, open_reader
from aggregator.notebook.frames import SERIES_COLUMNS, in_local_time, labelled, named
from aggregator.parameters import one_of, parse_zone
from aggregator.query.agents.names import Names
from aggregator.query.overview import Overview
from aggregator.query.reader import MetricReader

EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
"""Start of all ranges; earlier turns, which only a wrong clock can write, are ignored."""


def load_metrics(
    database: Database = None,
    *,
    scope: ScopeKind | None = None,
    project: Names | None = None,
    agent: Names | None = None,
    origin: Origin | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    freq: Freq = "hour",
    tz: str = "UTC",
    fill: bool = False,
    now: Instant | None = None,
) -> pd.DataFrame:
    """Load metrics.

    Args:
        database: An engine or a URL of PostgreSQL, possibly a host's; ``"demo"`` for the
            data of ``serve --demo``; None for ``ACTIVITY_DATABASE_URL``, or else the
            embedded database in ``ACTIVITY_HOME``, whether or not a server is running.
        scope: ``overall``, ``project`` (each project) or ``agent`` (each agent). By
            default the kind chosen with the next two arguments, else overall.
        project: Ids or names of projects, one or several; with ``scope="agent"`` their
            agents.
        agent: Ids or names of agents, one or several.
        origin: ``interactive`` for agents that a person started, ``automated`` for those that a
            program did, None for all. Then each agent is loaded (``scope="agent"``).
        since: Start of the range, rounded down to the hour; without a time zone it is in
            ``tz``, and a date is the beginning of that day. By default the oldest
            retained hour.
        until: End of the range, exclusive, rounded up to the hour; by default now.
        freq: ``hour``, ``day`` or ``week`` (from Monday), in ``tz``, or a step that
            divides the hour, ``1min`` to ``30min``, of which a range may have 1,500. A UTC
            hour belongs to the local day in which it starts. Days and weeks that lie only
            partly in the range count only the part inside.
        tz: IANA name of a time zone.
        fill: Whether to add rows for buckets without turns.
        now: The present; its bucket is the last.

    Returns:
        Frame indexed by ``bucket_start`` (``datetime64[us, tz]``, ascending), with

        * for projects and agents ``project_id`` (int64) and ``project`` (str);
        * for agents ``agent_id`` (int64) and ``agent`` (str);
        * ``turn_count`` (int64);
        * ``avg_turn_time_seconds`` (float64, NaN without a gap);
        * ``gap_count`` (int64), the weight of the average: the average of several rows is
          ``(avg_turn_time_seconds * gap_count).sum() / gap_count.sum()``;
        * ``active_agents`` (int64, distinct in the bucket), not for agents.

    Raises:
        ParameterError: An argument has a value that cannot be used.
        UnknownNameError: No project or agent has this name.
        UnknownScopeError: No project or agent has this id.
        DatabaseUnreachableError: The database does not answer.
        HostSchemaError: The tables that metrics are computed from are missing.
        NotMigratedError: The tables of metrics are missing.
    """
    zone = parse_zone(tz)
    now = datetime.now(UTC) if now is None else parse_instant("now", now, zone)
    freq = one_of("freq", freq, FREQS)
    with open_reader(database) as reader:
        projects, agents = reader.everyone()
        chosen = chosen_scope(project, agent, projects, agents, origin)
        of = series_of(scope, chosen)
        retained = _retained_hours(reader, now)
        oldest = max(retained.since, reader.oldest_bucket() or now)
        span = Span(range_of(since, until, zone, oldest, now, by_hour=True), retained, freq, zone)
        check_steps(freq, span.since, span.until)
        buckets = reader.series(of, chosen, span)
    if fill:
        ids = {"overall": [EVERYBODY], chosen.kind: chosen.ids or [EVERYBODY]}.get(of)
        buckets = filled(buckets, span.edges, ids, of_agents=of == "agent")
    if of == "agent":
        # An agent without a project is excluded at once, not only after the next pass.
        buckets = buckets[buckets[SERIES].isin(agents["agent_id"])]
    return labelled(buckets, of, projects, agents, zone)


def load_turns(
    database: Database = None,
    *,
    project: Names | None = None,
    agent: Names | None = None,
    origin: Origin | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    tz: str = "UTC",
    now: Instant | None = None,
) -> pd.DataFrame:
    """Load turns: their instant, agent and actor, never their text.

    Turns are never deleted, unlike metrics. Arguments and errors are those of
    :func:`load_metrics`, but the range is not rounded to hours.

    Returns:
        Frame indexed by ``at`` (``datetime64[us, tz]``, ascending), with ``project_id``
        (int64), ``project`` (str), ``agent_id`` (int64), ``agent`` (str) and ``actor``
        (categorical: ``USER``, ``AGENT``).
    """
    zone = parse_zone(tz)
    now = datetime.now(UTC) if now is None else parse_instant("now", now, zone)
    with open_reader(database) as reader:
        projects, agents = reader.everyone()
        chosen = chosen_scope(project, agent, projects, agents, origin)
        window = range_of(since, until, zone, EARLIEST, now)
        turns = reader.turns(chosen, window.since, window.until)
    turns = in_local_time(named(turns, projects, agents), "at", zone)
    return turns[[*SERIES_COLUMNS["agent"], "actor"]]


def load_intervals(
    database: Database = None,
    *,
    project: Names | None = None,
    agent: Names | None = None,
    origin: Origin | None = None,
    since: Instant | None = None,
    until: Instant | None = None,
    tz: str = "UTC",
    now: Instant | None = None,
) -> pd.DataFrame:
    """Load intervals: what each agent did with its time, without gaps.

    Arguments and errors are those of :func:`load_turns`. Intervals are clipped to the range,
    and older ones than metrics are retained for may be missing.

    Returns:
        Frame indexed by ``started_at`` (``datetime64[us, tz]``, ascending), with
        ``project_id`` (int64), ``project`` (str), ``agent_id`` (int64), ``agent`` (str),
        ``ended_at`` (``datetime64[us, tz]``), ``seconds`` (float64), ``kind``
        (categorical of :data:`aggregator.intervals.kinds.KINDS`), ``reason`` (str),
        ``tool`` and ``mode`` (str, missing unless ``blocked``), and ``is_exact`` (bool).
    """
    zone = parse_zone(tz)
    now = datetime.now(UTC) if now is None else parse_instant("now", now, zone)
    with open_reader(database) as reader:
        projects, agents = reader.everyone()
        chosen = chosen_scope(project, agent, projects, agents, origin)
        window = range_of(since, until, zone, EARLIEST, now)
        found = reader.timeline(chosen, window.since, window.until)
    found = found.sort_values(["started_at", "agent_id"])
    intervals = found.assign(
        seconds=(found["ended_at"] - found["started_at"]).dt.total_seconds(),
        kind=pd.Categorical(found["kind"], pd.Index(KINDS)),
        ended_at=found["ended_at"].dt.tz_convert(zone),
    )
    local = in_local_time(named(intervals, projects, agents), "started_at", zone)
    columns = ("ended_at", "seconds", "kind", "reason", "tool", "mode", "is_exact")
    return local[[*SERIES_COLUMNS["agent"], *columns]]


def load_overview(
    database: Database = None,
    *,
    window: WindowName = "week",
    on: date | str | None = None,
    project: Names | None = None,
    agent: Names | None = None,
    origin: Origin | None = None,
    tz: str = "UTC",
    now: Instant | None = None,
) -> Overview:
    """Load the data of the page, for its charts in :mod:`dashboard.charts.activity_chart`.

    Args:
        database: See :func:`load_metrics`.
        window: ``day``, ``week`` or ``month`` of the calendar; ``last-24-hours``,
            ``last-7-days`` or ``last-30-days``.
        on: A day in the period, by default today; with ``last-7-days`` and ``last-30-days``
            the last one, and not with ``last-24-hours``, which ``now`` ends.
        project: Ids or names of projects, together one scope.
        agent: Ids or names of agents, together one scope.
        origin: See :func:`load_metrics`; together one scope.
        tz: IANA name of the viewer's time zone.
        now: The present.

    Raises:
        ParameterError: An argument has a value that cannot be used.
        ConflictingParametersError: ``on`` is given with ``last-24-hours``.
        UnknownNameError: No project or agent has this name.
        UnknownScopeError: No project or agent has this id.
    """
    zone = parse_zone(tz)
    now = datetime.now(UTC) if now is None else parse_instant("now", now, zone)
    period = _period(one_of("window", window, (*CALENDAR, *ROLLING)), on, zone, now)
    with open_reader(database) as reader:
        chosen = chosen_scope(project, agent, *reader.everyone(), origin)
        retention = now - _retained_hours(reader, now).since
        return reader.overview(chosen, period, now, retention=retention)


def _period(name: str, on: date | str | None, zone: ZoneInfo, now: datetime) -> Period:
    if name == LAST_24_HOURS:
        if on is not None:
            raise ConflictingParametersError("on", f"window={LAST_24_HOURS}")
        return rolling_period(name, now, zone)
    day = today(now, zone) if on is None else parse_instant("on", on, zone).astimezone(zone).date()
    if name in ROLLING_DAYS:
        return last_days(name, day, zone)
    return calendar_period(cast("CalendarName", name), day, zone)


def _retained_hours(reader: MetricReader, now: datetime) -> RetainedHours:
    """Return the hours retained by the last pass, or all hours before the first pass."""
    retention = reader.retention()
    return RetainedHours(EARLIEST, now) if retention is None else retained_hours(now, retention)
