from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from aggregator.metrics.periods import calendar_period, custom_period, last_hours
from aggregator.metrics.scope import OVERALL, Scope
from dashboard.page.parts.captions import (
    caption,
    shares,
    state_counts,
    states_in,
    states_now,
    sub_agents,
    summary,
)
from dashboard.page.parts.navigation import crumbs, period_links
from dashboard.selection.choices import Choices
from dashboard.selection.view import View

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
CHOICES = Choices(
    pd.DataFrame({"project_id": [1, 2, 3], "name": ["atlas", "infra", "docs"]}),
    pd.DataFrame({"agent_id": [7], "project_id": [1], "name": ["5f717a88"]}),
)


def test_states_are_counted_in_a_fixed_order(overview, now, texts):
    states = [(1, 1, "idle", now), (2, 1, "working", now), (3, 1, "working", now)]

    assert texts(state_counts(overview(states=states).states)) == (
        "2 working 0 waiting for input 1 idle"
    )
    rare = [(1, 1, "limited", now), (2, 1, "background", now)]
    assert texts(state_counts(overview(states=rare).states)) == (
        "0 working 0 waiting for input 1 limited 1 background 0 idle"
    )
    assert texts(state_counts(None)) == "– working – waiting for input – idle"


def test_states_of_a_part_are_told_to_be_so(overview, now, texts):
    states = overview(states=[(1, 1, "idle", now), (2, 2, "working", now)]).states

    assert texts(states_now(OVERALL, states)) == "1 working 0 waiting for input 1 idle"
    assert texts(states_now(Scope("project", (2,)), states)) == (
        "1 working 0 waiting for input 0 idle in this view"
    )


@pytest.mark.parametrize(
    ("view", "name", "earlier", "later", "today"),
    [
        (
            View("day"),
            "Sun 22 Nov 2026",
            "?window=day&on=2026-11-21",
            "?window=day&on=2026-11-23",
            "?window=day",
        ),
        (
            View("last-7-days", on=date(2026, 11, 8)),
            "2–8 Nov 2026",
            "?window=last-7-days&on=2026-11-01",
            "?window=last-7-days&on=2026-11-15",
            "?window=last-7-days",
        ),
        (
            View("week", on=date(2026, 11, 11), projects=(3,)),
            "9–15 Nov 2026",
            "?window=week&on=2026-11-02&project=3",
            "?window=week&project=3",
            "?window=week&project=3",
        ),
        (
            View("month", on=date(2026, 1, 5)),
            "January 2026",
            "?window=month&on=2025-12-01",
            "?window=month&on=2026-02-01",
            "?window=month",
        ),
        (
            View("custom", first=date(2026, 11, 2), last=date(2026, 11, 8)),
            "2–8 Nov 2026",
            "?window=custom&from=2026-10-26&to=2026-11-01",
            "?window=custom&from=2026-11-09&to=2026-11-15",
            "?window=day",
        ),
    ],
)
def test_a_period_stands_between_its_neighbours(view, name, earlier, later, today, texts, hrefs):
    shown = period_links(view, view.period(BERLIN, NOW), NOW)

    assert texts(shown) == f"‹ {name} › Today"
    assert hrefs(shown) == [earlier, later, today]


def test_24_hours_stand_between_those_before_and_after(texts, hrefs):
    view = View(until=datetime(2026, 11, 22, 9, tzinfo=UTC))

    shown = period_links(view, view.period(BERLIN, NOW), NOW)

    assert texts(shown) == "‹ 21–22 Nov, 10:00–10:00 › Now"
    assert hrefs(shown) == ["?until=2026-11-21T09:00Z", "?", "?"]


@pytest.mark.parametrize("view", [View(), View("day"), View("month")])
def test_there_is_nothing_later_than_the_present_period(view):
    off = {
        part.id: "is-off" in part.className
        for part in period_links(view, view.period(BERLIN, NOW), NOW)
        if hasattr(part, "id")
    }

    assert off == {"earlier": False, "later": True, "today": True}


