"""Windows: ranges of instants, and the hours that are retained."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from aggregator.errors import NaiveTimestampError, ParameterError

HOUR = timedelta(hours=1)

WindowName = Literal[
    "day", "week", "month", "last-24-hours", "last-7-days", "last-30-days", "custom"
]

SPANS: dict[str, timedelta] = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}

LONGEST = timedelta(days=366)
"""Longest custom window, which limits a request to 8,784 hours per scope."""


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open range of time, ``[since, until)``, as seen at an instant.

    Attributes:
        name: Kind of window.
        since: First instant, UTC, on the hour.
        until: End, exclusive, UTC.
        as_of: The present; nothing later has happened yet.
    """

    name: WindowName
    since: datetime
    until: datetime
    as_of: datetime


def rolling_window(name: str, now: datetime, until: datetime | None = None) -> Window:
    """Return the window of the 24 hours, 7 days or 30 days up to an instant.

    The bucket that contains the end is one of them, so a day has exactly 24 buckets, and
    the newest is still filling.

    Args:
        name: ``day``, ``week`` or ``month``.
        now: The present, in any zone.
        until: End of the window; default ``now``.

    Raises:
        ParameterError: The name is none of these.
        NaiveTimestampError: An instant has no time zone.
    """
    if name not in SPANS:
        raise ParameterError("window", name, "day, week or month")
    now = _utc(now, "now")
    end = now if until is None else _utc(until, "until")
    since = ceil_hour(end) - SPANS[name]
    return Window(cast("WindowName", name), since, end, now)


def custom_window(since: datetime, until: datetime, now: datetime) -> Window:
    """Return the window between two instants, widened to whole hours.

    Metrics are hourly and buckets cannot be split, so ``since`` is rounded down and
    ``until`` up.

    Raises:
        ParameterError: ``until`` is not after ``since``, or the range is longer
            than :data:`LONGEST`.
        NaiveTimestampError: An instant has no time zone.
    """
    start, end = floor_hour(_utc(since, "since")), ceil_hour(_utc(until, "until"))
    if end <= start or until <= since:
        raise ParameterError("until", until.isoformat(), f"an instant after since, {since:%FT%T%z}")
    if end - start > LONGEST:
        allowed = f"an instant at most {LONGEST.days} days before until"
        raise ParameterError("since", since.isoformat(), allowed)
    return Window("custom", start, end, _utc(now, "now"))


def floor_hour(at: datetime) -> datetime:
    """Return the start of the UTC hour that contains an instant."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def floor_minute(at: datetime) -> datetime:
    """Return the start of the minute that contains an instant, in UTC."""
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def ceil_hour(at: datetime) -> datetime:
    """Return the first full UTC hour that is not before an instant."""
    start = floor_hour(at)
    return start if start == at else start + HOUR


def _utc(at: datetime, name: str) -> datetime:
    if at.tzinfo is None:
        raise NaiveTimestampError(name)
    return at.astimezone(UTC)


def elapsed_hours(since: datetime, until: datetime) -> float:
    """Return the hours between two instants, at least 1: the divisor of a turn rate."""
    return max(1.0, (until - since) / HOUR)


@dataclass(frozen=True, slots=True)
class RetainedHours:
    """The hours inside the retention that have begun.

    Attributes:
        since: Start of the oldest hour, UTC, on the hour.
        now: The present, which lies in the newest hour.
    """

    since: datetime
    now: datetime

    @property
    def until(self) -> datetime:
        """End of the running bucket, UTC."""
        return floor_hour(self.now) + HOUR

    def clip(self, since: datetime, until: datetime) -> tuple[datetime, datetime]:
        """Clip a half-open range to the retained hours; until < since if they do not overlap."""
        return max(since, self.since), min(until, self.until)


def retained_hours(now: datetime, retention: timedelta) -> RetainedHours:
    """Return the hours that are retained at an instant."""
    return RetainedHours(floor_hour(now - retention), now.astimezone(UTC))
