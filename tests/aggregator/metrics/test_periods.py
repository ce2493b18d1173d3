from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import ParameterError
from aggregator.metrics.periods import (
    FIRST_DAY,
    LAST_DAY,
    Period,
    calendar_period,
    custom_period,
    last_hours,
    rolling_period,
    today,
)
from aggregator.metrics.windows import RetainedHours, Window

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
KOLKATA = ZoneInfo("Asia/Kolkata")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
HAVANA = ZoneInfo("America/Havana")
APIA = ZoneInfo("Pacific/Apia")
UTC_ZONE = ZoneInfo("UTC")
ZONES = [BERLIN, NEW_YORK, KOLKATA, KATHMANDU, LORD_HOWE, HAVANA, APIA, UTC_ZONE]
HOUR = timedelta(hours=1)


def utc(day: int, hour: int = 0, month: int = 11, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("day", date(2026, 11, 22), date(2026, 11, 22)),
        ("week", date(2026, 11, 16), date(2026, 11, 22)),
        ("month", date(2026, 11, 1), date(2026, 11, 30)),
    ],
)
def test_a_sunday_lies_in_its_day_its_week_from_monday_and_its_month(name, first, last):
    on = date(2026, 11, 22)

    assert calendar_period(name, on, BERLIN) == Period(name, first, last, BERLIN)


@pytest.mark.parametrize(
    ("zone", "day", "since", "hours"),
    [
        (BERLIN, date(2026, 10, 25), utc(24, 22, month=10), 25),
        (BERLIN, date(2026, 3, 29), utc(28, 23, month=3), 23),
        (NEW_YORK, date(2026, 11, 1), utc(1, 4), 25),
        (KOLKATA, date(2026, 11, 1), utc(31, 19, month=10), 24),
        (KATHMANDU, date(2026, 11, 1), utc(31, 19, month=10), 24),
        # Half an hour forward: the hour that begins before the jump counts once.
        (LORD_HOWE, date(2026, 10, 4), utc(3, 14, month=10), 23),
        (LORD_HOWE, date(2026, 4, 5), utc(4, 13, month=4), 25),
        # Midnight comes twice; the day begins with the first.
        (HAVANA, date(2026, 11, 1), utc(1, 4), 25),
    ],
)
def test_a_day_holds_the_hours_that_start_in_it(zone, day, since, hours):
    period = calendar_period("day", day, zone)

    assert (period.since, period.until) == (since, since + hours * HOUR)


def test_the_days_of_a_week_with_a_clock_change():
    week = calendar_period("week", date(2026, 11, 1), NEW_YORK)

    assert week.days() == [
        *[(utc(day, 4, month=10), utc(day + 1, 4, month=10)) for day in range(26, 31)],
        (utc(31, 4, month=10), utc(1, 4)),
        (utc(1, 4), utc(2, 5)),
    ]


@given(
    st.sampled_from(ZONES),
    st.sampled_from(["day", "week", "month"]),
    st.dates(date(2000, 1, 1), date(2037, 1, 1)),
)
def test_periods_and_their_days_touch_and_hold_the_hours_that_start_in_them(zone, name, on):
    period = calendar_period(name, on, zone)
    days = period.days()

    assert period.first <= on <= period.last
    assert (days[0][0], days[-1][1]) == (period.since, period.until)
    assert all(end == start for (_, end), (start, _) in pairwise(days))
    assert period.later().since == period.until
    assert period.earlier().until == period.since
    assert period.later().earlier() == period
    for start, end in days:
        assert start.astimezone(zone).date() == (end - HOUR).astimezone(zone).date()
        assert (start - HOUR).astimezone(zone).date() < start.astimezone(zone).date()


def test_a_day_that_a_zone_left_out_is_no_day():
    week = calendar_period("week", date(2011, 12, 30), APIA)

    assert len(week.days()) == 6
    assert calendar_period("day", date(2011, 12, 30), APIA).days() == []


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", ["day", "week", "month"])
def test_at_the_ends_of_the_calendar_a_period_stays(name, zone):
    oldest, newest = (calendar_period(name, day, zone) for day in (date.min, date.max))

    assert (oldest.earlier(), newest.later()) == (oldest, newest)
    assert oldest.later() != oldest
    assert newest.earlier() != newest
    assert newest.since < newest.until


