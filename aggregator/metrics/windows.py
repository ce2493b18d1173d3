"""Windows of time: what a page or an answer covers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from aggregator.errors import NaiveTimestampError, ParameterError

HOUR = timedelta(hours=1)

WindowName = Literal["day", "week", "month", "custom"]

SPANS: dict[str, timedelta] = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}

LONGEST = timedelta(days=366)
"""Longest custom window, which bounds what one request can read: 8,784 hours a scope."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open range of time, ``[since, until)``, as seen at an instant.

    Attributes:
        name: How it was asked for.
        since: First instant, UTC, on the hour.
        until: First instant after it, UTC.
        as_of: The moment of the question; what comes later has not happened yet.
    """

    name: WindowName
    since: datetime
    until: datetime
    as_of: datetime


def rolling_window(name: str, now: datetime, until: datetime | None = None) -> Window:
    """The 24 hours, 7 days or 30 days of buckets up to an instant.

    The bucket that holds the last moment counts as one of them, so that a day has
    exactly 24 buckets, of which the newest is still filling.

    Args:
        name: ``day``, ``week`` or ``month``.
        now: The present, any zone.
        until: End of the window, default ``now``.

    Raises:
        ParameterError: Another name.
        NaiveTimestampError: An instant without a time zone.
    """
    if name not in SPANS:
        raise ParameterError("window", name, "day, week or month")
    now = _utc(now, "now")
    end = now if until is None else _utc(until, "until")
    since = ceil_hour(end) - SPANS[name]
    return Window(cast("WindowName", name), since, end, now)


def custom_window(since: datetime, until: datetime, now: datetime) -> Window:
    """A window between two instants, widened to whole hours.

    Metrics are hourly: a bucket counts whole or not at all, so the bounds move
    outwards, ``since`` down and ``until`` up, and the answer says where they are.

    Raises:
        ParameterError: ``until`` is not after ``since``, or the range is longer
            than :data:`LONGEST`.
        NaiveTimestampError: An instant without a time zone.
    """
    start, end = floor_hour(_utc(since, "since")), ceil_hour(_utc(until, "until"))
    if end <= start or until <= since:
        raise ParameterError("until", until.isoformat(), f"an instant after since, {since:%FT%T%z}")
    if end - start > LONGEST:
        raise ParameterError(
            "since", since.isoformat(), f"at most {LONGEST.days} days before until"
        )
    return Window("custom", start, end, _utc(now, "now"))


def floor_hour(at: datetime) -> datetime:
    """The start of the UTC hour that holds ``at``."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def ceil_hour(at: datetime) -> datetime:
    """The first full UTC hour that is not before ``at``."""
    start = floor_hour(at)
    return start if start == at else start + HOUR


def _utc(at: datetime, name: str) -> datetime:
    if at.tzinfo is None:
        raise NaiveTimestampError(name)
    return at.astimezone(UTC)


def elapsed_hours(since: datetime, until: datetime) -> float:
    """Hours between two instants, at least 1: the divisor of a turn rate."""
    return max(1.0, (until - since) / HOUR)


@dataclass(frozen=True, slots=True)
class RetainedHours:
    """The hours that can be told of: kept, and begun.

    Attributes:
        since: Start of the oldest, UTC, on the hour.
        now: The present, which lies in the newest.
    """

    since: datetime
    now: datetime

    @property
    def until(self) -> datetime:
        """End of the running bucket, UTC."""
        return floor_hour(self.now) + HOUR

    def part(self, since: datetime, until: datetime) -> tuple[datetime, datetime]:
        """What of a half-open range is among them; reversed where nothing is."""
        return max(since, self.since), min(until, self.until)


def retained_hours(now: datetime, retention: timedelta) -> RetainedHours:
    """Which hours count at a moment, where metrics are kept for some time."""
    return RetainedHours(floor_hour(now - retention), now.astimezone(UTC))
