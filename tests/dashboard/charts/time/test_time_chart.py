from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.periods import calendar_period
from aggregator.metrics.scope import Scope
from dashboard.charts.palette import DARK, LIGHT
from dashboard.charts.time.time_chart import time_chart_of

BERLIN = ZoneInfo("Europe/Berlin")
SHARED = {
    "working": 4500.0,
    "blocked": 600.0,
    "waiting": 900.0,
    "stalled": 60.0,
    "peak_working_agents": 3,
    "peak_waiting_agents": 2,
}


def utc(day, hour=0):
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.fixture
def view(overview):
    """A day with two hours of time, the second of which has no turns and only waiting."""
    return overview(
        (utc(22, 9), 12, 60.0, 3, SHARED),
        (utc(22, 10), 0, None, 0, {"waiting": 1200.0, "peak_waiting_agents": 1}),
    )


def test_time_is_stacked_in_three_kinds_each_in_its_colour(view):
    chart = time_chart_of(view)

    *parts, columns = chart["data"]
    assert [(part["name"], list(part["y"]), part["marker"]["color"]) for part in parts] == [
        ("Working", [4500.0], LIGHT.kinds["working"]),
        ("Blocked", [600.0], LIGHT.kinds["blocked"]),
        ("Waiting after a turn", [900.0, 1200.0], LIGHT.kinds["waiting"]),
    ]
    heights = [float(height) for height in columns["y"] if not math.isnan(height)]
    assert heights == [0] * 10 + [6000.0, 1200.0] + [0] * 4
    assert chart["layout"]["yaxis"]["ticktext"] == ["0 s", "30 min", "1 h", "1 h 30 min", "2 h"]
    assert time_chart_of(view, "dark")["data"][0]["marker"]["color"] == DARK.kinds["working"]


def test_a_tooltip_has_each_kind_the_utilisation_and_the_agents_at_once(view):
    tooltips = time_chart_of(view)["data"][-1]["hovertext"]

    def line(kind, text):
        return f'<span style="color:{LIGHT.kinds[kind]}">■</span> {text}'

    assert tooltips[10].split("<br>") == [
        "<b>Sun 22 Nov, 10:00–11:00</b>",
        line("working", "Working: 1 h 15 min"),
        line("blocked", "Blocked: 10 min"),
        line("waiting", "Waiting after a turn: 15 min"),
        line("stalled", "Stalled: 1 min"),
        "Utilisation 75\u202f%",
        "Agents at work: 1.2 on average, 3 at once",
        "Agents waiting for me: 0.4 on average, 2 at once",
    ]
    assert tooltips[9].split("<br>")[1:] == [line("working", "Working: 0 s")]
    assert tooltips[23] == ""


def test_one_agent_is_not_told_how_many_it_was(overview):
    alone = overview((utc(22, 9), 12, 60.0, 3, SHARED), scope=Scope("agent", (7,)))

    assert "at once" not in time_chart_of(alone)["data"][-1]["hovertext"][10]


def test_a_screen_reader_is_told_the_sums_and_the_most(view, overview):
    assert time_chart_of(view)["layout"]["meta"]["summary"] == (
        "Time per hour, Sun 22 Nov 2026. Working 1 h 15 min, blocked 10 min, waiting after a "
        "turn 35 min. Most working: 1 h 15 min, Sun 22 Nov, 10:00–11:00."
    )
    assert time_chart_of(overview())["layout"]["meta"]["summary"] == (
        "Time per hour, Sun 22 Nov 2026. Nothing to show."
    )


def test_days_that_are_gone_are_shaded_and_not_zero(overview, now):
    month = calendar_period("month", date(2026, 11, 1), BERLIN)

    chart = time_chart_of(overview(period=month, kept_since=now - timedelta(days=10)))

    assert chart["layout"]["shapes"][0]["x0"] == "2026-10-31T23:00:00"
    assert chart["layout"]["meta"]["summary"].endswith("12 days no longer kept.")


def test_what_the_page_is_sent_is_what_plotly_makes_of_it(view, overview, assert_plotly_agrees):
    assert_plotly_agrees(time_chart_of(view))
    assert_plotly_agrees(time_chart_of(overview()))
