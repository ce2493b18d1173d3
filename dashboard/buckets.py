"""What a chart draws: the buckets of a window, hourly or pooled to the viewer's days."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.hourly import INSTANT, pool
from aggregator.read import Activity
from aggregator.windows import HOUR, Window, ceil_hour

HOURLY_UP_TO = timedelta(days=8)
"""A longer window is drawn by day: 720 hourly bars are noise."""


def drawn_by_day(window: Window) -> bool:
    """Whether the buckets of a window are days."""
    return window.until - window.since > HOURLY_UP_TO


def chart_buckets(activity: Activity, zone: ZoneInfo) -> pd.DataFrame:
    """Every bucket of the window, with or without turns, oldest first.

    Days are those of ``zone``, made of whole UTC hours; the first and the last are
    clipped to the window. Where a zone is off by half an hour, so are its days.

    Returns:
        (n, 6) frame of ``start`` and ``end`` (UTC), ``turn_count`` (int64),
        ``avg_turn_time_seconds`` (float64, NaN without a gap), ``active_agents``
        (Int64; NA for an agent and for days, whose distinct agents hours cannot
        tell) and ``running`` (bool, still filling).
    """
    every_hour = pd.date_range(
        activity.window.since, ceil_hour(activity.window.until), freq="h", inclusive="left"
    ).as_unit("us")
    frame = (
        _by_day(activity.hours, every_hour, zone)
        if drawn_by_day(activity.window)
        else _by_hour(activity.hours, every_hour)
    )
    now = pd.Timestamp(activity.window.as_of)
    running = (frame["start"] <= now) & (now < frame["end"])
    return frame.assign(turn_count=frame["turn_count"].fillna(0).astype("int64"), running=running)


def _by_hour(hours: pd.DataFrame, every_hour: pd.DatetimeIndex) -> pd.DataFrame:
    filled = hours.set_index("bucket_start").reindex(every_hour)
    return filled.rename_axis("start").reset_index().assign(end=lambda rows: rows["start"] + HOUR)


def _by_day(hours: pd.DataFrame, every_hour: pd.DatetimeIndex, zone: ZoneInfo) -> pd.DataFrame:
    # Pooled before the quiet hours come in: a row without turns would count as
    # minus one gap.
    pooled = pool(hours, _local_day(hours["bucket_start"], zone))
    starts = pd.Series(every_hour, dtype=INSTANT)
    edges = starts.groupby(_local_day(starts, zone)).agg(["min", "max"])
    days = pooled.reindex(edges.index).assign(
        start=edges["min"],
        end=edges["max"] + HOUR,
        active_agents=pd.Series(pd.NA, edges.index, "Int64"),
    )
    return days.reset_index(drop=True)


def _local_day(instants: pd.Series, zone: ZoneInfo) -> pd.Series:
    wall_clock: pd.Series = instants.dt.tz_convert(zone).dt.tz_localize(None)
    days: pd.Series = wall_clock.dt.floor("D")
    return days
