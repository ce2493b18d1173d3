"""Comparisons of a period with earlier ones: which parts of them correspond. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median
from typing import Literal

from aggregator.metrics.periods import DAY, LAST_24_HOURS, Period, at_local, first_bucket
from aggregator.metrics.totals import Totals, Value
from aggregator.metrics.windows import floor_hour

Kind = Literal["usual", "before"]
"""Kinds of comparison: with the same time in the weeks before, or with the period before."""

USUAL_WEEKS = 4
LEAST_USUAL = 2
"""Weeks, at least, of which a median says what is usual."""


@dataclass(frozen=True, slots=True)
class Part:
    """A half-open range of whole hours that are over, UTC: the part of a period that counts."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Candidates:
    """Parts of a period and of earlier ones that correspond to each other.

    Attributes:
        usual: The part of the period, and those one to four weeks before, newest first;
            the latter are empty unless the period is a day or 24 hours.
        before: The part of the period, and that of the period before.
    """

    usual: tuple[Part, Sequence[Part]]
    before: tuple[Part, Part]

    @property
    def since(self) -> datetime:
        """Start of the earliest part."""
        return min(part.since for part in (*self.usual[1], self.before[1]))

    def chosen(
        self, used_since: datetime, known_since: datetime
    ) -> tuple[Kind, Part, list[Part]] | None:
        """Choose the parts to compare with.

        Args:
            used_since: Since when the scope has been active: nothing was usual before.
            known_since: Since when anything is known.

        Returns:
            The kind of comparison, the part of the period that counts, and the parts that
            it is compared with; None if nothing earlier is known.
        """
        now, weeks = self.usual
        usual = [part for part in weeks if part.since >= max(used_since, known_since)]
        if len(usual) >= LEAST_USUAL:
            return "usual", now, usual
        now, then = self.before
        return ("before", now, [then]) if then.since >= known_since else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period compared with earlier ones, all in whole hours that are over.

    Attributes:
        kind: ``usual`` for the median of the same weekdays before, or of the same 24 hours
            of the weeks before; ``before`` for the period before.
        period: The period.
        part: The part of the period that counts. It ends with the last hour that is over;
            in a month, at the latest when the month before has no more days.
        parts: The corresponding parts of the earlier periods, newest first: up to the same
            local time of day. One for ``before``, two to four for ``usual``.
        now: Totals of the part of the period.
        then: Totals of each of the earlier parts.
    """

    kind: Kind
    period: Period
    part: Part
    parts: tuple[Part, ...]
    now: Totals
    then: tuple[Totals, ...]

    def reference(self, number: Callable[[Totals], Value]) -> float | None:
        """Return the median of a number over the earlier parts that have it, or None."""
        values = [value for value in map(number, self.then) if value is not None]
        return median(values) if values else None


def candidates(period: Period, now: datetime) -> Candidates | None:
    """Find the parts of earlier periods that correspond to the part of a period that is over.

    A time of day corresponds to the same time on another day, in the zone of the period. If
    it occurs twice, both correspond to the first.

    Returns:
        The parts, or None while no hour of the period is over.
    """
    until = min(period.until, floor_hour(now))
    if until <= period.since:
        return None
    whole = Part(period.since, until)
    is_day = period.name in ("day", LAST_24_HOURS)
    weeks = range(1, USUAL_WEEKS + 1) if is_day else ()
    usual = [
        part for week in weeks if (part := _weeks_before(period, until, week)).since < part.until
    ]
    before = _before(period, until)
    # At the beginning of the calendar there is nothing before.
    if before is None or min(part.since for part in (*usual, before[1])) >= period.since:
        return None
    return Candidates((whole, usual), before)


def _weeks_before(period: Period, until: datetime, weeks: int) -> Part:
    days = 7 * weeks
    if period.end:
        return Part(_days_before(period.since, days, period), _days_before(until, days, period))
    earlier = period.shifted(-days)
    whole = until == period.until
    return Part(earlier.since, earlier.until if whole else _days_before(until, days, period))


def _before(period: Period, until: datetime) -> tuple[Part, Part] | None:
    """Return the part of a period and that of the period before; None if one is empty."""
    before = period.earlier()
    if period.end:
        return Part(period.since, until), Part(before.since, until - DAY)
    # Months have different numbers of days: they are compared as far as both go.
    shared = min(period.day_count, before.day_count)
    end, before_end = (
        first_bucket(each.first + shared * DAY, each.zone) for each in (period, before)
    )
    if until < end:
        end, before_end = until, _corresponding(until, period.first, before)
    if before_end <= before.since:
        return None
    return Part(period.since, end), Part(before.since, before_end)


def _corresponding(until: datetime, first: date, before: Period) -> datetime:
    local = until.astimezone(before.zone)
    day = before.first + (local.date() - first)
    return at_local(day, local.time().replace(fold=0), before.zone)


def _days_before(at: datetime, days: int, period: Period) -> datetime:
    local = at.astimezone(period.zone)
    return at_local(local.date() - days * DAY, local.time().replace(fold=0), period.zone)
