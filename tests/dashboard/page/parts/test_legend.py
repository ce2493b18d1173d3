from __future__ import annotations

from datetime import UTC, datetime

from dashboard.charts.activity_chart import chart_of
from dashboard.charts.palette import LIGHT
from dashboard.page.parts.legend import legend, without_legend

HOUR = datetime(2026, 11, 22, 9, tzinfo=UTC)


def entries(chart):
    return [(item.children[1], item.title, item.children[0].style) for item in legend(chart)]


def test_projects_and_the_line_have_entries_in_their_colours(overview):
    long = "R&D: a project whose name is long"
    seen = overview((HOUR, 3, 60.0, 2), project_buckets=[(1, HOUR, 2), (2, HOUR, 1)])

    line = "Average gap between turns (right axis)"
    assert entries(chart_of(seen, {1: long, 2: "atlas"})) == [
        (line, line, {"background": LIGHT.contrast}),
        ("R&D: a project whose na…", long, {"background": LIGHT.projects[0]}),
        ("atlas", "atlas", {"background": LIGHT.projects[1]}),
    ]


def test_a_chart_of_one_colour_has_none(overview):
    assert entries(chart_of(overview((HOUR, 3, 60.0, 2)), {}, "agents")) == []


def test_the_place_of_plotlys_own_is_given_to_the_plot(overview):
    chart = chart_of(overview((HOUR, 3, 60.0, 2)), {})

    bare = without_legend(chart)["layout"]

    changed = {name for name, value in bare.items() if chart["layout"].get(name) != value}
    assert changed == {"showlegend", "margin"}
    assert (bare["showlegend"], bare["margin"]["t"]) == (False, 14)
