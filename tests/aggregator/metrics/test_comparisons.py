from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.comparisons import Candidates, Comparison, Part, candidates
from aggregator.metrics.periods import calendar_period, last_hours
from aggregator.metrics.totals import Totals

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
HAVANA = ZoneInfo("America/Havana")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def utc(day: int, hour: int = 0, month: int = 11, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_a_day_so_far_corresponds_to_the_same_weekdays_up_to_the_same_time():
    # Sunday; the clocks changed on 25 October.
    day = calendar_period("day", date(2026, 11, 8), BERLIN)

    part, weeks = candidates(day, utc(8, 14, minute=5)).usual

    assert part == Part(utc(7, 23), utc(8, 14))
    assert list(weeks) == [
        Part(utc(31, 23, month=10), utc(1, 14)),
        # A day of 25 hours, whose afternoon has another offset than its morning.
        Part(utc(24, 22, month=10), utc(25, 14, month=10)),
        Part(utc(17, 22, month=10), utc(18, 13, month=10)),
        Part(utc(10, 22, month=10), utc(11, 13, month=10)),
    ]


def test_a_day_that_is_over_corresponds_to_whole_days():
    day = calendar_period("day", date(2026, 11, 1), NEW_YORK)

    found = candidates(day, day.until)

    assert found.usual[1][0] == Part(utc(25, 4, month=10), utc(26, 4, month=10))
    assert found.before == (Part(day.since, day.until), Part(utc(31, 4, month=10), utc(1, 4)))


def test_24_hours_correspond_to_the_same_hours_of_the_clock():
    now = utc(1, 14, minute=40)

    part, weeks = candidates(last_hours(now, NEW_YORK), now).usual
    before = candidates(last_hours(now, NEW_YORK), now).before[1]

    assert part == Part(utc(31, 15, month=10), utc(1, 14))
    # From 11 to 9 o'clock: 23 hours with the one that came twice, 22 in other weeks.
    assert weeks[0] == Part(utc(24, 15, month=10), utc(25, 13, month=10))
    assert before == Part(utc(30, 15, month=10), utc(31, 14, month=10))


def test_a_running_week_corresponds_to_the_one_before_up_to_the_same_time_of_day():
    week = calendar_period("week", date(2026, 11, 3), NEW_YORK)
    # Tuesday, 9:40 in New York; the week before had another offset.
    now = utc(3, 14, minute=40)

    assert candidates(week, now) == Candidates(
        (Part(week.since, utc(3, 14)), []),
        (Part(week.since, utc(3, 14)), Part(week.earlier().since, utc(27, 13, month=10))),
    )


@pytest.mark.parametrize(
    ("on", "now", "until", "since", "before_until"),
    [
        # The same day and time of the month before.
        (date(2026, 11, 20), utc(20, 20), utc(20, 20), utc(30, 22, 9), utc(20, 19, 10)),
        # 30 days of September have no 31st to correspond to.
        (date(2026, 10, 31), utc(31, 20, 10), utc(30, 23, 10), utc(31, 22, 8), utc(30, 22, 9)),
        # A month that is over: as many days as both have.
        (date(2026, 2, 4), utc(4, 9), utc(28, 23, 2), utc(31, 23, 12) - 365 * DAY, utc(28, 23, 1)),
        (date(2026, 3, 4), utc(4, 9), utc(28, 23, 3), utc(31, 23, 1), utc(28, 23, 2)),
    ],
)
def test_months_correspond_as_far_as_both_go(on, now, until, since, before_until):
    month = calendar_period("month", on, BERLIN)

    assert candidates(month, now).before == (
        Part(month.since, until),
        Part(since, before_until),
    )


@pytest.mark.parametrize("minutes", [-90, 0, 59])
def test_before_its_first_hour_is_over_a_period_compares_with_nothing(minutes):
    day = calendar_period("day", date(2026, 11, 22), BERLIN)

    assert candidates(day, day.since + timedelta(minutes=minutes)) is None


def test_the_second_midnight_has_no_earlier_hours_to_compare_with():
    day = calendar_period("day", date(2026, 11, 1), HAVANA)

    assert candidates(day, day.since + HOUR) is None


def test_two_weeks_that_are_known_are_usual_and_one_is_not():
    day = calendar_period("day", date(2026, 11, 22), BERLIN)
    found = candidates(day, utc(22, 14))
    part, weeks = found.usual
    two, one = (weeks[number].since for number in (1, 0))

    assert found.chosen(two, utc(1)) == ("usual", part, weeks[:2])
    assert found.chosen(utc(1), two) == ("usual", part, weeks[:2])
    assert found.chosen(one, utc(1)) == ("before", part, [found.before[1]])
    assert found.chosen(utc(22, 9), one) == ("before", part, [found.before[1]])
    assert found.chosen(utc(22, 9), utc(21, 9)) is None


def test_a_reference_is_the_median_of_those_that_have_the_number():
    def totals(turns, average):
        values = {"turn_count": turns, "avg_turn_time_seconds": average, "active_agents": 1}
        return Totals(values, active_hours=1, elapsed_hours=10)

    then = (totals(10, 60.0), totals(40, None), totals(20, 80.0), totals(25, None))
    day = calendar_period("day", date(2026, 11, 22), BERLIN)
    compared = Comparison("usual", day, Part(day.since, day.until), (), then[0], then)

    assert compared.reference(lambda each: each.values["turn_count"]) == 22.5
    assert compared.reference(lambda each: each.values["avg_turn_time_seconds"]) == 70
    assert compared.reference(lambda each: each.turn_rate) == 2.25
    assert compared.reference(lambda _: None) is None
