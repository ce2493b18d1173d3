from __future__ import annotations

import math
from datetime import UTC, datetime

from dashboard.charts.time.work_chart import work_chart_of


def utc(hour):
    return datetime(2026, 11, 22, hour, tzinfo=UTC)


def defined(values):
    return [float(value) for value in values if not math.isnan(value)]


def test_working_agents_have_a_mean_and_a_peak_beside_those_that_wait(overview):
    time = {
        "working": 5400.0,
        "blocked": 900.0,
        "waiting": 900.0,
        "peak_working_agents": 4,
        "peak_waiting_agents": 1,
    }

    chart = work_chart_of(overview((utc(9), 3, None, 1, time), (utc(14), 3, None, 1, time)))

    mean, peak, waiting, columns = chart["data"]
    assert [trace["name"] for trace in (mean, peak, waiting)] == [
        "At work, mean",
        "Most at work at once",
        "Waiting for me, mean",
    ]
    # Of the running hour, five minutes have passed.
    assert defined(mean["y"])[10:] == [1.5, 0, 0, 0, 0, 18.0]
    assert defined(peak["y"])[10:] == [4.0, 0, 0, 0, 0, 4.0]
    assert defined(waiting["y"])[10:] == [0.5, 0, 0, 0, 0, 6.0]
    assert peak["line"]["shape"] == "hvh"
    assert columns["hovertext"][10].endswith("Agents waiting for me: 0.5 on average, 1 at once")
    assert chart["layout"]["meta"]["summary"] == (
        "Agents at work at once, Sun 22 Nov 2026. Most: 4, Sun 22 Nov, 10:00–11:00. "
        "Highest mean of one hour: 18.0."
    )


def test_without_time_there_are_axes(overview, assert_plotly_agrees):
    chart = work_chart_of(overview())

    assert chart["layout"]["yaxis"]["tickvals"] == [0, 1, 2, 3, 4]
    assert chart["layout"]["meta"]["summary"] == (
        "Agents at work at once, Sun 22 Nov 2026. Nothing to show."
    )
    assert_plotly_agrees(chart)
