from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.metrics.periods import Period, custom_period
from aggregator.metrics.scope import OVERALL, Scope
from aggregator.query.overview import Zoom
from dashboard.selection.address import LISTS, METRICS, PATTERNS, SORTS, STEPS, WINDOWS
from dashboard.selection.view import View

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
days = st.dates(date(1971, 1, 1), date(9997, 12, 31))
hours = st.datetimes(datetime(1971, 1, 1), datetime(9997, 12, 31)).map(  # noqa: DTZ001
    lambda at: at.replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
)
ids = st.lists(st.integers(0, 999_999_999), max_size=5).map(lambda found: tuple(sorted({*found})))


@st.composite
def views(draw):
    window = draw(st.sampled_from(WINDOWS))
    first = draw(days) if window == "custom" else None
    return View(
        window=window,
        on=draw(st.none() | days) if window not in ("custom", "last-24-hours") else None,
        until=draw(st.none() | hours) if window == "last-24-hours" else None,
        first=first,
        last=first,
        step=draw(st.sampled_from(STEPS)),
        hour=draw(st.none() | hours),
        zone=draw(st.sampled_from([None, "Europe/Berlin", "America/Port-au-Prince", "UTC"])),
        projects=draw(ids),
        agents=draw(ids),
        metric=draw(st.sampled_from(METRICS)),
        pattern=draw(st.sampled_from(PATTERNS)),
        people=draw(st.sampled_from(LISTS)),
        everyone=draw(st.booleans()),
        sort=draw(st.sampled_from(SORTS)),
        unfolded=draw(st.none() | ids),
    )


@given(views())
def test_an_address_carries_every_choice(view):
    assert View.parse(view.search) == (view, ())


def test_the_default_view_needs_no_query_string():
    assert (View().search, View().address) == ("", "?")
    assert View.parse("") == View.parse(None) == View.parse("?") == (View(), ())


def test_an_address_can_be_read():
    view = View(
        window="week", on=date(2026, 11, 16), zone="Europe/Berlin", projects=(3, 5), sort="+name"
    )

    assert view.search == "?window=week&on=2026-11-16&tz=Europe/Berlin&project=3,5&sort=+name"


@pytest.mark.parametrize(
    ("search", "problem"),
    [
        ("window=year", "window is “year”; it can be day, week, month, last-24-hours, "),
        ("on=16.11.2026", "on is “16.11.2026”; it can be a day such as 2026-11-16"),
        ("on=9999-12-31", "on is “9999-12-31”; it can be a day such as 2026-11-16"),
        ("step=7min", "step is “7min”; it can be hour, 15min or 5min"),
        ("hour=14:00", "hour is “14:00”; it can be an instant with a time zone such as 2026-11-22"),
        ("tz=Berlin", "tz is “Berlin”; it can be a time zone such as Europe/Berlin"),
        ("tz=../../etc/passwd", "tz is “../../etc/passwd”; it can be a time zone such as"),
        ("project=-1", "project is “-1”; it can be whole numbers separated by commas"),
        ("agent=1,,2", "agent is “1,,2”; it can be whole numbers separated by commas"),
        ("metric=cost", "metric is “cost”; it can be time, turns, turn-time or agents"),
        ("everyone=1", "everyone is “1”; it can be yes"),
        ("sort=turns", "sort is “turns”; it can be - or + before working, waiting,"),
        ("window=custom", "a custom window needs from and to: a first day"),
        ("window=custom&from=2026-11-09&to=2026-11-08", "a custom window needs from and to"),
        ("window=custom&from=2024-11-09&to=2026-11-08", "at most 366 days in all"),
    ],
)
def test_what_makes_no_sense_is_the_default_and_named(search, problem):
    view, problems = View.parse(search)

    assert view == View()
    assert len(problems) == 1
    assert problem in problems[0]


