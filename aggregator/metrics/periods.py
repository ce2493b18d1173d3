"""Periods: calendar days, weeks and months in a viewer's time zone, and the time up to now.

Metrics are stored by UTC hour, but a local day may start within one: in Kolkata at half
past. When the clocks change, a day has 23 or 25 hours. One rule covers all cases: a bucket
belongs to the local day in which it starts. So a day begins with the first full UTC hour
that is not before its midnight, and days are adjacent without gaps or overlaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

from aggregator.errors import ParameterError
from aggregator.metrics.windows import HOUR, LONGEST, Window, WindowName, ceil_hour, floor_hour

CalendarName = Literal["day", "week", "month"]

CALENDAR: tuple[CalendarName, ...] = get_args(CalendarName)

LAST_24_HOURS: Literal["last-24-hours"] = "last-24-hours"

ROLLING_DAYS: dict[str, int] = {"last-7-days": 7, "last-30-days": 30}
"""Days of the periods that end with today, by their names."""

ROLLING = (LAST_24_HOURS, *ROLLING_DAYS)
"""Names of the periods that move on with time."""

DAY = timedelta(days=1)

FIRST_DAY = date(1971, 1, 1)

LAST_DAY = date(9998, 12, 31)
"""Last day of the calendar: local times in every zone still fit into a ``datetime``."""


@dataclass(frozen=True, slots=True)
class Period:
    """A range of calendar days in a viewer's time zone, or 24 hours.

    Attributes:
        name: Kind of period.
        first: First local day; of 24 hours, the day in which their first bucket starts.
        last: Last local day, inclusive; of 24 hours, the day in which their last bucket starts.
        zone: The viewer's time zone.
        end: End of 24 hours, UTC, on the hour; None for whole days.
    """

    name: WindowName
    first: date
    last: date
    zone: ZoneInfo
    end: datetime | None = None

    @property
    def since(self) -> datetime:
        """Start of its first bucket, UTC, on the hour."""
        return self.end - DAY if self.end else first_bucket(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """End of its last bucket, UTC, on the hour."""
        return self.end or first_bucket(self.last + DAY, self.zone)

    @property
    def day_count(self) -> int:
        """Number of days: calendar days, or 1 for 24 hours."""
        return 1 if self.end else (self.last - self.first).days + 1

    def holds(self, at: datetime) -> bool:
        """Return whether an instant lies in one of its buckets."""
        return self.since <= at < self.until

    def earlier(self) -> Period:
        """Return the period before it, or itself at the beginning of the calendar."""
        if self.name not in CALENDAR:
            return self.shifted(-self.day_count)
        if self.first <= FIRST_DAY:
            return self
        return calendar_period(self.name, self.first - DAY, self.zone)

    def later(self) -> Period:
        """Return the period after it, or itself at the end of the calendar."""
        if self.name not in CALENDAR:
            return self.shifted(self.day_count)
        if self.last >= LAST_DAY:
            return self
        return calendar_period(self.name, self.last + DAY, self.zone)

    def shifted(self, days: int) -> Period:
        """Return the period of this name some days later, or itself outside the calendar.

        24 hours are shifted by days of 24 hours.
        """
        try:
            first, last = self.first + days * DAY, self.last + days * DAY
        except OverflowError:
            return self
        if first < FIRST_DAY or last > LAST_DAY:
            return self
        if self.end:
            return last_hours(self.end + days * DAY, self.zone)
        return Period(self.name, first, last, self.zone)

    def days(self) -> list[tuple[datetime, datetime]]:
        """Start and end of each of its local days, UTC, on the hour, oldest first.

        A day that a zone skipped, as Samoa did with 30 December 2011, is left out. The two
        days of 24 hours are the parts inside.
        """
        midnights = [
            first_bucket(self.first + number * DAY, self.zone)
            for number in range(1, (self.last - self.first).days + 1)
        ]
        edges = [self.since, *midnights, self.until]
        return [(start, end) for start, end in pairwise(edges) if start < end]

    def window(self, now: datetime) -> Window:
        """Return the window from its first to its last instant, as seen at ``now``."""
        return Window(self.name, self.since, self.until, now.astimezone(UTC))


def calendar_period(name: CalendarName, on: date, zone: ZoneInfo) -> Period:
    """Return the day, the week (from Monday) or the month that contains a day.

    A day outside :data:`FIRST_DAY` to :data:`LAST_DAY` is replaced by the nearest one inside.
    """
    on = min(max(on, FIRST_DAY), LAST_DAY)
    if name == "day":
        return Period(name, on, on, zone)
    if name == "week":
        monday = on - on.weekday() * DAY
        return Period(name, monday, monday + 6 * DAY, zone)
    first = on.replace(day=1)
    return Period(name, first, (first + 31 * DAY).replace(day=1) - DAY, zone)


def custom_period(first: date, last: date, zone: ZoneInfo) -> Period:
    """Return the days from ``first`` to ``last``, both inclusive.

    Raises:
        ParameterError: The days are reversed, longer than :data:`LONGEST`, or outside
            :data:`FIRST_DAY` to :data:`LAST_DAY`.
    """
    for name, day in (("first", first), ("last", last)):
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ParameterError(name, day.isoformat(), f"a day from {FIRST_DAY} to {LAST_DAY}")
    if last < first:
        raise ParameterError("last", last.isoformat(), f"a day on or after {first}")
    if (last - first).days >= LONGEST.days:
        allowed = f"a day less than {LONGEST.days} days before last"
        raise ParameterError("first", first.isoformat(), allowed)
    return Period("custom", first, last, zone)


def last_hours(end: datetime, zone: ZoneInfo) -> Period:
    """Return the 24 hours up to an instant, which is rounded up to the hour.

    They are 24 whole hours when the clocks change, too.
    """
    until = ceil_hour(end)
    first, last = ((until - hours).astimezone(zone).date() for hours in (DAY, HOUR))
    return Period(LAST_24_HOURS, first, last, zone, until)


def rolling_period(name: str, now: datetime, zone: ZoneInfo) -> Period:
    """Return the last 24 hours including the running one, or the last days including today.

    Args:
        name: One of :data:`ROLLING`.
        now: The present.
        zone: The viewer's time zone.
    """
    if name == LAST_24_HOURS:
        return last_hours(floor_hour(now) + HOUR, zone)
    return last_days(name, today(now, zone), zone)


def last_days(name: str, last: date, zone: ZoneInfo) -> Period:
    """Return the 7 or 30 calendar days up to a day.

    Args:
        name: One of :data:`ROLLING_DAYS`.
        last: The last day; one outside the calendar is replaced by the nearest one inside.
        zone: The viewer's time zone.
    """
    length = (ROLLING_DAYS[name] - 1) * DAY
    last = min(max(last, FIRST_DAY + length), LAST_DAY)
    return Period(cast("WindowName", name), last - length, last, zone)


def today(now: datetime, zone: ZoneInfo) -> date:
    """Return the local day to which the running bucket belongs.

    In zones where days start at half past, the old day lasts until its last bucket is over.
    """
    return floor_hour(now).astimezone(zone).date()


def first_bucket(day: date, zone: ZoneInfo) -> datetime:
    """Return the first full UTC hour that is not before a local day's midnight."""
    return at_local(day, time(), zone)


def at_local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return the first full UTC hour that is not before a local time of day.

    If the clock shows the time twice, the first one counts; if it skips the time, the
    result is the moment of the jump or later.
    """
    return ceil_hour(datetime.combine(day, clock, zone).astimezone(UTC))
