from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.periods import Period, last_hours
from dashboard import formatting

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0, "0 s"),
        (0.4, "<1 s"),
        (48, "48 s"),
        (59.6, "1 min"),
        (84, "1 min 24 s"),
        (64, "1 min 04 s"),
        (3599.7, "1 h"),
        (7500, "2 h 05 min"),
        (359_940, "99 h 59 min"),
        (4_444_000, "1\u202f234 h"),
    ],
)
def test_a_duration_reads_in_two_units(seconds, text):
    assert formatting.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.01, "<0.1"),
        (0.06, "0.1"),
        (3.44, "3.4"),
        (999.96, "1\u202f000"),
        (1234.5, "1\u202f234"),
    ],
)
def test_a_rate_has_one_decimal_while_that_says_something(number, text):
    assert formatting.rate(number) == text


def test_whole_numbers_are_grouped_by_a_thin_space():
    assert [formatting.count(number) for number in (0, 999, 1000, 1234567)] == [
        "0",
        "999",
        "1\u202f000",
        "1\u202f234\u202f567",
    ]


def test_one_is_singular():
    assert [formatting.counted(number, "turn") for number in (0, 1, 2)] == [
        "0 turns",
        "1 turn",
        "2 turns",
    ]


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "–"),
        (0, 9, "0\u202f%"),
        (1, 9000, "<0.1\u202f%"),
        (43, 1000, "4.3\u202f%"),
        (9949, 100_000, "9.9\u202f%"),
        (995, 10_000, "10\u202f%"),
        (1, 8, "12\u202f%"),
    ],
)
def test_a_share_has_tenths_below_ten_percent(part, whole, text):
    assert formatting.share(part, whole) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=4, seconds=50), "4 min ago"),
        (timedelta(hours=3, minutes=59), "3 h ago"),
        (timedelta(hours=30), "1 day ago"),
        (timedelta(days=12), "12 days ago"),
    ],
)
def test_an_age_is_rounded_down(age, text):
    assert formatting.ago(NOW - age, NOW) == text


def _period(zone: str, start: str, hours: float = 1) -> str:
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    last = first + timedelta(hours=hours)
    return formatting.period(first.astimezone(ZoneInfo(zone)), last.astimezone(ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("zone", "start", "hours", "text"),
    [
        ("UTC", "2026-11-03T14:00", 1, "Tue 3 Nov, 14:00–15:00"),
        ("UTC", "2026-11-03T23:00", 1, "Tue 3 Nov, 23:00–24:00"),
        ("UTC", "2026-11-03T00:00", 24, "Tue 3 Nov"),
        ("UTC", "2026-11-03T15:00", 9, "Tue 3 Nov, 15:00–24:00"),
        ("Asia/Kolkata", "2026-11-03T09:00", 1, "Tue 3 Nov, 14:30–15:30"),
        ("Asia/Kolkata", "2026-11-03T18:00", 1, "Tue 3 Nov, 23:30 – Wed 4 Nov, 00:30"),
        ("America/New_York", "2026-11-01T04:00", 25, "Sun 1 Nov"),
    ],
)
def test_a_period_is_named_in_local_time(zone, start, hours, text):
    assert _period(zone, start, hours) == text


def test_the_repeated_hour_of_autumn_is_told_apart():
    hours = ["2026-11-01T04:00", "2026-11-01T05:00", "2026-11-01T06:00", "2026-11-01T07:00"]

    assert [_period("America/New_York", hour) for hour in hours] == [
        "Sun 1 Nov, 00:00–01:00",
        "Sun 1 Nov, 01:00 EDT–01:00 EST",
        "Sun 1 Nov, 01:00 EST–02:00 EST",
        "Sun 1 Nov, 02:00–03:00",
    ]


def test_dates_are_english_and_carry_the_year_where_it_may_differ():
    at = datetime(2026, 8, 21, 9, 7, tzinfo=UTC)

    assert (formatting.day(at), formatting.date(at), formatting.clock(at)) == (
        "Fri 21 Aug",
        "Fri 21 Aug 2026",
        "09:07",
    )


@pytest.mark.parametrize(
    ("kind", "first", "last", "text"),
    [
        ("day", date(2026, 11, 22), date(2026, 11, 22), "Sun 22 Nov 2026"),
        ("week", date(2026, 11, 16), date(2026, 11, 22), "16–22 Nov 2026"),
        ("week", date(2026, 10, 26), date(2026, 11, 1), "26 Oct – 1 Nov 2026"),
        ("week", date(2026, 12, 28), date(2027, 1, 3), "28 Dec 2026 – 3 Jan 2027"),
        ("month", date(2026, 11, 1), date(2026, 11, 30), "November 2026"),
    ],
)
def test_a_period_of_days_has_a_short_name(kind, first, last, text):
    assert formatting.period_name(Period(kind, first, last, ZoneInfo("UTC"))) == text


def test_24_hours_are_named_by_their_ends():
    end = datetime(2027, 1, 1, 14, tzinfo=UTC)

    named = formatting.period_name(last_hours(end, ZoneInfo("Europe/Berlin")))

    assert named == "31 Dec 2026 – 1 Jan 2027, 15:00–15:00"


@pytest.mark.parametrize(
    ("now", "then", "text"),
    [
        (112, 100, "▲\u202f12\u202f%"),
        (97, 100, "▼\u202f3\u202f%"),
        (100.4, 100, "±\u202f0\u202f%"),
        (0, 4, "▼\u202f100\u202f%"),
        (1234, 100, "▲\u202f1\u202f134\u202f%"),
        (5, 0, ""),
        (5, None, ""),
        (None, 5, ""),
    ],
)
def test_a_change_is_in_whole_percent_of_what_was(now, then, text):
    assert formatting.change(now, then) == text
