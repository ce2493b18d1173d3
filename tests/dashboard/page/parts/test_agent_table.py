from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from aggregator.metrics.scope import Scope
from dashboard.page.parts.agent_table import FEW_AGENTS, project_list, trend_path
from dashboard.selection.view import View


class Table(HTMLParser):
    """A parser of the HTML: rows of cells, links by id, and unfolded projects."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.links, self.expanded, self.sorts = [], {}, {}, {}
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        role = given.get("role")
        if role == "row":
            self.rows.append([])
        elif role in {"cell", "rowheader", "columnheader"}:
            self.rows[-1].append("")
            self._cell = True
        if "aria-sort" in given:
            self.sorts[len(self.rows[-1]) - 1] = given["aria-sort"]
        if tag == "a":
            self.links[given["id"]] = given["href"]
            if "aria-expanded" in given:
                self.expanded[given["id"]] = given["aria-expanded"]

    def handle_data(self, data):
        if self._cell and self.rows and self.rows[-1]:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data.strip()}".strip()

    def names(self):
        return [row[0] for row in self.rows[1:]]


@pytest.fixture
def two(overview, now):
    """Atlas with two agents and infra with one, on a day of which 15 hours are over."""
    hour = now.replace(minute=0) - timedelta(hours=1)
    view = overview(
        (hour, 10, 60.0, 3),
        projects=[
            (1, "atlas", 9, 66.0, 2, 1, now - timedelta(minutes=4), [0, 9]),
            (2, "infra", 1, None, 1, 1, now - timedelta(hours=3), [1, 0]),
        ],
        agents=[
            (7, 1, "seventh", 6, 60.0, 1, now - timedelta(minutes=4), False, [0, 6]),
            (8, 1, "eighth", 3, 90.0, 1, now - timedelta(minutes=9), False, [0, 3]),
            (9, 2, "ninth", 1, None, 1, now - timedelta(hours=3), True, [1, 0]),
        ],
        states=[
            (7, 1, "working", now - timedelta(minutes=4)),
            (8, 1, "waiting", now - timedelta(minutes=9)),
        ],
    )
    agents = view.agents.assign(
        working_seconds=[3600.0, 600.0, 0.0],
        blocked_seconds=[60.0, 300.0, 0.0],
        waiting_seconds=[240.0, 1200.0, 0.0],
        responses=[4, 1, 0],
        response_p50_seconds=[120.0, 600.0, float("nan")],
    )
    return replace(view, agents=agents)


def test_projects_stand_above_their_agents_with_all_their_numbers(two):
    table = """
        Name | State | Turns | Turns/h | Avg. gap | Last turn | Trend | Share of turns
        atlas 2 agents | 1 working 1 waiting | 9 | 0.6 | 1 min 06 s | 4 min ago | | 90 %
        seventh | working | 6 | 0.4 | 1 min | 4 min ago | | 60 %
        eighth | waiting | 3 | 0.2 | 1 min 30 s | 9 min ago | | 30 %
        infra 1 agent | | 1 | 0.1 | – | 3 h ago | | 10 %
        ninth | | 1 | 0.1 | – | 3 h ago | | 10 %
    """
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]

    html = project_list(two, View()).replace("\u202f", " ")

    assert [row[:2] + row[6:] for row in Table(html).rows] == rows


def test_beside_their_turns_stands_their_time(two):
    rows = Table(project_list(two, View(people="agents"))).rows

    assert [row[:1] + row[2:6] for row in rows] == [
        ["Name", "Working", "Waiting for me", "Responses", "p50"],
        ["seventh atlas", "1 h", "5 min", "4", "2 min"],
        ["eighth atlas", "10 min", "25 min", "1", "10 min"],
        ["ninth infra", "0 s", "0 s", "0", "–"],
    ]


def test_agents_can_stand_alone_with_their_projects_beside_them(two):
    table = Table(project_list(two, View(people="agents", sort="+name")))

    assert table.names() == ["eighth atlas", "ninth infra", "seventh atlas"]
    assert table.links["by-project"] == "?sort=+name"


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("-working", ["seventh", "eighth", "ninth"]),
        ("-waiting", ["eighth", "seventh", "ninth"]),
        ("+responses", ["ninth", "eighth", "seventh"]),
        ("+response-time", ["seventh", "eighth", "ninth"]),
        ("-turns", ["seventh", "eighth", "ninth"]),
        ("+turns", ["ninth", "eighth", "seventh"]),
        ("-turn-time", ["eighth", "seventh", "ninth"]),
        ("+turn-time", ["seventh", "eighth", "ninth"]),
        ("+last", ["ninth", "eighth", "seventh"]),
        ("+state", ["seventh", "eighth", "ninth"]),
        ("-name", ["seventh", "ninth", "eighth"]),
    ],
)
def test_every_order_puts_what_has_no_value_last(two, sort, names):
    table = Table(project_list(two, View(people="agents", sort=sort)))

    assert [name.split()[0] for name in table.names()] == names


def test_a_heading_sorts_by_its_column_and_then_the_other_way(two):
    by_turns, by_name = (Table(project_list(two, View(sort=sort))) for sort in ("-turns", "+name"))

    assert by_turns.sorts == {6: "descending"}
    assert by_turns.links["sort-turns"] == "?sort=+turns"
    assert by_turns.links["sort-name"] == "?sort=+name"
    assert by_name.sorts == {0: "ascending"}
    assert by_name.links["sort-name"] == "?sort=-name"
    assert by_name.links["sort-turns"] == "?"


def test_projects_are_folded_by_the_viewer(two):
    folded = Table(project_list(two, View(unfolded=(2,))))

    assert folded.names() == ["atlas 2 agents", "infra 1 agent", "ninth"]
    assert folded.expanded == {"fold-1": "false", "fold-2": "true"}
    assert folded.links["fold-1"] == "?open=1,2"
    assert folded.links["fold-2"] == "?open=none"


def test_names_lead_to_a_project_or_an_agent_alone(two):
    table = Table(project_list(two, View("week", projects=(1, 2), unfolded=(2,))))
    alone = Table(project_list(two, View(projects=(2,), agents=(9,), people="agents")))

    assert table.links["project-1"] == "?window=week&project=1&open=2"
    assert table.links["agent-9"] == "?window=week&project=1,2&agent=9&open=2"
    # The shown project or agent has no link to itself.
    assert "agent-9" not in alone.links


def test_projects_of_many_agents_are_folded_until_the_viewer_unfolds_them(overview, now):
    hour = now.replace(minute=0) - timedelta(hours=1)
    agents = [(number, number % 2, "a", 1) for number in range(FEW_AGENTS + 1)]
    view = overview((hour, 31, None, 31), projects=[(0, "b", 16), (1, "c", 15)], agents=agents)

    assert Table(project_list(view, View())).names() == ["b 16 agents", "c 15 agents"]


def test_a_project_alone_is_always_unfolded(overview, now):
    hour = now.replace(minute=0) - timedelta(hours=1)
    view = overview(
        (hour, 2, None, 1),
        scope=Scope("project", (1,)),
        projects=[(1, "atlas", 2)],
        agents=[(7, 1, "seventh", 2)],
    )

    table = Table(project_list(view, View(projects=(1,), unfolded=())))

    assert table.names() == ["atlas 1 agent", "seventh"]
    assert table.expanded == {}


def test_names_are_texts_whatever_they_look_like(overview, now):
    hour = now.replace(minute=0) - timedelta(hours=1)
    name = "<script>alert(1)</script>\"'&"
    view = overview((hour, 2, None, 1), projects=[(1, name, 2)], agents=[(7, 1, name, 2)])

    html = project_list(view, View())

    assert "<script" not in html
    assert Table(html).names() == [f"{name} 1 agent", name]


def test_a_trend_has_a_column_for_each_value_that_is_not_zero():
    assert trend_path([0, 2, 1], 4) == "M25 20v-20h25v20M50 20v-10h25v10"
    assert trend_path([2, 1], 4, 2) == "M50 20v-20h25v20M75 20v-10h25v10"
    assert trend_path([], 4) == trend_path([0, 0], 4) == ""


@pytest.mark.parametrize(
    ("people", "lengths"),
    [
        ("projects", ["90.0", "60.0", "30.0", "10.0", "10.0"]),
        ("agents", ["60.0", "30.0", "10.0"]),
    ],
)
def test_a_full_bar_is_all_turns(two, people, lengths):
    html = project_list(two, View(people=people))

    assert re.findall(r'is-part" width="([\d.]+)"', html) == lengths
