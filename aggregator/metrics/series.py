"""Resample, fill and add up many series of metrics. Pure pandas.

A series is the activity of one agent, one project or all agents over time. Its rows are
those of ``activity_metrics``, one for each hour with turns or time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.buckets import bin_of
from aggregator.metrics.freqs import STEPS, Freq
from aggregator.metrics.hourly import INSTANT_DTYPE, pool
from aggregator.metrics.measures import (
    AGENT_NUMBERS,
    DISTINCT,
    NUMBER_DTYPES,
    NUMBERS,
    POOLED,
)
from aggregator.metrics.periods import first_bucket
from aggregator.metrics.scope import EVERYBODY
from aggregator.metrics.windows import HOUR, ceil_hour, floor_hour

SERIES = "series"
"""Column that identifies the series: an id, or :data:`EVERYBODY` for all agents."""
ROW_DTYPES = {
    SERIES: "int64",
    "bucket_start": INSTANT_DTYPE,
    **NUMBER_DTYPES,
}
"""``gap_count`` is the number of gaps behind the average. For combined hours it may be less than
``turn_count - 1``, because a gap lies within one hour."""


def bucket_edges(since: datetime, until: datetime, freq: Freq, zone: ZoneInfo) -> pd.DatetimeIndex:
    """Edges of all steps of hours, hours, local days or local weeks that overlap a range.

    Weeks begin on Monday. The first bucket may begin before the range, and the last may
    end after it.

    Returns:
        (n + 1,) instants (UTC, but for steps on the hour) for n buckets; none for an empty range.
    """
    if until <= since:
        return pd.DatetimeIndex([], dtype=INSTANT_DTYPE)
    start, end = floor_hour(since), ceil_hour(until)
    if freq == "hour" or freq in STEPS:
        return pd.date_range(start, end, freq=STEPS.get(freq, HOUR)).as_unit("us")
    first, last = start.astimezone(zone).date(), (end - HOUR).astimezone(zone).date()
    step = timedelta(days=1)
    if freq == "week":
        first, step = first - first.weekday() * step, 7 * step
    count = (last - first) // step + 1
    # A set, because a day that a zone skips starts at the same instant as the next day.
    edges = {first_bucket(first + number * step, zone) for number in range(count + 1)}
    return pd.DatetimeIndex(sorted(edges)).as_unit("us")


def resample(rows: pd.DataFrame, edges: pd.DatetimeIndex, freq: Freq) -> pd.DataFrame:
    """Combine the hours of each series into buckets.

    Args:
        rows: Frame with :data:`ROW_DTYPES`, each hour of a series once and inside the
            edges.
        edges: Edges of the same frequency, see :func:`bucket_edges`.
        freq: Length of the buckets; hours are not changed.

    Returns:
        Frame with :data:`ROW_DTYPES`, only buckets that have rows, by series and time.
        ``active_agents`` of days and weeks is NA, because it cannot be summed over hours;
        see :func:`distinct_agents`.
    """
    if freq == "hour":
        ordered = rows.sort_values([SERIES, "bucket_start"], ignore_index=True)
        return ordered[list(ROW_DTYPES)]
    position = bin_of(rows["bucket_start"], edges).rename("bin")
    pooled = pool(rows, [rows[SERIES], position]).reset_index()
    unknown = pd.array([pd.NA] * len(pooled), "Int64")
    combined = pooled.assign(
        bucket_start=edges[pooled["bin"]],
        **{measure.column: unknown for measure in DISTINCT},
    )
    return combined[list(ROW_DTYPES)].astype(ROW_DTYPES)


def distinct_agents(
    agents: pd.DataFrame, belongs_to: pd.Series | None, edges: pd.DatetimeIndex
) -> pd.Series:
    """Count the agents with at least one turn, by series and bucket, each agent once.

    Args:
        agents: (n, ≥3) rows of agents: ``series`` (the agent's id), ``bucket_start`` and
            ``turn_count``.
        belongs_to: The series to which each agent belongs, by agent id; None for one
            series of all agents. Agents that are missing in it are not counted.
        edges: Edges of the buckets, see :func:`bucket_edges`.

    Returns:
        int64 series by ``series`` and ``bucket_start`` (UTC).
    """
    active = agents[agents["turn_count"] > 0]
    seen = pd.DataFrame(
        {
            "agent": active[SERIES],
            SERIES: EVERYBODY if belongs_to is None else active[SERIES].map(belongs_to),
            "bucket_start": edges[bin_of(active["bucket_start"], edges)],
        }
    )
    return seen.dropna().drop_duplicates().groupby([SERIES, "bucket_start"]).size()


def with_agents(buckets: pd.DataFrame, agents: pd.Series) -> pd.DataFrame:
    """Set ``active_agents`` of days or weeks to the counts of :func:`distinct_agents`.

    It is 0 if the agents have moved to another project since the last pass.
    """
    keys = pd.MultiIndex.from_frame(buckets[[SERIES, "bucket_start"]])
    found = agents.reindex(keys).fillna(0).to_numpy("int64")
    return buckets.assign(active_agents=pd.array(found, "Int64"))


def filled(
    buckets: pd.DataFrame,
    edges: pd.DatetimeIndex,
    ids: Sequence[int] | None = None,
    *,
    of_agents: bool,
) -> pd.DataFrame:
    """Add the buckets without turns to every series, with 0 turns and no average.

    Args:
        buckets: Frame with :data:`ROW_DTYPES`.
        edges: Edges of all buckets.
        ids: Series to return, in this order; by default those that have turns.
        of_agents: Whether the series are agents, whose ``active_agents`` is NA.

    Returns:
        Frame with :data:`ROW_DTYPES` and s * b rows for s series and b buckets, by series
        and time.
    """
    series = buckets[SERIES].unique() if ids is None else ids
    grid = pd.MultiIndex.from_product([series, edges[:-1]], names=[SERIES, "bucket_start"])
    found = buckets.set_index([SERIES, "bucket_start"]).reindex(grid).reset_index()
    averages = {measure.column for measure in POOLED}
    numbers = [name for name in (AGENT_NUMBERS if of_agents else NUMBERS) if name not in averages]
    return found.fillna(dict.fromkeys(numbers, 0)).astype(ROW_DTYPES)[list(ROW_DTYPES)]


def add_up_each(rows: pd.DataFrame) -> pd.DataFrame:
    """Add up the hours of each series, see :class:`aggregator.metrics.totals.Totals`.

    Args:
        rows: Frame with :data:`ROW_DTYPES`.

    Returns:
        Frame by ``series``: ``turn_count`` (int64), ``avg_turn_time_seconds`` (float64,
        NaN without a gap), ``gap_count`` and ``active_hours`` (int64).
    """
    pooled = pool(rows, rows[SERIES])
    return pooled.assign(active_hours=(rows["turn_count"] > 0).groupby(rows[SERIES]).sum())
