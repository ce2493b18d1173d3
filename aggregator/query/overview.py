"""The overview: all data that the page shows for a scope and a period."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import pandas as pd

from aggregator.metrics.buckets import by_day
from aggregator.metrics.comparisons import Comparison
from aggregator.metrics.freqs import Freq, Step
from aggregator.metrics.periods import Period
from aggregator.metrics.scope import Scope
from aggregator.metrics.totals import Totals
from aggregator.metrics.windows import HOUR, Window
from aggregator.query.response_times import Times


@dataclass(frozen=True, slots=True)
class Zoom:
    """Buckets of a chart that are shorter than hours.

    Attributes:
        step: Their length.
        hour: Start of the one hour of the period that they cover, UTC; None for the whole
            period.
    """

    step: Step
    hour: datetime | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """The buckets of a zoom, with the turns and intervals of this moment.

    Attributes:
        zoom: The zoom.
        buckets: (n, 17) like ``Overview.buckets``: every step, oldest first.
        project_buckets: (n, 3) like ``Overview.project_buckets``, ordered by time, then by id.
    """

    zoom: Zoom
    buckets: pd.DataFrame
    project_buckets: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Overview:
    """All data that the page shows for a scope and a period, from one snapshot.

    Only retained hours that have begun count: buckets from ``kept_since`` to the running
    one. Rows outside, which wait for pruning or come from a clock that is ahead, are
    ignored everywhere.

    Attributes:
        scope: The scope.
        period: The period.
        window: The period as a range of instants, as of now.
        kept_since: Start of the oldest retained hour. UTC, on the hour.
        totals: Totals over the period; the turn rate is per elapsed, retained hour.
        compared: The totals compared with what is usual or with the period before, see
            :class:`aggregator.metrics.comparisons.Comparison`; None if nothing earlier is
            known, or no hour of the period is over yet.
        buckets: (n, 17) every bucket of the period, oldest first: ``start``, ``end``
            (UTC), ``turn_count`` (int64), ``avg_turn_time_seconds`` (float64, NaN
            without a gap), ``active_agents`` (Int64, distinct in the bucket), the columns
            of :data:`aggregator.metrics.measures.TIME_MEASURES` (of one agent, peaks are 1
            or 0), ``phase`` (str, see :data:`aggregator.metrics.buckets.PHASES`). Hours up
            to 8 days, else local days.
        hours: (n, 15) the hours of the period in which something happened, oldest first:
            ``bucket_start`` (UTC) and the columns of all measures, as in ``buckets``.
        project_buckets: (n, 3) ``project_id``, ``start``, ``turn_count``: the scope's
            turns by project and bucket; only with turns, oldest first, then in the order
            of ``projects``.
        pattern: (168, 17) ``weekday`` (0 is Monday), ``hour`` (local, of the bucket's
            start), ``hours`` (int64, retained hours of this kind that are over),
            ``turn_count`` (int64, their sum), ``avg_turn_time_seconds`` (pooled),
            ``active_agents`` (int64, summed over these hours), and the measures of time
            (summed, but the highest peak).
        pattern_since: First local day of the pattern.
        pattern_until: Last local day of the pattern, inclusive.
        project_ids: Ids of all projects that there are, ascending: the order of creation.
        projects: (n, 18) ``project_id``, ``name``, ``turn_count``,
            ``avg_turn_time_seconds``, the summed measures of time, ``active_agents``,
            ``active_hours``, ``last_active_at`` (UTC, NaT if unknown), ``spark`` (see
            ``agents``), ``response_p50_seconds`` (float64, NaN without a response): the
            projects in which the scope had turns or time, most turns first.
        agents: (n, 20) ``agent_id``, ``project_id``, ``name``, ``turn_count``,
            ``avg_turn_time_seconds``, the summed measures of time, ``active_hours``,
            ``last_active_at``, ``ended`` (bool), ``origin`` (str, of an agent that a program
            started, else empty), ``spark`` (list of int: turns by hour for a
            day, by quarter of a day up to 8 days, else by local day; up to now),
            ``response_p50_seconds``: the scope's agents with turns or time
            in the period, most turns first; if requested, followed by those with metrics
            only at other times. ``last_active_at`` does not depend on the period: it is
            the instant of the last turn, or the end of the newest bucket if that was more
            than a day ago.
        times: Times of the scope's responses and of a person's answers in the period.
        asking: Blocked time of the period by what asked, see
            :func:`aggregator.query.intervals.read_asking`.
        timeline: Intervals of the period if the scope is one agent, else none, see
            :func:`aggregator.query.intervals.read_timeline`.
        sub_agent_seconds: Time that the sub-agents of the one chosen agent worked, or None, see
            :func:`aggregator.query.agents.sub_agents.read_sub_agent_seconds`.
        states: All present agents, see :class:`aggregator.query.agents.states.Present`.
        newest_bucket: Start of the scope's newest bucket at any time, or None.
        newest_turn_at: Instant of the scope's newest turn, which outlives its metrics, or
            None; only read if the period has no turns.
        last_pass_at: When the table was last brought up to date, or None.
        changed_at: When a pass last changed a metric, or None.
        steps: Buckets shorter than hours, if they were requested, for :meth:`zoomed`.
        zoom: Of an overview that :meth:`zoomed` has returned, the zoom of its buckets.
    """

    scope: Scope
    period: Period
    window: Window
    kept_since: datetime
    totals: Totals
    compared: Comparison | None
    buckets: pd.DataFrame
    hours: pd.DataFrame
    project_buckets: pd.DataFrame
    pattern: pd.DataFrame
    pattern_since: date
    pattern_until: date
    project_ids: tuple[int, ...]
    projects: pd.DataFrame
    agents: pd.DataFrame
    times: Times
    asking: pd.DataFrame
    timeline: pd.DataFrame
    sub_agent_seconds: float | None
    states: pd.DataFrame
    newest_bucket: datetime | None
    newest_turn_at: datetime | None
    last_pass_at: datetime | None
    changed_at: datetime | None
    steps: Steps | None = None
    zoom: Zoom | None = None

    @property
    def freq(self) -> Freq:
        """Length of its buckets."""
        if self.zoom:
            return self.zoom.step
        return "day" if by_day(self.period) else "hour"

    @property
    def shown(self) -> tuple[datetime, datetime]:
        """Start of its first bucket and end of its last one, UTC."""
        if self.zoom and self.zoom.hour:
            return self.zoom.hour, self.zoom.hour + HOUR
        return self.period.since, self.period.until

    def zoomed(self) -> Overview:
        """Return the overview with its steps as buckets, or itself if it has none.

        Totals and all else stay those of the whole period.
        """
        if self.steps is None:
            return self
        own = self.steps
        return replace(
            self, buckets=own.buckets, project_buckets=own.project_buckets, zoom=own.zoom
        )
