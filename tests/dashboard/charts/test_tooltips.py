from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from aggregator.metrics.periods import calendar_period
from aggregator.metrics.scope import Scope
from dashboard.charts.palette import LIGHT
from dashboard.charts.stack import stack_projects
from dashboard.charts.tooltips import short_name, tooltips

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")


def utc(day: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def texts(overview, names=None) -> list[str]:
    return tooltips(overview, stack_projects(overview, names or {}), LIGHT)


def test_a_tooltip_gives_the_local_period_and_exact_values(overview):
    period = calendar_period("day", date(2026, 11, 3), BERLIN)
    hours = ((utc(3, 13), 23, 84.0, 3), (utc(3, 15), 1, None, 1))

    assert texts(overview(*hours, period=period))[14:17] == [
        "<b>Tue 3 Nov, 14:00–15:00</b><br>23 turns<br>1 min 24 s average gap between turns"
        "<br>3 active agents",
        "<b>Tue 3 Nov, 15:00–16:00</b><br>0 turns",
        "<b>Tue 3 Nov, 16:00–17:00</b><br>1 turn<br>1 active agent",
    ]


def test_it_names_the_projects_that_have_turns(overview):
    seen = overview(
        (utc(22, 9), 23, 84.0, 3),
        (utc(22, 10), 2, None, 1),
        project_buckets=[(1, utc(22, 9), 11), (2, utc(22, 9), 12), (2, utc(22, 10), 2)],
    )

    both, one = texts(seen, {1: "atlas", 2: "R&D <x>"})[10:12]

    assert both == (
        "<b>Sun 22 Nov, 10:00–11:00</b><br>23 turns"
        '<br><span style="color:#d07c1f">■</span> R&amp;D &lt;x&gt;: 12'
        '<br><span style="color:#5b7cfa">■</span> atlas: 11'
        "<br>1 min 24 s average gap between turns<br>3 active agents"
    )
    assert "atlas" not in one


def test_many_projects_are_the_busiest_in_order_and_the_rest_together(overview):
    turns = [(project, utc(22, 9), 10 * project) for project in range(1, 31)]
    seen = overview((utc(22, 9), 4650, 9.0, 30), project_buckets=turns)

    lines = texts(seen)[10].split("<br>")[2:-2]

    assert [line.partition("</span> ")[2] for line in lines] == [
        "project 30: 300",
        "project 29: 290",
        "project 28: 280",
        "project 27: 270",
        "project 26: 260",
        "project 25: 250",
        "all others: 3\u202f000",
    ]


def test_the_running_hour_is_named_whole_and_the_future_says_nothing(overview):
    agent = overview((utc(22, 14), 4, 30.0, None), scope=Scope("agent", (7,)))

    # The number of active agents says nothing about a single agent.
    assert texts(agent)[15:] == [
        "<b>Sun 22 Nov, 15:00–16:00, so far</b><br>4 turns<br>30 s average gap between turns",
        *[""] * 8,
    ]


def test_what_is_gone_is_no_longer_kept_and_not_idle(overview):
    month = calendar_period("month", date(2026, 11, 22), BERLIN)

    said = texts(overview((utc(2, 16), 5, 9.0, 2), period=month, kept_since=utc(2, 14)))

    assert said[0] == "<b>Sun 1 Nov</b><br>no longer kept"
    # A day that is partly inside the retention names that part.
    assert said[1] == (
        "<b>Mon 2 Nov, 15:00–24:00</b><br>5 turns<br>9 s average gap between turns"
        "<br>2 active agents"
    )
    assert said[2] == "<b>Tue 3 Nov</b><br>0 turns"


def test_a_running_day_ends_now(overview):
    month = calendar_period("month", date(2026, 11, 22), NEW_YORK)

    said = texts(overview((utc(22, 13), 4, 20.0, 2), period=month))

    assert said[21].split("<br>")[0] == "<b>Sun 22 Nov, 00:00–09:05, so far</b>"


def test_half_hour_zones_show_half_hours(overview):
    period = calendar_period("day", date(2026, 11, 22), KOLKATA)

    assert texts(overview(period=period))[14].startswith("<b>Sun 22 Nov, 14:30–15:30</b>")


def test_the_hour_that_autumn_repeats_is_told_apart(overview):
    period = calendar_period("day", date(2026, 11, 1), NEW_YORK)

    said = texts(overview(period=period))

    assert len(said) == 25
    assert [text.split("<br>")[0] for text in said[1:4]] == [
        "<b>Sun 1 Nov, 01:00 EDT–01:00 EST</b>",
        "<b>Sun 1 Nov, 01:00 EST–02:00 EST</b>",
        "<b>Sun 1 Nov, 02:00–03:00</b>",
    ]


def test_long_names_are_cut():
    assert short_name("a-very-long-project-name-indeed") == "a-very-long-project-nam…"
