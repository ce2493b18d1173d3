from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from dashboard.charts.time.capacity_chart import capacity, capacity_chart_of, medians

QUARTER = 900.0


def utc(hour, day=22):
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.fixture
def view(overview):
    """A day with three hours of two open agents, one of which worked half of each, and one now."""
    hours = [
        (utc(hour), {"working": 2 * QUARTER, "waiting": 4 * QUARTER, "background": 2 * QUARTER})
        for hour in (9, 10, 11, 14)
    ]
    return overview(*((at, 5, None, 2, time) for at, time in hours))


def test_an_hour_that_is_over_has_its_open_and_its_working_agents(view):
    found = capacity(view)

    assert found["start"].tolist() == [utc(9), utc(10), utc(11)]
    assert found["open_agents"].tolist() == [2.0] * 3
    assert found["working_agents"].tolist() == [0.5] * 3


def test_a_median_needs_three_hours_with_about_as_many_open_agents():
    hours = pd.DataFrame(
        {
            "start": pd.date_range("2026-11-22", periods=5, freq="h", tz="UTC"),
            "open_agents": [1.6, 2.0, 2.4, 3.0, 3.1],
            "working_agents": [1.0, 0.5, 2.0, 3.0, 3.0],
        }
    )

    assert medians(hours).values.tolist() == [[2, 1.0, 3]]
    assert medians(hours.iloc[:0]).empty
    # Of many agents, about as many are within twenty.
    many = hours.assign(open_agents=[196, 200, 204, 300, 311])
    assert medians(many).values.tolist() == [[200, 1.0, 3]]


def test_dots_medians_and_the_line_of_all_at_work_are_drawn(view, assert_plotly_agrees):
    chart = capacity_chart_of(view)

    dots, diagonal, line = chart["data"]
    assert dots["hovertext"][0] == "<b>Sun 22 Nov, 10:00–11:00</b><br>0.5 at work of 2.0 open"
    assert diagonal["x"] == diagonal["y"] == [0, 2.0]
    assert (list(line["x"]), list(line["y"])) == ([2], [0.5])
    assert chart["layout"]["meta"]["summary"] == (
        "3 hours with open agents. Highest median: 0.5 agents at work in hours with about "
        "2 open agents."
    )
    assert_plotly_agrees(chart)


def test_without_time_there_are_axes(overview, assert_plotly_agrees):
    chart = capacity_chart_of(overview())

    assert chart["layout"]["meta"]["summary"] == "No hour with open agents in this period."
    assert_plotly_agrees(chart)
