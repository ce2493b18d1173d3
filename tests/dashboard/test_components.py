from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dash.development.base_component import Component

from aggregator.scope import Scope
from aggregator.windows import rolling_window
from dashboard import ids
from dashboard.buckets import chart_buckets
from dashboard.components import caption, cards, chart_summary, state_counts, summary
from dashboard.context import PageContext
from dashboard.empty import empty_state
from dashboard.projects import project_list
from dashboard.view import View

BERLIN = ZoneInfo("Europe/Berlin")
HOST = PageContext(retention_days=30)
STANDALONE = PageContext(retention_days=30, looked_in=(Path("/home/me/.claude/projects"),))


def utc(day: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def parts(content: Any) -> Iterator[Component]:
    """All components in some content, outer ones first."""
    if isinstance(content, list | tuple):
        for item in content:
            yield from parts(item)
    elif isinstance(content, Component):
        yield content
        yield from parts(getattr(content, "children", None))


def text(content: Any) -> str:
    """What some content says to the eye."""
    if content is None or "unseen" in str(getattr(content, "className", "")):
        return ""
    if isinstance(content, list | tuple):
        return " ".join(filter(None, map(text, content)))
    return text(content.children) if isinstance(content, Component) else str(content).strip()


def links(content: Any) -> list[str]:
    return [part.href for part in parts(content) if hasattr(part, "href")]


def card_texts(content: Any) -> dict[str, str]:
    by_id = {part.id: part.children for part in parts(content) if hasattr(part, "id")}
    return {name: by_id[name] for name in by_id if name.startswith("card-")}


def test_cards_show_the_totals(activity):
    view = activity(
        (utc(22, 9), 23, 84.0, 3),
        (utc(22, 11), 1, None, 1),
        agents=[(1, 1, "a", 20, 84.0, 1), (2, 1, "b", 3, 84.0, 1), (3, 2, "c", 1, None, 1)],
    )

    assert card_texts(cards(view.totals, projects=2)) == {
        ids.CARD_TURNS: "24",
        ids.CARD_TURN_RATE: "1.0",
        ids.CARD_TURN_TIME: "1 min 24 s",
        ids.CARD_ACTIVE_AGENTS: "3",
    }
    assert text(cards(view.totals, projects=2)) == (
        "Turns 24 in 2 active hours Turns per hour 1.0 12.0 per active hour "
        "Average turn time 1 min 24 s between two turns Active agents 3 in 2 projects"
    )


def test_cards_of_nothing_show_zero_turns_and_no_average(activity):
    assert list(card_texts(cards(activity().totals)).values()) == ["0", "0", "–", "0"]


def test_states_are_counted_in_a_fixed_order(activity, now):
    states = [(1, 1, "idle", now), (2, 1, "working", now), (3, 2, "idle", now)]

    counted = text(state_counts(activity(states=states).states))

    assert counted == "1 working 0 waiting for input 2 idle"


def test_the_caption_names_window_end_and_zone(activity, now):
    view = activity(last_pass_at=now - timedelta(minutes=4))

    assert text(caption(view, View(), BERLIN)) == (
        "Last 24 hours, to 15:05 · Europe/Berlin Updated 4 min ago"
    )


def test_the_caption_of_an_older_window_leads_back_to_now(activity, now):
    until = utc(21, 22, month=8)
    shown = caption(
        activity(window=rolling_window("week", now, until)),
        View("week", project=3, until=until),
        BERLIN,
    )

    assert text(shown) == "7 days to Sat 22 Aug 2026, 00:00 · Europe/Berlin Back to now"
    assert links(shown) == ["?window=week&project=3"]


def test_the_page_can_be_heard(activity):
    view = activity((utc(22, 9), 23, 84.0, 3), agents=[(1, 1, "a", 23, 84.0, 1)])

    assert summary(view, View(), "All projects") == (
        "All projects, the last 24 hours: 23 turns, average turn time 1 min 24 s, 1 active agent."
    )
    assert chart_summary(chart_buckets(view, BERLIN), BERLIN) == (
        "Chart of turns and average turn time over 24 periods, 1 of them with turns. "
        "Most in one period: 23 turns, Sun 22 Nov, 10:00–11:00."
    )


def two_projects(activity, now, agents_each: int = 1, **facts):
    agents = [
        (100 * project + number, project, f"{project}{number:07}", 30 // project, 84.0, 3)
        for project in (1, 2)
        for number in range(agents_each)
    ]
    return activity(
        (utc(22, 9), 45 * agents_each, 84.0, 2 * agents_each),
        projects=[
            (1, "atlas", 30 * agents_each, 84.0, agents_each, 3),
            (2, "infra", 15 * agents_each, None, agents_each, 3),
        ],
        agents=agents,
        states=[(100, 1, "waiting", now)],
        **facts,
    )


def rows(shown) -> list[str]:
    """Every row of the table of projects, without its head."""
    return [text(part) for part in parts(shown) if part._type == "Tr"][1:]


ATLAS = "atlas 1 agent 1 waiting 30 1.3 1 min 24 s 67\u202f%"
ATLAS_AGENT = "10000000 waiting 30 1.3 1 min 24 s 67\u202f%"
INFRA = "infra 1 agent 15 0.6 – 33\u202f%"
INFRA_AGENT = "20000000 15 0.6 1 min 24 s 33\u202f%"


@pytest.mark.parametrize(
    ("unfolded", "shown"),
    [
        (None, [ATLAS, ATLAS_AGENT, INFRA, INFRA_AGENT]),
        ((1,), [ATLAS, ATLAS_AGENT, INFRA]),
        ((), [ATLAS, INFRA]),
    ],
)
def test_projects_of_few_agents_are_unfolded_until_the_viewer_chooses(
    activity, now, unfolded, shown
):
    assert rows(project_list(two_projects(activity, now), View(unfolded=unfolded))) == shown


def test_projects_of_many_agents_are_folded_until_the_viewer_chooses(activity, now):
    assert len(rows(project_list(two_projects(activity, now, agents_each=15), View()))) == 32
    assert len(rows(project_list(two_projects(activity, now, agents_each=16), View()))) == 2


def test_a_project_links_to_its_other_state_and_an_agent_to_itself(activity, now):
    activity = two_projects(activity, now)

    assert links(project_list(activity, View("week", unfolded=(2,)))) == [
        "?window=week&open=1,2",
        "?window=week&open=none",
        "?window=week&agent=200&open=2",
    ]
    assert links(project_list(activity, View())) == [
        "?open=2",
        "?agent=100",
        "?open=1",
        "?agent=200",
    ]


def test_a_project_alone_is_unfolded_for_good(activity):
    alone = activity(
        (utc(22, 9), 30, 84.0, 1),
        projects=[(1, "atlas", 30, 84.0, 1, 3)],
        agents=[(100, 1, "10000000", 30, 84.0, 3)],
    )

    assert links(project_list(alone, View(project=1))) == ["?project=1&agent=100"]


def test_an_agent_is_compared_with_all_agents_of_its_project(activity, now):
    alone = activity(
        (utc(22, 9), 10, 60.0, None),
        scope=Scope("agent", 100),
        projects=[(1, "atlas", 30, 84.0, 1, 3)],
        agents=[(100, 1, "10000000", 10, 60.0, 1)],
        states=[(100, 1, "waiting", now)],
    )

    assert rows(project_list(alone, View(agent=100))) == [
        "atlas all agents 30 1.3 1 min 24 s 100\u202f%",
        "10000000 waiting 10 0.4 1 min 33\u202f%",
    ]


def test_of_very_many_agents_the_busiest_are_shown(activity, now):
    shown = rows(project_list(two_projects(activity, now, agents_each=60), View(unfolded=(1,))))

    assert len(shown) == 1 + 50 + 1 + 1
    assert shown[51] == "10 more agents with fewer turns: choose one above"


def test_bars_of_projects_and_agents_have_one_scale(activity, now):
    shown = project_list(two_projects(activity, now, agents_each=2), View(unfolded=(1, 2)))

    bars = [part.style["--part"] for part in parts(shown) if hasattr(part, "style")]
    assert bars == ["100.0%", "50.0%", "50.0%", "50.0%", "25.0%", "25.0%"]


def test_without_turns_there_is_no_list(activity):
    assert project_list(activity(), View()) is None


def empty(view, context=HOST, asked=None, name="All projects"):
    return empty_state(view, asked or View(), BERLIN, context, name)


def test_a_window_with_turns_is_not_empty(activity):
    assert empty(activity((utc(22, 9), 1, None, 1))) == []


def test_before_the_first_turn_the_page_says_where_it_looked_and_what_to_do(activity):
    assert text(empty(activity(), STANDALONE)) == (
        "No activity yet No Claude Code transcripts with turns were found in "
        "/home/me/.claude/projects What to do: "
        "Start Claude Code on this machine: this page notices by itself. "
        "Or name the folder with --transcripts DIR , as in "
        'make serve ARGS="--transcripts DIR" '
        "Or look at made-up activity first with --demo"
    )


def test_on_a_host_nothing_is_said_about_folders(activity):
    assert text(empty(activity(), HOST)) == (
        "No activity yet As soon as an agent has its first turn, it shows up here within minutes."
    )


def test_an_empty_window_says_when_there_was_activity_and_leads_there(activity):
    asked = View("week", project=3)
    view = activity(scope=asked.scope, newest_bucket=utc(21, 21, month=8))

    shown = empty(view, asked=asked, name="Project atlas")

    assert text(shown) == (
        "No turns in the last 7 days Project atlas was quiet. "
        "The latest activity was on Fri 21 Aug 2026, between 23:00 and 00:00. "
        "Show the latest activity"
    )
    assert links(shown) == ["?window=week&project=3&until=2026-08-21T22:00Z"]


def test_an_empty_window_of_the_past_leads_to_activity_that_goes_on(activity, now):
    asked = View(until=utc(3, 12))
    window = rolling_window("day", now, asked.until)

    shown = empty(activity(window=window, newest_bucket=utc(22, 14)), asked=asked)

    assert text(shown).startswith("No turns in the 24 hours to Tue 3 Nov 2026, 13:00")
    assert links(shown) == ["?"]


def test_turns_older_than_the_retention_say_so(activity):
    view = activity(newest_turn_at=utc(21, 9, month=8))

    assert text(empty(view, STANDALONE)) == (
        "No turns in the last 24 hours All projects were quiet. "
        "The last turn was on Fri 21 Aug 2026. "
        "Hourly metrics are kept for 30 days; --retention-days keeps more."
    )
    assert "ACTIVITY_RETENTION_DAYS keeps more." in text(empty(view, HOST))


def test_turns_that_are_not_counted_yet_are_announced(activity):
    assert text(empty(activity(newest_turn_at=utc(22, 13)))).endswith(
        "New turns have arrived and will be counted within minutes."
    )


def test_an_agent_without_any_turn_is_named(activity):
    view = activity(scope=Scope("agent", 7))

    assert text(empty(view, name="Agent 1a2b3c4d")) == (
        "No turns yet Agent 1a2b3c4d has no turns at any time."
    )
