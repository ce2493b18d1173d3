"""Cut a period into the buckets of a chart and the bins of a sparkline. Pure pandas.

Edges are instants, n + 1 of them for n bins. So cuts are exact in every time zone, and
the database does not need to know the zone.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import numpy as np
import pandas as pd

from aggregator.metrics.freqs import STEPS, Step
from aggregator.metrics.hourly import INSTANT_DTYPE, agents_with_turns, pool
from aggregator.metrics.measures import MEASURES, Measure
from aggregator.metrics.periods import Period, at_local
from aggregator.metrics.windows import RetainedHours

Counts = np.ndarray[tuple[int, int], np.dtype[np.int64]]
"""Turns by row of a frame and by bin."""

HOURLY_UP_TO = 8
"""Days. A longer period is drawn by day, because 720 hourly bars are unreadable."""

GONE = "gone"

PAST = "past"

RUNNING = "running"

FUTURE = "future"

PHASES = (GONE, PAST, RUNNING, FUTURE)
"""Phases of a bucket: no longer retained; over; still filling; not begun."""


def by_day(period: Period) -> bool:
    """Return whether the buckets of a period are local days rather than hours."""
    return period.day_count > HOURLY_UP_TO


def chart_edges(period: Period) -> pd.DatetimeIndex:
    """Edges of a chart's buckets: hours up to :data:`HOURLY_UP_TO` days, else local days."""
    if by_day(period):
        return _edges(period, [start for start, _ in period.days()])
    return pd.date_range(period.since, period.until, freq="h").as_unit("us")


def step_edges(since: datetime, until: datetime, step: Step) -> pd.DatetimeIndex:
    """Edges of the steps in ``[since, until)``, on the hour."""
    return pd.date_range(since, until, freq=STEPS[step]).as_unit("us")


def spark_edges(period: Period) -> pd.DatetimeIndex:
    """Edges of a sparkline's bins: hours for one day, quarter days up to 8 days, else local days.

    Quarter days begin at 0:00, 6:00, 12:00 and 18:00 local time, so a week has 28.
    """
    if period.day_count == 1 or by_day(period):
        return chart_edges(period)
    starts = [
        at_local(period.first + timedelta(days=day), time(hour), period.zone)
        for day in range(period.day_count)
        for hour in (0, 6, 12, 18)
    ]
    return _edges(period, starts)


def _edges(period: Period, starts: list[datetime]) -> pd.DatetimeIndex:
    # A set, because a day that a zone skips starts at the same instant as the next day.
    inside = {start for start in starts if start < period.until}
    return pd.DatetimeIndex([*sorted(inside), period.until]).as_unit("us")


def chart_buckets(
    hours: pd.DataFrame,
    edges: pd.DatetimeIndex,
    retained: RetainedHours,
    active_agents: pd.Series | None = None,
) -> pd.DataFrame:
    """Build ``Overview.buckets``: every bucket between the edges, with or without turns.

    Args:
        hours: Hours with rows, see :func:`aggregator.metrics.totals.add_up`.
        edges: (m + 1,) edges of the buckets.
        retained: The retained hours.
        active_agents: Distinct agents by position of the bucket; missing ones are 0. By
            default they are taken from ``hours``, for buckets that are hours.
    """
    position = bin_of(hours["bucket_start"], edges)
    pooled = pool(hours, position).reindex(range(len(edges) - 1))
    if active_agents is None:
        active_agents = agents_with_turns(hours).groupby(position).sum()
    return _every_bucket(pooled, edges, retained, active_agents)


