from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.periods import calendar_period, last_hours
from aggregator.metrics.scope import OVERALL, Scope
from aggregator.metrics.spans import Span
from aggregator.metrics.windows import retained_hours
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader

BERLIN = ZoneInfo("Europe/Berlin")
# Monday, 21:30 in Berlin.
NOW = datetime(2026, 11, 2, 20, 30, tzinfo=UTC)
MONDAY = calendar_period("day", date(2026, 11, 2), BERLIN)


def local(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN)


@pytest.fixture
def reader(empty_engine, record):
    """Mondays with 8, 2, 0 and 6 turns until 21:00, and a project that began a week ago.

    The clocks went back on Sunday, 25 October.
    """
    mondays = [date(2026, 11, 2) - week * timedelta(days=7) for week in range(5)]
    turns = [local(mondays[0], 20, minute) for minute in range(5)]
    for monday, count in zip(mondays[1:], (8, 2, 0, 6), strict=True):
        turns += [local(monday, 20, minute) for minute in range(count)]
        # After the time that counts, and on another day.
        turns += [local(monday, 21, 5), local(monday, 23), local(monday, 9) - timedelta(days=1)]
    new = [local(mondays[0], 20, 10), local(mondays[1], 9), local(mondays[0], 9) - timedelta(1)]
    with empty_engine.begin() as conn:
        record(conn, "alpha", "aaaaaaaa-1", sorted(turns))
        record(conn, "beta", "bbbbbbbb-2", sorted(new))
    make_pass(empty_engine, NOW, timedelta(days=62))
    return MetricReader(empty_engine)


def compared(reader, scope=OVERALL, period=MONDAY, days=62):
    return reader.overview(scope, period, NOW, retention=timedelta(days=days)).compared


def turns(comparison):
    return [totals.turn_count for totals in (comparison.now, *comparison.then)]


def test_a_monday_is_compared_with_four_mondays_up_to_the_same_time(reader):
    found = compared(reader)

    assert (found.kind, turns(found)) == ("usual", [6, 9, 2, 0, 6])
    assert found.reference(lambda totals: totals.turn_count) == 4
    assert [part.until for part in found.parts] == [
        local(date(2026, 10, day), 21) for day in (26, 19, 12, 5)
    ]


def test_24_hours_are_compared_with_the_same_hours_of_four_weeks(reader):
    found = compared(reader, period=last_hours(NOW, BERLIN))

    assert (found.kind, turns(found)) == ("usual", [6, 9, 2, 0, 6])
    # Of the first week before, 24 hours lie between 22 and 21 o'clock.
    assert [totals.elapsed_hours for totals in found.then] == [23, 23, 23, 23]


def test_weeks_before_the_retention_are_left_out_and_one_is_not_usual(reader):
    assert turns(compared(reader, days=15)) == [6, 9, 2]
    week = compared(reader, days=10)

    assert (week.kind, turns(week)) == ("before", [6, 1])


def test_a_scope_is_compared_with_what_is_usual_since_its_first_turn(reader):
    alpha, beta = (compared(reader, Scope("project", (project,))) for project in (1, 2))

    assert (alpha.kind, turns(alpha)) == ("usual", [5, 8, 2, 0, 6])
    assert (beta.kind, turns(beta)) == ("before", [1, 1])


def test_nothing_is_compared_with_the_time_before_the_first_turns(reader):
    month = calendar_period("month", date(2026, 11, 2), BERLIN)
    early = calendar_period("day", date(2026, 10, 4), BERLIN)

    assert compared(reader, period=early) is None
    # October began before anything was known.
    assert compared(reader, period=month) is None


@pytest.mark.parametrize("scope", [OVERALL, Scope("project", (1,)), Scope("agent", (1, 2))])
def test_the_api_compares_as_the_page_does(reader, scope):
    retained = retained_hours(NOW, timedelta(days=62))
    span = Span(MONDAY.window(NOW), retained, zone=BERLIN, period=MONDAY)

    assert reader.activity(scope, span).compared == compared(reader, scope)
