"""Periods: calendar days, weeks and months as a viewer's clock shows them.

Metrics are kept by UTC hour, and local days start when they like: in Kolkata at half
past, on the day the clocks change an hour sooner. One rule covers them all: a bucket
belongs to the local day in which it starts. So a day begins with the first full UTC
hour that is not before its midnight, and days touch without a gap or an overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from aggregator.errors import ParameterError
from aggregator.metrics.windows import LONGEST, Window, ceil_hour, floor_hour

CalendarName = Literal["day", "week", "month"]

PeriodName = Literal["day", "week", "month", "custom"]

DAY = timedelta(days=1)

FIRST_DAY = date(1971, 1, 1)

LAST_DAY = date(9998, 12, 31)
"""The calendar ends where any zone's clock still fits into a ``datetime``."""


@dataclass(frozen=True, slots=True)
class Period:
    """A range of calendar days in a viewer's time zone.

    Attributes:
        name: How it was asked for.
        first: First local day.
        last: Last local day, inclusive.
        zone: The viewer's time zone.
    """

    name: PeriodName
    first: date
    last: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """Start of its first bucket, UTC, on the hour."""
        return first_bucket(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """End of its last bucket, UTC, on the hour."""
        return first_bucket(self.last + DAY, self.zone)

    @property
    def day_count(self) -> int:
        """Calendar days in it."""
        return (self.last - self.first).days + 1

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in one of its buckets."""
        return self.since <= at < self.until

    def earlier(self) -> Period:
        """The neighbour before it; itself at the beginning of the calendar."""
        if self.name == "custom":
            return self._shifted(-self.day_count)
        if self.first <= FIRST_DAY:
            return self
        return calendar_period(self.name, self.first - DAY, self.zone)

    def later(self) -> Period:
        """The neighbour after it; itself at the end of the calendar."""
        if self.name == "custom":
            return self._shifted(self.day_count)
        if self.last >= LAST_DAY:
            return self
        return calendar_period(self.name, self.last + DAY, self.zone)

    def before(self) -> Period:
        """As many days, directly before it: what it can be compared with.

        Days and weeks have their neighbour. A month has it where that is as long, and
        else as many days: 28 days of February are no match for 31 of January.
        """
        neighbour = self.earlier()
        if neighbour.day_count == self.day_count:
            return neighbour
        return Period("custom", self.first, self.last, self.zone).earlier()

    def days(self) -> list[tuple[datetime, datetime]]:
        """Start and end of each of its local days, UTC, on the hour, oldest first.

        A day that a zone left out, as Samoa did with 30 December 2011, is left out.
        """
        edges = [
            first_bucket(self.first + number * DAY, self.zone)
            for number in range(self.day_count + 1)
        ]
        return [(start, end) for start, end in pairwise(edges) if start < end]

    def window(self, now: datetime) -> Window:
        """The same as a range of instants, up to its end, as seen at ``now``."""
        return Window(self.name, self.since, self.until, now.astimezone(UTC))

    def _shifted(self, days: int) -> Period:
        try:
            first, last = self.first + days * DAY, self.last + days * DAY
        except OverflowError:
            return self
        inside = first >= FIRST_DAY and last <= LAST_DAY
        return Period(self.name, first, last, self.zone) if inside else self


def calendar_period(name: CalendarName, on: date, zone: ZoneInfo) -> Period:
    """The day, the week (from Monday) or the month that holds a day.

    A day outside :data:`FIRST_DAY` to :data:`LAST_DAY` stands for the nearest inside.
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
    """The days from ``first`` to ``last``, both inclusive.

    Raises:
        ParameterError: They are reversed, more than :data:`LONGEST`, or outside
            :data:`FIRST_DAY` to :data:`LAST_DAY`.
    """
    for name, day in (("first", first), ("last", last)):
        if not FIRST_DAY <= day <= LAST_DAY:
            raise ParameterError(name, day.isoformat(), f"a day from {FIRST_DAY} to {LAST_DAY}")
    if last < first:
        raise ParameterError("last", last.isoformat(), f"a day not before {first}")
    if (last - first).days >= LONGEST.days:
        raise ParameterError("first", first.isoformat(), f"at most {LONGEST.days} days up to last")
    return Period("custom", first, last, zone)


def comparable(period: Period, now: datetime) -> tuple[Period, datetime, datetime] | None:
    """What a period can be compared with, like for like, in whole hours that are over.

    Returns:
        The period before, see :meth:`Period.before`, and the instants up to which the
        period and the one before count: the start of the running bucket and the same
        local time of day, or both ends. None as long as that would be nothing.
    """
    before = period.before()
    if now >= period.until:
        return before, period.until, before.until
    running = floor_hour(now)
    local = running.astimezone(period.zone)
    day = before.first + (local.date() - period.first)
    # The second of two equal times of day corresponds to the only one of another day.
    before_until = at_local(day, local.time().replace(fold=0), period.zone)
    if running <= period.since or before_until <= before.since:
        return None
    return before, running, before_until


def today(now: datetime, zone: ZoneInfo) -> date:
    """The local day to which the running bucket belongs.

    Where days start at half past, the old day lasts until its last bucket is full.
    """
    return floor_hour(now).astimezone(zone).date()


def first_bucket(day: date, zone: ZoneInfo) -> datetime:
    """The first full UTC hour that is not before a local day's midnight."""
    return at_local(day, time(), zone)


def at_local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first full UTC hour that is not before a local time of day.

    A time that the clock shows twice is the first of both; one that it skips is the
    moment of the jump or later.
    """
    return ceil_hour(datetime.combine(day, clock, zone).astimezone(UTC))
