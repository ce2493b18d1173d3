from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.comparisons import Comparison, candidates
from aggregator.metrics.periods import Period, calendar_period, custom_period, last_hours
from aggregator.metrics.totals import Totals
from aggregator.query.overview import Zoom
from dashboard.charts import titles

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
DAY = calendar_period("day", date(2026, 11, 22), BERLIN)
WEEK = calendar_period("week", date(2026, 11, 22), BERLIN)
MONTH = calendar_period("month", date(2026, 11, 22), BERLIN)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NONE = Totals(
    {"turn_count": 0, "avg_turn_time_seconds": None, "active_agents": 0},
    active_hours=0,
    elapsed_hours=1,
)
CUSTOM = custom_period(date(2026, 11, 1), date(2026, 11, 9), BERLIN)


@pytest.mark.parametrize(
    ("period", "subtitle", "filename"),
    [
        (DAY, "Sun 22 Nov 2026", "activity-turns-project-x-2026-11-22"),
        (WEEK, "16–22 Nov 2026 (week 47)", "activity-turns-project-x-2026-W47"),
        (MONTH, "November 2026", "activity-turns-project-x-2026-11"),
        (CUSTOM, "1–9 Nov 2026", "activity-turns-project-x-2026-11-01--2026-11-09"),
        (
            last_hours(datetime(2026, 11, 22, 12, tzinfo=UTC), BERLIN),
            "21–22 Nov 2026, 13:00–13:00",
            "activity-turns-project-x-24-hours-to-2026-11-22-1300",
        ),
        # A week belongs to the year of its Thursday.
        (
            calendar_period("week", date(2027, 1, 1), BERLIN),
            "28 Dec 2026 – 3 Jan 2027 (week 53)",
            "activity-turns-project-x-2026-W53",
        ),
    ],
)
def test_a_picture_says_what_it_shows(overview, period: Period, subtitle, filename):
    view = overview(period=period)

    assert titles.subtitle(view) == f"{subtitle} · Europe/Berlin"
    assert titles.filename(view, "Project x", "turns") == filename


@pytest.mark.parametrize(
    ("period", "kind", "at", "words"),
    [
        (DAY, "usual", NOON, "a usual Sunday until 13:00"),
        (DAY, "usual", DAY.until, "a usual Sunday"),
        (DAY, "before", NOON, "Sat 21 Nov until 13:00"),
        (DAY, "before", DAY.until, "Sat 21 Nov"),
        (WEEK, "before", NOON, "9–15 Nov until 13:00"),
        (WEEK, "before", WEEK.until, "9–15 Nov"),
        (MONTH, "before", NOON, "1–22 Oct until 13:00"),
        (MONTH, "before", MONTH.until, "1–30 Oct"),
        (CUSTOM, "before", NOON, "23–31 Oct"),
        (last_hours(NOON, BERLIN), "usual", NOON, "the same hours of the last 4 weeks"),
        (last_hours(NOON, BERLIN), "before", NOON, "the 24 hours before"),
        # Where days begin at half past.
        (calendar_period("day", date(2026, 11, 22), KOLKATA), "before", DAY.until, "Sat 21 Nov"),
    ],
)
def test_a_change_says_what_it_is_compared_with(period: Period, kind, at, words):
    found = candidates(period, at)
    parts = found.usual[1] if kind == "usual" else found.before[1:]

    compared = Comparison(kind, period, found.before[0], tuple(parts), NONE, (NONE,) * len(parts))

    assert titles.compared_with(compared) == words
    assert titles.compared_with(None) == ""


def test_a_picture_says_how_unusual_its_numbers_are(overview):
    then = Totals({**NONE.values, "turn_count": 2}, active_hours=1, elapsed_hours=1)
    view = overview((NOON, 3, None, 1), then=then)

    assert titles.change(view, "turns") == ("▲\u202f50\u202f% compared with Sat 21 Nov until 15:00")
    assert titles.change(view, "turn-time") == titles.change(overview(), "turns") == ""


def test_charts_are_called_by_their_metric_and_the_width_of_their_bars(overview):
    day, month = overview(period=DAY), overview(period=MONTH)

    assert titles.chart_title(day, "turns") == "Turns per hour"
    assert titles.chart_title(month, "agents") == "Active agents per day"
    assert titles.title("Turns per hour", "Project atlas") == "Turns per hour · Project atlas"


def test_the_heatmap_names_the_days_that_it_covers(overview):
    view = overview(period=WEEK)

    assert titles.pattern_title(view, "turn-time") == (
        "Average gap between turns by weekday and hour, 26 Oct – 22 Nov"
    )
    assert titles.pattern_subtitle(view) == "26 Oct – 22 Nov 2026 · Europe/Berlin"


@pytest.mark.parametrize(
    ("scope", "slug"),
    [
        ("Project Crème Brûlée", "project-creme-brulee"),
        ("Project ../../etc/passwd", "project-etc-passwd"),
        ("Project 日本", "project"),
        ("日本", "scope"),
        ("", "scope"),
        ("Project " + "a" * 200, "project-" + "a" * 52),
    ],
)
def test_a_file_name_is_plain_whatever_the_scope_is_called(overview, scope, slug):
    assert titles.filename(overview(), scope, "turns") == f"activity-turns-{slug}-2026-11-22"


def test_steps_are_named_and_so_is_the_hour_that_they_cover(overview):
    shown = overview(period=DAY)
    in_steps = replace(shown, zoom=Zoom("5min"))
    in_minutes = replace(shown, zoom=Zoom("1min", NOON))

    assert titles.chart_title(in_steps, "turns") == "Turns per 5 minutes"
    assert titles.subtitle(in_steps) == "Sun 22 Nov 2026 · Europe/Berlin"
    assert titles.filename(in_steps, "x", "turns") == "activity-turns-x-2026-11-22-5min"
    assert titles.chart_title(in_minutes, "time") == "Time per minute"
    assert titles.subtitle(in_minutes) == "Sun 22 Nov 2026, 13:00–14:00 · Europe/Berlin"
    assert titles.filename(in_minutes, "x", "time") == "activity-time-x-2026-11-22-1300-1min"