@pytest.mark.parametrize(
    ("view", "words", "there"),
    [
        (View(), "All projects", []),
        (View("week", projects=(1,)), "All projects › atlas", ["?window=week"]),
        (View(projects=(1, 2)), "All projects › atlas, infra", ["?"]),
        (View(projects=(1, 2, 3)), "All projects › 3 projects", ["?"]),
        (View(projects=(1,), agents=(7,)), "All projects › atlas › 5f717a88", ["?", "?project=1"]),
        (View(agents=(7,)), "All projects › 5f717a88", ["?"]),
    ],
)
def test_crumbs_lead_back_to_wider_scopes(view, words, there, texts, hrefs):
    assert texts(crumbs(view, CHOICES)) == words
    assert hrefs(crumbs(view, CHOICES)) == there


def test_states_are_those_of_the_scope(overview, now):
    states = overview(states=[(7, 1, "working", now), (8, 1, "idle", now), (9, 2, "idle", now)])

    def agents(scope):
        return states_in(scope, states.states)["agent_id"].tolist()

    assert agents(OVERALL) == [7, 8, 9]
    assert agents(Scope("project", (1,))) == [7, 8]
    assert agents(Scope("agent", (8, 9))) == [8, 9]


def test_a_caption_says_what_the_numbers_cover(overview):
    month = calendar_period("month", TODAY, BERLIN)
    retained = datetime(2026, 11, 10, 9, tzinfo=UTC)
    past = calendar_period("day", date(2026, 11, 20), BERLIN)

    hours = last_hours(NOW, BERLIN)

    assert caption(overview(period=hours), "the 24 hours before") == (
        "Compared with the 24 hours before"
    )
    assert caption(overview(), "Sat 21 Nov until 15:00") == (
        "So far · compared with Sat 21 Nov until 15:00"
    )
    assert caption(overview(period=month, kept_since=retained), "") == (
        "So far · kept since Tue 10 Nov 2026"
    )
    assert caption(overview(period=past), "") == ""


def test_the_page_can_be_heard(overview, now):
    hour = now.replace(minute=0) - timedelta(hours=2)
    period = custom_period(date(2026, 11, 21), TODAY, BERLIN)

    time = {"working": 600.0, "blocked": 60.0, "waiting": 30.0}
    assert summary(overview((hour, 3, 84.0, 1, time), period=period), "Project atlas") == (
        "Project atlas, 21–22 Nov 2026: 10 min working, 1 min 30 s waiting for you, 3 turns, "
        "average gap between turns 1 min 24 s, 1 active agent."
    )


def test_times_of_which_none_was_measured_are_called_estimated(overview, now):
    hour = now.replace(minute=0) - timedelta(hours=2)
    guessed = overview((hour, 3, 84.0, 1, {"working": 600.0}))
    measured = overview((hour, 3, 84.0, 1, {"working": 600.0, "exact": 1.0}))

    assert caption(guessed, "") == "So far · times are estimated"
    assert caption(measured, "") == caption(overview(), "") == "So far"


@pytest.mark.parametrize(
    ("turns", "words"),
    [
        ([60, 20, 10, 5, 5, 0], "1 of 5 active agents made half of the turns"),
        ([1, 1, 1, 1], "2 of 4 active agents made half of the turns"),
        ([9, 5, 1], ""),
    ],
)
def test_how_unevenly_the_work_is_spread_is_told_of_more_than_a_few(turns, words):
    assert shares(pd.DataFrame({"turn_count": turns})) == words


def test_the_time_of_sub_agents_is_told_where_there_is_some(overview):
    told = [sub_agents(overview(sub_agent_seconds=seconds)) for seconds in (4320.0, 0.0, None)]

    assert told == ["Sub-agents: 1 h 12 min, not counted in working time", "", ""]
