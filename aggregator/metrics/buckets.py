"""How a period is cut: into the buckets of a chart and the bins of a sparkline.

Pure pandas. Edges are instants, n + 1 of them for n bins, so that a cut is exact in
every time zone and the database need not know any.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import numpy as np
import pandas as pd

from aggregator.metrics.hourly import INSTANT_DTYPE, pool
from aggregator.metrics.measures import MEASURES, Measure
from aggregator.metrics.periods import Period, at_local
from aggregator.metrics.windows import RetainedHours

Counts = np.ndarray[tuple[int, int], np.dtype[np.int64]]
"""Turns by row of a frame and by bin."""

HOURLY_UP_TO = 8
"""Days. A longer period is drawn by day: 720 hourly bars are noise."""

GONE = "gone"

PAST = "past"

RUNNING = "running"

FUTURE = "future"

PHASES = (GONE, PAST, RUNNING, FUTURE)
"""No longer kept; over; still filling; not begun."""


def by_day(period: Period) -> bool:
    """Whether the buckets of a period are local days rather than hours."""
    return period.day_count > HOURLY_UP_TO


def chart_edges(period: Period) -> pd.DatetimeIndex:
    """The edges of its buckets: hours up to :data:`HOURLY_UP_TO` days, else local days."""
    if by_day(period):
        return _edges(period, [start for start, _ in period.days()])
    return pd.date_range(period.since, period.until, freq="h").as_unit("us")


def spark_edges(period: Period) -> pd.DatetimeIndex:
    """The edges of a sparkline: hours of a day, quarters of up to 8 days, else local days.

    Quarters begin at 0, 6, 12 and 18 o'clock local time, so there are 28 in every week.
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
    # In order and apart even where a zone leaves out a day.
    inside = {start for start in starts if start < period.until}
    return pd.DatetimeIndex([*sorted(inside), period.until]).as_unit("us")


def chart_buckets(
    hours: pd.DataFrame,
    edges: pd.DatetimeIndex,
    retained: RetainedHours,
    active_agents: pd.Series | None = None,
) -> pd.DataFrame:
    """Every bucket between edges, with or without turns, as ``Overview.buckets`` has them.

    Args:
        hours: (n, 4) hours with turns, see :func:`aggregator.metrics.totals.add_up`.
        edges: (m + 1,) edges of the buckets.
        retained: Which hours can be told of.
        active_agents: Distinct agents by position of the bucket; those without are 0.
            Default: buckets are hours, which tell it themselves.
    """
    position = bin_of(hours["bucket_start"], edges)
    pooled = pool(hours, position).reindex(range(len(edges) - 1))
    if active_agents is None:
        active_agents = hours["active_agents"].fillna(1).groupby(position).sum()
    frame = pd.DataFrame(
        {
            "start": pd.Series(edges[:-1], dtype=INSTANT_DTYPE),
            "end": pd.Series(edges[1:], dtype=INSTANT_DTYPE),
            **{measure.column: _filled(measure, pooled, active_agents) for measure in MEASURES},
        }
    )
    return frame.assign(
        phase=_phases(frame, pd.Timestamp(retained.since), pd.Timestamp(retained.now))
    )


def _filled(measure: Measure, pooled: pd.DataFrame, active_agents: pd.Series) -> pd.Series:
    """One measure of every bucket; only an average is missing where there are no turns."""
    if measure.combine == "pooled":
        return pooled[measure.column]
    values = active_agents if measure.combine == "distinct" else pooled[measure.column]
    return values.reindex(pooled.index).fillna(0).astype(measure.dtype)


def _phases(buckets: pd.DataFrame, kept_since: pd.Timestamp, now: pd.Timestamp) -> pd.Series:
    phase = pd.Series(PAST, buckets.index, dtype="str")
    phase[buckets["end"] > now] = RUNNING
    phase[buckets["start"] > now] = FUTURE
    # A day that is kept in part shows what is left of it; if that is nothing, nobody
    # can say that the day was quiet.
    unknown = (buckets["start"] < kept_since) & (buckets["turn_count"] == 0)
    phase[unknown & (phase == PAST)] = GONE
    return phase


def bin_of(instants: pd.Series, edges: pd.DatetimeIndex) -> pd.Series:
    """The position of the bin that holds each instant; all lie between the edges."""
    return pd.Series(edges.searchsorted(instants, side="right") - 1, instants.index)


def sparks(
    counts: Counts, edges: pd.DatetimeIndex, coarse: pd.DatetimeIndex, retained: RetainedHours
) -> pd.Series:
    """Sparklines: each row's turns by coarse bin, from what is kept up to now.

    Bins that are no longer kept or have not begun are left out, at either end: there
    a line at zero would be a lie.

    Args:
        counts: (n, m) turns by bin.
        edges: (m + 1,) edges of these bins.
        coarse: Edges of the sparkline's bins, a part of ``edges``.
        retained: Which hours can be told of.

    Returns:
        (n,) series of lists of int, all of one length.
    """
    added = np.add.reduceat(counts, edges.searchsorted(coarse[:-1]), axis=1)
    first = coarse[1:].searchsorted(pd.Timestamp(retained.since), side="right")
    last = coarse[:-1].searchsorted(pd.Timestamp(retained.now), side="right")
    return pd.Series(added[:, first:last].tolist(), dtype="object")
