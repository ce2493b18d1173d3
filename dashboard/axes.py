"""Where the axes of a chart have their marks, and what these say."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from zoneinfo import ZoneInfo

import pandas as pd

from dashboard import words

INTERVALS = 4
"""Grid lines above zero, on both value axes, so that one grid serves both."""

COUNT_STEPS = tuple(factor * 10**power for power in range(8) for factor in (1, 2, 5))
SECOND_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900)


def count_ticks(highest: float) -> list[int]:
    """Marks from 0 to at least ``highest``, evenly spaced by a round number."""
    return _ticks(highest, COUNT_STEPS)


def duration_ticks(highest: float) -> list[int]:
    """Marks in seconds from 0 to at least ``highest``, spaced by a round time span.

    Gaps lie within one hour, so 4 times 15 minutes always suffice.
    """
    return _ticks(highest, SECOND_STEPS)


def duration_label(seconds: int) -> str:
    """A mark of :func:`duration_ticks`, short enough for an axis: ``30 s``, ``1.5 min``."""
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds} s"


def _ticks(highest: float, steps: tuple[int, ...]) -> list[int]:
    step = next(step for step in steps if step * INTERVALS >= highest or step == steps[-1])
    return [step * mark for mark in range(INTERVALS + 1)]


def time_ticks(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[pd.Timestamp, str]]:
    """Marks of local time between two instants: every four hours, or every few days.

    They are computed as instants: a chart in local time would draw the repeated hour
    of autumn twice in one place.

    Returns:
        Instants (UTC) and their labels, oldest first.
    """
    if end - start <= timedelta(days=2):
        return _hour_ticks(start, end, zone)
    midnights = _midnights(start, end, zone)
    by_week = end - start <= timedelta(days=8)
    every = 1 if by_week else ceil(len(midnights) / 6)
    # Counted from the newest, so that the present week or day has its mark.
    chosen = midnights[::-1][::every][::-1]
    months = [None, *(at.month for at in chosen)]
    labels = [
        _day_label(at, weekday=by_week, month=at.month != before)
        for at, before in zip(chosen, months[:-1], strict=True)
    ]
    return [(at.tz_convert("UTC"), label) for at, label in zip(chosen, labels, strict=True)]


def _hour_ticks(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[pd.Timestamp, str]]:
    # Quarters of an hour reach the full local hours of every zone on earth.
    quarters = pd.date_range(start, end, freq="15min").tz_convert(zone)
    full = [at for at in quarters if at.minute == 0 and at.hour % 4 == 0]
    return [
        (at.tz_convert("UTC"), words.clock(at) + (f"<br>{words.day(at)}" if at.hour == 0 else ""))
        for at in full
    ]


def _midnights(start: datetime, end: datetime, zone: ZoneInfo) -> list[pd.Timestamp]:
    """First instants of local days, which in some zones is not always 00:00."""
    # From a quarter before, as the window itself may begin at midnight.
    first = start - timedelta(minutes=15)
    quarters = pd.date_range(first, end, freq="15min", inclusive="left").tz_convert(zone)
    return [at for before, at in pairwise(quarters) if at.date() != before.date()]


def _day_label(at: datetime, *, weekday: bool, month: bool) -> str:
    """``16``, narrow enough for a phone; with its weekday above it, or its month, if need be."""
    day = f"{at.day} {words.MONTHS[at.month - 1]}" if month else f"{at.day}"
    return f"{words.DAYS[at.weekday()]}<br>{day}" if weekday else day
