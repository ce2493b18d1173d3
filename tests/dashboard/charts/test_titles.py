from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.periods import Period, calendar_period, custom_period
from dashboard.charts import titles

BERLIN = ZoneInfo("Europe/Berlin")
DAY = calendar_period("day", date(2026, 11, 22), BERLIN)
WEEK = calendar_period("week", date(2026, 11, 22), BERLIN)
MONTH = calendar_period("month", date(2026, 11, 22), BERLIN)
CUSTOM = custom_period(date(2026, 11, 1), date(2026, 11, 9), BERLIN)


@pytest.mark.parametrize(
    ("period", "subtitle", "filename"),
    [
        (DAY, "Sun 22 Nov 2026", "activity-turns-project-x-2026-11-22"),
        (WEEK, "16–22 Nov 2026 (week 47)", "activity-turns-project-x-2026-W47"),
        (MONTH, "November 2026", "activity-turns-project-x-2026-11"),
        (CUSTOM, "1–9 Nov 2026", "activity-turns-project-x-2026-11-01--2026-11-09"),
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
