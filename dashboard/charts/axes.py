"""The axes of a chart: their ranges, their ticks and the labels of these."""

from __future__ import annotations

from datetime import date, datetime
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.buckets import by_day
from aggregator.metrics.periods import Period
from aggregator.metrics.windows import HOUR
from dashboard import formatting

INTERVALS = 4
"""Most grid lines above zero."""
HEADROOM = 1.02
"""Factor that ends value axes above the highest tick, whose grid line would be cut off."""
MOST_DAYS = 7
"""Maximum number of day labels; more would touch each other on a phone."""

COUNT_STEPS = tuple(factor * 10**power for power in range(8) for factor in (1, 2, 5))
SECOND_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800)
HOUR_STEPS = (1, 2, 3, 6, 12, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def count_axis(highest: float, *, shared: bool = False) -> dict[str, Any]:
    """Return a value axis from 0 to at least ``highest``, with evenly spaced round ticks.

    Axes whose grid is shared all have :data:`INTERVALS` ticks above zero; others end where
    there is nothing more.
    """
    ticks = _ticks(highest, COUNT_STEPS, shared=shared)
    return _value_axis(ticks, list(map(count_label, ticks)))


def duration_axis(highest: float, *, shared: bool = False) -> dict[str, Any]:
    """Return the like in seconds, with round time spans."""
    steps = (*SECOND_STEPS, *(3600 * hours for hours in HOUR_STEPS))
    ticks = _ticks(highest, steps, shared=shared)
    return _value_axis(ticks, list(map(duration_label, ticks)))


def count_label(number: int) -> str:
    """Format a number for an axis: ``500``, ``5 000``, ``20k``, ``1.5M``."""
    if number < 10_000:
        return formatting.count(number)
    return f"{number / 1e6:g}M" if number >= 1e6 else f"{number / 1e3:g}k"


def duration_label(seconds: int) -> str:
    """Format a time span for an axis: ``30 s``, ``1 min 30 s``, ``12 h``."""
    return formatting.duration(seconds)


def _ticks(highest: float, steps: tuple[int, ...], *, shared: bool) -> list[int]:
    step = next(step for step in steps if step * INTERVALS >= highest or step == steps[-1])
    above_zero = INTERVALS if shared or not highest else min(ceil(highest / step), INTERVALS)
    return [step * place for place in range(above_zero + 1)]


def _value_axis(ticks: list[int], labels: list[str]) -> dict[str, Any]:
    return {"range": [0, ticks[-1] * HEADROOM], "tickvals": ticks, "ticktext": labels}


def time_axis(period: Period, hour: datetime | None = None) -> dict[str, Any]:
    """Return the time axis of a whole period, or of one of its hours, with ticks in local time.

    The axis holds UTC instants without a zone, so that everything is at its true place: in
    local time, the repeated hour of autumn would be drawn twice in one place. Up to two
    days have ticks by the hour; up to eight have one per day, with a line at each
    midnight; longer periods have ticks for some of the days, under their bars. An hour,
    given by its start, has ticks every quarter of it.
    """
    if hour is not None:
        return {"type": "date", "range": on_axis([hour, hour + HOUR]), **_minutes(hour, period)}
    if by_day(period):
        ticks = _few_days(period)
    elif period.day_count > 2:
        ticks = _all_days(period)
    else:
        ticks = _hours(period)
    return {"type": "date", "range": on_axis([period.since, period.until]), **ticks}


def on_axis(instants: Any) -> list[str]:
    """Format instants as UTC without a zone, which a Plotly axis can place exactly."""
    texts: list[str] = pd.DatetimeIndex(instants).tz_convert("UTC").strftime("%FT%T").tolist()
    return texts


def _minutes(hour: datetime, period: Period) -> dict[str, Any]:
    quarters = pd.date_range(hour, hour + HOUR, freq="15min")
    labels = [formatting.clock(at) for at in quarters.tz_convert(period.zone)]
    return {"tickvals": on_axis(quarters), "ticktext": labels}


def _hours(period: Period) -> dict[str, Any]:
    step = 4 if period.day_count == 1 else 8
    # Quarter hours include the full local hours of every time zone.
    quarters = pd.date_range(period.since, period.until, freq="15min").tz_convert(period.zone)
    full = [at for at in quarters if at.minute == 0 and at.hour % step == 0]
    return {
        "tickvals": on_axis(full),
        "ticktext": [_hour_label(at, period) for at in full],
    }


def _hour_label(at: pd.Timestamp, period: Period) -> str:
    if at.hour:
        return formatting.clock(at)
    if at.date() > period.last:
        return "24:00"
    one_day = period.first == period.last
    return formatting.clock(at) if one_day else f"00:00<br>{formatting.day(at)}"


def _all_days(period: Period) -> dict[str, Any]:
    edges = period.days()
    days = [_local_day(start, period.zone) for start, _ in edges]
    # A month is named where it begins; elsewhere the name of the period has it, and on a phone
    # "16 Nov" would touch "17".
    return {
        # Labels are in the middle of their days, lines at midnight.
        "tickvals": on_axis([start + (end - start) / 2 for start, end in edges]),
        "ticktext": [
            f"{formatting.WEEKDAYS[day.weekday()]}<br>{_day_label(day, with_month=False)}"
            for day in days
        ],
        "ticklen": 0,
        "minor": {
            "tickvals": on_axis([start for start, _ in edges[1:]]),
            "ticks": "outside",
            "ticklen": 4,
            "showgrid": True,
        },
    }


def _few_days(period: Period) -> dict[str, Any]:
    days = [(start, end, _local_day(start, period.zone)) for start, end in period.days()]
    mondays = [day for day in days if day[2].weekday() == 0]
    chosen = days if len(days) <= 3 * MOST_DAYS else mondays
    chosen = chosen[:: ceil(len(chosen) / MOST_DAYS)]
    months = [None, *(day.month for _, _, day in chosen)]
    return {
        "tickvals": on_axis([start + (end - start) / 2 for start, end, _ in chosen]),
        "ticktext": [
            _day_label(day, with_month=day.month != before)
            for (_, _, day), before in zip(chosen, months[:-1], strict=True)
        ],
    }


def _local_day(start: datetime, zone: ZoneInfo) -> date:
    """Return the local day of a bucket, which is the one in which it starts."""
    return start.astimezone(zone).date()


def _day_label(day: date, *, with_month: bool) -> str:
    month = f" {formatting.MONTHS[day.month - 1]}" if with_month or day.day == 1 else ""
    return f"{day.day}{month}"