def test_a_custom_period_moves_by_its_own_length_as_far_as_the_calendar_goes():
    period = custom_period(date(2026, 11, 3), date(2026, 11, 5), BERLIN)

    assert period.later() == custom_period(date(2026, 11, 6), date(2026, 11, 8), BERLIN)
    assert period.earlier() == custom_period(date(2026, 10, 31), date(2026, 11, 2), BERLIN)
    for ends in ((FIRST_DAY, FIRST_DAY), (LAST_DAY, LAST_DAY)):
        edge = custom_period(*ends, BERLIN)
        assert edge in (edge.earlier(), edge.later())


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 11, 5), date(2026, 11, 4), "last: .* expected a day on or after 2026-11-05"),
        (
            date(2025, 11, 4),
            date(2026, 11, 5),
            "first: .* expected a day less than 366 days before",
        ),
        (date.min, date(2026, 11, 5), "first: '0001-01-01' .* a day from 1971-01-01 to 9998-12-31"),
        (date(9998, 12, 31), date.max, "last: '9999-12-31' .* a day from"),
    ],
)
def test_reversed_absurd_and_impossible_ranges_are_refused(first, last, words):
    with pytest.raises(ParameterError, match=words):
        custom_period(first, last, BERLIN)


def test_the_longest_custom_period_has_366_days():
    assert custom_period(date(2025, 11, 5), date(2026, 11, 5), BERLIN).day_count == 366


def test_a_period_as_a_window_ends_with_its_last_bucket():
    period, now = calendar_period("day", date(2026, 11, 22), KOLKATA), utc(22, 14)

    assert period.window(now.astimezone(BERLIN)) == Window("day", utc(21, 19), utc(22, 19), now)
    assert [period.holds(at) for at in (utc(21, 18), utc(21, 19), utc(22, 18), utc(22, 19))] == [
        False,
        True,
        True,
        False,
    ]


def test_the_new_day_starts_with_its_first_bucket():
    # 00:10 and 00:30 on 23 November in Kolkata.
    assert today(utc(22, 18, minute=40), KOLKATA) == date(2026, 11, 22)
    assert today(utc(22, 19), KOLKATA) == date(2026, 11, 23)


def test_24_hours_move_by_24_hours_whatever_the_clocks_do():
    hours = last_hours(utc(1, 14, minute=20), NEW_YORK)

    assert (hours.since, hours.until) == (utc(31, 15, month=10), utc(1, 15))
    assert (hours.first, hours.last, hours.day_count) == (date(2026, 10, 31), date(2026, 11, 1), 1)
    # Of the 25 hours of the day of the change, 10 are inside.
    assert hours.days() == [(hours.since, utc(1, 4)), (utc(1, 4), hours.until)]
    assert (hours.earlier().until, hours.later().since) == (hours.since, hours.until)
    assert hours.later().earlier() == hours


def test_24_hours_from_midnight_to_midnight_are_in_one_day():
    assert last_hours(utc(22, 23), BERLIN).first == last_hours(utc(22, 23), BERLIN).last


def test_the_last_24_hours_hold_the_running_one_and_the_last_days_hold_today():
    now = utc(22, 23, minute=10)

    assert rolling_period("last-24-hours", now, BERLIN) == last_hours(utc(23), BERLIN)
    assert rolling_period("last-24-hours", utc(22, 23), BERLIN) == last_hours(utc(23), BERLIN)
    assert rolling_period("last-7-days", now, BERLIN) == Period(
        "last-7-days", date(2026, 11, 17), date(2026, 11, 23), BERLIN
    )
    assert rolling_period("last-30-days", now, BERLIN).day_count == 30


@pytest.mark.parametrize("zone", ZONES)
def test_at_the_ends_of_the_calendar_rolling_periods_stay(zone):
    first, last = (datetime(year, 1, 1, 12, tzinfo=UTC) for year in (1971, 9998))
    oldest = last_hours(first, zone)
    newest = last_hours(last + timedelta(days=364), zone)

    assert oldest in (oldest.earlier(), oldest.earlier().earlier())
    assert newest in (newest.later(), newest.later().later())
    week = rolling_period("last-7-days", first, zone)
    assert week.earlier() == week


def test_what_is_kept_ends_with_the_running_hour():
    retained = RetainedHours(utc(1), utc(22, 14, minute=5))

    assert retained.clip(utc(20), utc(30)) == (utc(20), utc(22, 15))
    assert retained.clip(utc(1) - HOUR, utc(2)) == (utc(1), utc(2))