@pytest.mark.parametrize(
    ("view", "first", "last"),
    [
        (View("day"), date(2026, 11, 22), date(2026, 11, 22)),
        (View("last-7-days"), date(2026, 11, 16), date(2026, 11, 22)),
        (View("last-30-days", on=date(2026, 11, 1)), date(2026, 10, 3), date(2026, 11, 1)),
        (View("week"), date(2026, 11, 16), date(2026, 11, 22)),
        (View("month", on=date(2026, 2, 3)), date(2026, 2, 1), date(2026, 2, 28)),
        (View("day", on=date(2030, 1, 1)), date(2026, 11, 22), date(2026, 11, 22)),
    ],
)
def test_a_period_holds_its_day_and_the_future_is_today(view, first, last):
    assert view.period(BERLIN, NOW) == Period(view.window, first, last, BERLIN)


def test_the_present_period_is_named_by_no_day():
    week = View("week").period(BERLIN, NOW)

    assert View("week").during(week, NOW) == View("week")
    assert View("week").during(week.earlier(), NOW) == View("week", on=date(2026, 11, 9))


def test_24_hours_end_with_the_running_one_or_where_the_address_says():
    newest = View().period(BERLIN, NOW)
    past = View().during(newest.earlier(), NOW)

    assert (newest.since, newest.until) == (
        NOW.replace(day=21, hour=15, minute=0),
        NOW.replace(hour=15, minute=0),
    )
    assert (
        View().during(newest, NOW) == View(until=NOW.replace(day=30)).during(newest, NOW) == View()
    )
    assert past.search == "?until=2026-11-21T15:00Z"
    assert past.period(BERLIN, NOW) == newest.earlier()
    assert View(until=NOW.replace(day=30)).period(BERLIN, NOW) == newest
    assert View.parse("until=2026-11-21T15:40%2B01:00") == (past, ())


def test_steps_are_for_a_day_and_for_24_hours():
    hour = NOW.replace(hour=9, minute=0)

    assert View("day").zoom is None
    assert View("day", step="5min").zoom == View(step="5min").zoom == Zoom("5min")
    assert View("day", step="5min", hour=hour).zoom == Zoom("1min", hour)
    for window in ("week", "month", "last-7-days", "custom"):
        assert View(window, step="5min", hour=hour).zoom is None


def test_an_hour_is_shown_only_in_its_period_and_once_it_has_begun():
    view, day = View("day", step="5min", hour=NOW.replace(minute=0)), View("day", step="5min")
    today = day.period(BERLIN, NOW)

    assert View.parse("window=day&step=5min&hour=2026-11-22T15:40%2B01:00") == (view, ())
    assert view.during(today, NOW) == view
    assert view.during(today.earlier(), NOW) == replace(day, on=date(2026, 11, 21))
    assert view.during(today, NOW.replace(hour=13)) == day
    week = View("week").period(BERLIN, NOW)
    assert view.during(week, NOW) == View("week", step="5min")


def test_a_day_alone_in_an_address_is_that_day():
    assert View.parse("on=2026-11-03") == (View("day", on=date(2026, 11, 3)), ())


def test_a_custom_period_has_its_days_in_the_view():
    period = custom_period(date(2026, 11, 2), date(2026, 11, 8), BERLIN)

    view = View("week", on=TODAY).during(period, NOW)

    assert view == View("custom", first=date(2026, 11, 2), last=date(2026, 11, 8))
    assert view.period(BERLIN, NOW) == period


@pytest.mark.parametrize(
    ("view", "scope"),
    [
        (View(), OVERALL),
        (View(projects=(3, 5)), Scope("project", (3, 5))),
        (View(projects=(3,), agents=(7,)), Scope("agent", (7,))),
    ],
)
def test_the_scope_is_the_narrowest_choice(view, scope):
    assert view.scope == scope


def test_the_heatmap_shows_one_of_two_times_or_the_metric():
    assert View(pattern="waiting").pattern_metric == "waiting"
    assert View(metric="turns", pattern="waiting").pattern_metric == "turns"
