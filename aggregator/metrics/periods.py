"""Periods: calendar days, weeks and months in a viewer's time zone.

Metrics are stored by UTC hour, but a local day may start within one: in Kolkata at half
past. When the clocks change, a day has 23 or 25 hours. One rule covers all cases: a bucket
belongs to the local day in which it starts. So a day begins with the first full UTC hour
that is not before its midnight, and days are adjacent without gaps or overlaps.
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
"""Last day of the calendar: local times in every zone still fit into a ``datetime``."""


@dataclass(frozen=True, slots=True)
class Period:
    """A range of calendar days in a viewer's time zone.

    Attributes:
        name: Kind of period.
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
        """Number of calendar days."""
        return (self.last - self.first).days + 1

    def holds(self, at: datetime) -> bool:
        """Return whether an instant lies in one of its buckets."""
        return self.since <= at < self.until

    def earlier(self) -> Period:
        """Return the period before it, or itself at the beginning of the calendar."""
        if self.name == "custom":
            return self._shifted(-self.day_count)
        if self.first <= FIRST_DAY:
            return self
        return calendar_period(self.name, self.first - DAY, self.zone)

    def later(self) -> Period:
        """Return the period after it, or itself at the end of the calendar."""
        if self.name == "custom":
            return self._shifted(self.day_count)
        if self.last >= LAST_DAY:
            return self
        return calendar_period(self.name, self.last + DAY, self.zone)

    def before(self) -> Period:
        """Return the equally long period directly before it, for comparison.

        For days and weeks this is the earlier period. For a month it is the earlier month
        if that is as long, otherwise as many days: 28 days of February cannot be compared
        with 31 of January.
        """
        earlier = self.earlier()
        if earlier.day_count == self.day_count:
            return earlier
        return Period("custom", self.first, self.last, self.zone).earlier()

    def days(self) -> list[tuple[datetime, datetime]]:
        """Start and end of each of its local days, UTC, on the hour, oldest first.

        A day that a zone skipped, as Samoa did with 30 December 2011, is left out.
        """
        edges = [
            first_bucket(self.first + number * DAY, self.zone)
            for number in range(self.day_count + 1)
        ]
        return [(start, end) for start, end in pairwise(edges) if start < end]

    def window(self, now: datetime) -> Window:
        """Return the window from its first to its last instant, as seen at ``now``."""
        return Window(self.name, self.since, self.until, now.astimezone(UTC))

    def _shifted(self, days: int) -> Period:
        try:
            first, last = self.first + days * DAY, self.last + days * DAY
        except OverflowError:
            return self
        inside = first >= FIRST_DAY and last <= LAST_DAY
        return Period(self.name, first, last, self.zone) if inside else self


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


def comparable(period: Period, now: datetime) -> tuple[Period, datetime, datetime] | None:
    """Find the comparable parts of a period and the one before, in whole hours that are over.

    Returns:
        The period before, see :meth:`Period.before`; the instant up to which the period
        counts, which is the start of the running bucket or its end; and the instant up to
        which the period before counts, at the corresponding local time of day. None while
        one of the two parts would be empty.
    """
    before = period.before()
    if now >= period.until:
        return before, period.until, before.until
    running = floor_hour(now)
    local = running.astimezone(period.zone)
    day = before.first + (local.date() - period.first)
    # If a time of day occurs twice, both correspond to the same time on another day.
    before_until = at_local(day, local.time().replace(fold=0), period.zone)
    if running <= period.since or before_until <= before.since:
        return None
    return before, running, before_until


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
