"""Format numbers and times alike in cards, tables, charts and sentences.

The texts are English, whatever the locale of the process. Local times arrive converted:
every function shows the wall clock of the instant it gets.
"""

from __future__ import annotations

import datetime as dt

from aggregator.metrics.measures import Measure
from aggregator.metrics.periods import Period

NO_VALUE = "–"
"""Text for a number that does not exist, such as an average of nothing."""

THIN = "\u202f"
"""Narrow no-break space: groups digits, and keeps a number beside its unit."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FULL_WEEKDAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def count(number: int) -> str:
    """Format a whole number: ``1 234``."""
    return f"{number:,}".replace(",", THIN)


def counted(number: int, noun: str) -> str:
    """Format a number with its noun: ``1 turn``, ``23 turns``."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def amount(measure: Measure, number: float | None) -> str:
    """Format a measured number by itself: ``23``, ``1 min 24 s``."""
    if measure.unit == "seconds":
        return duration(number)
    return NO_VALUE if number is None else count(int(number))


def quantity(measure: Measure, number: float) -> str:
    """Format a measured number for a sentence: ``23 turns``, ``1 min average gap``."""
    if measure.unit == "seconds":
        return f"{duration(number)} {measure.label.lower()}"
    return counted(int(number), measure.noun)


def mean(measure: Measure, number: float) -> str:
    """Format a mean of measured numbers: ``3.4``, ``1 min 24 s``."""
    if measure.unit == "seconds":
        return duration(number)
    return rate(number) if number < 100 else count(round(number))


def rate(per_hour: float | None) -> str:
    """Format a rate: ``3.4``, ``<0.1``, ``1 234``."""
    if per_hour is None:
        return NO_VALUE
    if per_hour == 0:
        return "0"
    if per_hour < 0.05:
        return "<0.1"
    return f"{per_hour:.1f}" if per_hour < 999.95 else count(round(per_hour))


def share(part: float, whole: float) -> str:
    """Format a part of a whole in percent: ``12 %``, ``4.3 %``, ``<0.1 %``, ``0 %``."""
    if not whole:
        return NO_VALUE
    percent = 100 * part / whole
    if not part or percent >= 9.95:
        return f"{round(percent)}{THIN}%"
    return f"<0.1{THIN}%" if percent < 0.05 else f"{percent:.1f}{THIN}%"


def duration(seconds: float | None) -> str:
    """Format a time span in at most two units: ``48 s``, ``1 min 24 s``, ``2 h 05 min``.

    From 100 hours on, these are whole: ``1 234 h``.
    """
    if seconds is None or seconds != seconds:  # noqa: PLR0124 - only NaN differs from itself
        return NO_VALUE
    if 0 < seconds < 1:
        return "<1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / 60), 60)
    if hours >= 100:
        return f"{count(round(seconds / 3600))} h"
    return f"{hours} h {rest:02} min" if rest else f"{hours} h"


def ago(at: dt.datetime, now: dt.datetime) -> str:
    """Format the age of an instant: ``just now``, ``4 min ago``, ``3 h ago``, ``2 days ago``."""
    age = now - at
    if age < dt.timedelta(minutes=1):
        return "just now"
    if age < dt.timedelta(hours=1):
        return f"{age // dt.timedelta(minutes=1)} min ago"
    if age < dt.timedelta(days=1):
        return f"{age // dt.timedelta(hours=1)} h ago"
    return f"{counted(age // dt.timedelta(days=1), 'day')} ago"


def clock(at: dt.datetime) -> str:
    """Format a time of day: ``14:05``."""
    return f"{at:%H:%M}"


def day(at: dt.date) -> str:
    """Format a day without its year: ``Tue 3 Nov``."""
    return f"{WEEKDAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]}"


def date(at: dt.date) -> str:
    """Format a day with its year: ``Fri 21 Aug 2026``."""
    return f"{day(at)} {at.year}"


def days(first: dt.date, last: dt.date) -> str:
    """Format a range of days without its year: ``16–22 Nov``, ``26 Oct – 1 Nov``.

    A range of one day is that day; the first year is named if it differs from the last.
    """
    if first == last:
        return day(first)
    start, end = f"{first.day}", f"{last.day} {MONTHS[last.month - 1]}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{start}–{end}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{start} {MONTHS[first.month - 1]}{year} – {end}"


def short_period_name(period: Period) -> str:
    """Format a period, 24 hours without their year: ``21–22 Nov, 15:00–15:00``."""
    name = period_name(period)
    return (
        name.replace(f" {period.until.astimezone(period.zone).year},", ",") if period.end else name
    )


def period_name(period: Period) -> str:
    """Format a period: ``Sun 22 Nov 2026``, ``16–22 Nov 2026``, ``November 2026``.

    24 hours: ``21–22 Nov 2026, 15:00–15:00``.
    """
    first, last = period.first, period.last
    if period.name == "month":
        return f"{FULL_MONTHS[first.month - 1]} {first.year}"
    if period.end:
        since, until = (at.astimezone(period.zone) for at in (period.since, period.until))
        between = f"{clock(since)}–{clock(until)}"
        return f"{days(since.date(), until.date())} {until.year}, {between}"
    return f"{days(first, last)} {last.year}"


def change(now: float | None, then: float | None) -> str:
    """Format a change in percent: ``▲ 12 %``, ``▼ 3 %``, ``± 0 %``; empty if not comparable."""
    if now is None or not then:
        return ""
    percent = round(100 * (now - then) / then)
    if not percent:
        return f"±{THIN}0{THIN}%"
    return f"{'▲' if percent > 0 else '▼'}{THIN}{count(abs(percent))}{THIN}%"


def shortened(text: str, longest: int) -> str:
    """Shorten a text to a number of characters: ``a-very-long-na…``."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def sentence(text: str) -> str:
    """Capitalize the first letter of a text."""
    return text[:1].upper() + text[1:]


def period(start: dt.datetime, end: dt.datetime) -> str:
    """Format a range of local time: ``Tue 3 Nov, 14:00–15:00``; a whole day: ``Tue 3 Nov``.

    Near a clock change, the names of the offsets distinguish the hours of one name:
    ``Sun 1 Nov, 01:00 EDT–01:00 EST``.

    Args:
        start: First instant, in the viewer's zone.
        end: First instant after it, in the same zone.
    """
    from_midnight = clock(start) == "00:00"
    to_midnight = clock(end) == "00:00" and end.date() == start.date() + dt.timedelta(days=1)
    if from_midnight and to_midnight:
        return day(start)
    first, last = clock(start), "24:00" if to_midnight else clock(end)
    if _clocks_change_near(start, end):
        first, last = f"{first} {start:%Z}", f"{last} {end:%Z}"
    if to_midnight or start.date() == end.date():
        return f"{day(start)}, {first}–{last}"
    return f"{day(start)}, {first} – {day(end)}, {last}"


def _clocks_change_near(start: dt.datetime, end: dt.datetime) -> bool:
    """Return True if the offset changes in a short range, or in the hour before it."""
    if end - start > dt.timedelta(hours=2):
        return False
    # Subtracting within a zone moves the wall clock, so subtract in UTC.
    before = dt.datetime.fromtimestamp(start.timestamp() - 3600, start.tzinfo)
    return len({at.utcoffset() for at in (before, start, end)}) > 1