def step_buckets(
    steps: pd.DataFrame, edges: pd.DatetimeIndex, retained: RetainedHours
) -> pd.DataFrame:
    """Build the like of :func:`chart_buckets` from steps.

    Args:
        steps: Frame with the ``bucket_start`` of each step (unique, at an edge) and the
            columns of all measures, see :func:`aggregator.metrics.steps.in_steps`. They are
            taken as they are: a step may have a gap to a turn before it.
        edges: (m + 1,) edges of the steps.
        retained: The retained hours.
    """
    position = bin_of(steps["bucket_start"], edges)
    numbers = steps.set_index(pd.Index(position)).reindex(range(len(edges) - 1))
    return _every_bucket(numbers, edges, retained, numbers["active_agents"])


def _every_bucket(
    numbers: pd.DataFrame,
    edges: pd.DatetimeIndex,
    retained: RetainedHours,
    active_agents: pd.Series,
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "start": pd.Series(edges[:-1], dtype=INSTANT_DTYPE),
            "end": pd.Series(edges[1:], dtype=INSTANT_DTYPE),
            **{measure.column: _filled(measure, numbers, active_agents) for measure in MEASURES},
        }
    )
    return frame.assign(
        phase=_phases(frame, pd.Timestamp(retained.since), pd.Timestamp(retained.now))
    )


def _filled(measure: Measure, pooled: pd.DataFrame, active_agents: pd.Series) -> pd.Series:
    """One measure of every bucket; without a row it is 0, but an average is NaN."""
    if measure.combine == "pooled":
        return pooled[measure.column]
    values = active_agents if measure.combine == "distinct" else pooled[measure.column]
    return values.reindex(pooled.index).fillna(0).astype(measure.dtype)


def _phases(buckets: pd.DataFrame, retained_since: pd.Timestamp, now: pd.Timestamp) -> pd.Series:
    phase = pd.Series(PAST, buckets.index, dtype="str")
    phase[buckets["end"] > now] = RUNNING
    phase[buckets["start"] > now] = FUTURE
    # A partly retained day shows the turns that are left. Without any, it is unknown
    # whether the day had no turns.
    unknown = (buckets["start"] < retained_since) & (buckets["turn_count"] == 0)
    phase[unknown & (phase == PAST)] = GONE
    return phase


def elapsed_seconds(buckets: pd.DataFrame, kept_since: datetime, now: datetime) -> pd.Series:
    """Measure the part of each bucket that is retained and has passed.

    Args:
        buckets: (n, ≥2) frame of ``start`` and ``end``.
        kept_since: Start of the oldest retained hour.
        now: The current time.

    Returns:
        (n,) float64 seconds, NaN for buckets without such a part.
    """
    first, last = pd.Timestamp(kept_since), pd.Timestamp(now)
    start = buckets["start"].where(buckets["start"] > first, first)
    end = buckets["end"].where(buckets["end"] < last, last)
    seconds: pd.Series = (end - start).dt.total_seconds()
    return seconds.where(seconds > 0)


def bin_of(instants: pd.Series, edges: pd.DatetimeIndex) -> pd.Series:
    """Position of the bin that contains each instant; all must lie between the edges."""
    return pd.Series(edges.searchsorted(instants, side="right") - 1, instants.index)


def sparks(
    counts: Counts, edges: pd.DatetimeIndex, coarse: pd.DatetimeIndex, retained: RetainedHours
) -> pd.Series:
    """Compute sparklines: each row's turns by coarse bin, from the retained hours up to now.

    Bins that are no longer retained or have not begun are left out at both ends, where a
    line at zero would be wrong.

    Args:
        counts: (n, m) turns by bin.
        edges: (m + 1,) edges of these bins.
        coarse: Edges of the sparkline's bins, a subset of ``edges``.
        retained: The retained hours.

    Returns:
        (n,) series of lists of int, all of one length.
    """
    added = np.add.reduceat(counts, edges.searchsorted(coarse[:-1]), axis=1)
    first = coarse[1:].searchsorted(pd.Timestamp(retained.since), side="right")
    last = coarse[:-1].searchsorted(pd.Timestamp(retained.now), side="right")
    return pd.Series(added[:, first:last].tolist(), dtype="object")
