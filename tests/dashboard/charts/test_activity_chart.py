from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from aggregator.metrics.buckets import step_buckets, step_edges
from aggregator.metrics.hourly import INTERVAL_DTYPES, RESPONSE_DTYPES, TURN_DTYPES
from aggregator.metrics.periods import calendar_period
from aggregator.metrics.steps import Facts, in_steps
from aggregator.metrics.windows import RetainedHours
from aggregator.query.overview import Zoom
from dashboard.charts.activity_chart import activity_chart, chart_of
from dashboard.charts.palette import DARK, LIGHT, mix

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
HOUR_MS = 3_600_000
NAMES = {project: f"p{project}" for project in range(1, 21)}
METRICS = ("turns", "turn-time", "agents")


def utc(day: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def bars(fig):
    """Return the bars that take the pointer, which come after those of the projects."""
    return [trace for trace in fig.data if trace.type == "bar"][-1]


def layers(fig) -> list:
    return [trace for trace in fig.data if trace.type == "bar"][:-1]


def line(fig):
    return fig.data[-1]


def defined(values) -> list[float]:
    return [float(value) for value in values if not math.isnan(value)]


def test_a_day_has_a_bar_for_each_hour_that_has_begun(overview):
    fig = activity_chart(overview((utc(22, 9), 23, 84.0, 3)), {})

    assert list(bars(fig).x[:2]) == ["2026-11-21T23:30:00", "2026-11-22T00:30:00"]
    assert list(bars(fig).width) == [HOUR_MS] * 24
    # Nothing is zero in the past; nothing at all is in the future.
    assert defined(bars(fig).y) == [0] * 10 + [23] + [0] * 5
    assert list(fig.layout.xaxis.range) == ["2026-11-21T23:00:00", "2026-11-22T23:00:00"]
    assert bars(fig).name == "Turns per hour"


def test_the_average_is_a_hole_where_there_is_none_and_never_zero(overview):
    hours = ((utc(22, 9), 23, 84.0, 3), (utc(22, 10), 1, None, 1), (utc(22, 11), 2, 60.0, 1))

    average = line(activity_chart(overview(*hours), {}))

    assert defined(average.y) == [84.0, 60.0]
    assert (average.connectgaps, average.yaxis) == (False, "y2")
    # Alone between holes, each is a dot; the running hour would be an open one.
    assert [place for place, size in enumerate(average.marker.size) if size] == [10, 12, 15]
    assert average.marker.symbol[10:16] == ("circle",) * 5 + ("circle-open",)


def test_bars_are_stacked_by_project_with_the_turns_of_each(overview):
    hours = ((utc(22, 9), 23, 84.0, 3), (utc(22, 10), 2, None, 1))
    turns = [(1, utc(22, 9), 11), (2, utc(22, 9), 12), (2, utc(22, 10), 2)]

    fig = activity_chart(overview(*hours, project_buckets=turns), {1: "a", 2: "R<D"})

    assert fig.layout.barmode == "stack"
    assert [(bar.name, list(bar.y), bar.marker.color) for bar in layers(fig)] == [
        ("R&lt;D", [12, 2], LIGHT.projects[1]),
        ("a", [11], LIGHT.projects[0]),
    ]
    assert [list(bar.x) for bar in layers(fig)] == [
        ["2026-11-22T09:30:00", "2026-11-22T10:30:00"],
        ["2026-11-22T09:30:00"],
    ]
    # The sum takes the pointer, and is invisible.
    assert (bars(fig).marker.color, bars(fig).base, bars(fig).showlegend) == (
        "rgba(0,0,0,0)",
        0,
        False,
    )
    assert defined(bars(fig).y)[10:12] == [23, 2]
    assert len(bars(fig).hovertext) == 24
    assert {bar.hoverinfo for bar in layers(fig)} == {"none"}


def test_a_click_tells_the_project_and_the_bucket(overview):
    turns = [(1, utc(22, 9), 1), (2, utc(22, 9), 2)]

    fig = activity_chart(overview((utc(22, 9), 3, None, 2), project_buckets=turns), {})

    assert [list(map(list, bar.customdata)) for bar in layers(fig)] == [
        [[2, "2026-11-22T09:00:00Z"]],
        [[1, "2026-11-22T09:00:00Z"]],
    ]
    assert list(bars(fig).customdata[0]) == [None, "2026-11-21T23:00:00Z"]
    assert fig.layout.clickanywhere is True


def test_of_twenty_projects_eleven_layers_are_drawn(overview):
    turns = [(project, utc(22, 9), 1000 // project) for project in range(1, 21)]

    fig = activity_chart(overview((utc(22, 9), 1790, 9.0, 20), project_buckets=turns), NAMES)

    assert [bar.name for bar in layers(fig)] == [*(f"p{n}" for n in range(1, 11)), "10 others"]
    assert [bar.marker.color for bar in layers(fig)] == [*LIGHT.projects[:10], LIGHT.others]
    shown = [trace.name for trace in fig.data if trace.showlegend is not False]
    assert shown[-1] == "Average gap between turns (right axis)"
    assert len(shown) == 12


def test_the_running_bucket_is_hatched(overview):
    turns = [(1, utc(22, 9), 1), (2, utc(22, 9), 1), (2, utc(22, 14), 3)]
    hours = ((utc(22, 9), 2, None, 2), (utc(22, 14), 3, 30.0, 1))

    alone = activity_chart(overview(*hours), {})
    stacked = activity_chart(overview(*hours, project_buckets=turns), {})

    assert list(bars(alone).marker.pattern.shape) == [""] * 15 + ["/"] + [""] * 8
    busy, quiet = layers(stacked)
    assert list(busy.marker.pattern.shape) == ["", "/"]
    assert busy.marker.pattern.bgcolor == mix(LIGHT.projects[1], 0.3, LIGHT.surface)
    assert quiet.marker.pattern.shape is None


def test_steps_are_areas_in_the_shape_of_bars(overview):
    turns = [(1, 1, utc(22, 9, 5)), (2, 2, utc(22, 9, 20)), (1, 1, utc(22, 9, 25))]
    rows = in_steps(
        Facts(
            pd.DataFrame(turns, columns=list(TURN_DTYPES)).astype(TURN_DTYPES),
            pd.DataFrame([], columns=list(INTERVAL_DTYPES)).astype(INTERVAL_DTYPES),
            pd.DataFrame([], columns=list(RESPONSE_DTYPES)).astype(RESPONSE_DTYPES),
        ),
        "overall",
        timedelta(minutes=15),
    )
    starts = [(1, utc(22, 9)), (1, utc(22, 9, 15)), (2, utc(22, 9, 15))]
    shown = overview(project_buckets=[(*start, 1) for start in starts])
    edges = step_edges(utc(22, 9), utc(22, 10), "15min")
    buckets = step_buckets(rows, edges, RetainedHours(shown.kept_since, shown.window.as_of))

    fig = activity_chart(replace(shown, buckets=buckets, zoom=Zoom("15min", utc(22, 9))), NAMES)

    areas = [trace for trace in fig.data if trace.type == "scatter" and trace.stackgroup]
    assert [area.name for area in areas] == ["p1", "p2"]
    # The outer buckets have a second point at the edge of the chart.
    assert [list(area.y) for area in areas] == [[1, 1, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0]]
    assert (areas[0].x[0], areas[0].x[1], areas[0].x[-1]) == (
        "2026-11-22T09:00:00",
        "2026-11-22T09:07:30",
        "2026-11-22T10:00:00",
    )
    assert list(areas[1].customdata[2]) == [2, "2026-11-22T09:15:00Z"]
    assert list(bars(fig).y) == [1, 2, 0, 0]


def test_a_period_of_the_past_has_no_running_bucket(overview):
    period = calendar_period("day", date(2026, 11, 3), BERLIN)

    assert bars(activity_chart(overview(period=period), {})).marker.pattern.shape is None


def test_the_hour_that_autumn_repeats_has_two_bars(overview):
    period = calendar_period("day", date(2026, 11, 1), NEW_YORK)
    hours = ((utc(1, 5), 2, 60.0, 1), (utc(1, 6), 3, 60.0, 1))

    fig = activity_chart(overview(*hours, period=period), {})

    assert list(bars(fig).y[:4]) == [0, 2, 3, 0]
    assert len(bars(fig).y) == 25


def test_a_month_has_a_bar_for_each_local_day_as_wide_as_the_day_is_long(overview):
    month = calendar_period("month", date(2026, 11, 1), NEW_YORK)
    hours = (
        (utc(1, 3), 9, 60.0, 1),  # 23:00 of the day before in New York
        (utc(1, 4), 5, 10.0, 1),
        (utc(2, 4), 2, 100.0, 1),  # 23:00 EST of a day with 25 hours
        (utc(22, 13), 4, 20.0, 2),
    )

    fig = activity_chart(overview(*hours, period=month), {})

    assert list(bars(fig).width) == [25 * HOUR_MS] + [24 * HOUR_MS] * 29
    assert defined(bars(fig).y) == [7] + [0] * 20 + [4]
    # Pooled over gaps: (4 · 10 + 1 · 100) / 5.
    assert defined(line(fig).y) == [28.0, 20.0]
    assert bars(fig).name == "Turns per day"


def test_days_of_a_half_hour_zone_begin_with_their_first_whole_utc_hour(overview):
    month = calendar_period("month", date(2026, 11, 22), KOLKATA)

    fig = activity_chart(overview(period=month), {})

    assert bars(fig).customdata[1][1] == "2026-11-01T19:00:00Z"


def test_what_is_gone_is_shaded_and_named(overview):
    month = calendar_period("month", date(2026, 11, 22), BERLIN)

    fig = activity_chart(overview(period=month, kept_since=utc(10, 13)), {})

    (shade,), (words,) = fig.layout.shapes, fig.layout.annotations
    # The day of which a part is kept had no turn in it.
    assert (shade.x0, shade.x1) == ("2026-10-31T23:00:00", "2026-11-10T23:00:00")
    assert (shade.fillcolor, shade.layer) == (LIGHT.gone, "below")
    assert (words.text, words.x, words.textangle) == (
        "no longer kept",
        "2026-11-05T23:00:00",
        -90,
    )


def test_a_period_that_is_all_gone_says_so_across(overview):
    period = calendar_period("day", date(2026, 9, 1), BERLIN)

    fig = activity_chart(overview(period=period), {})

    assert fig.layout.annotations[0].textangle == 0
    assert fig.layout.shapes[0].x1 == fig.layout.xaxis.range[1]


def test_a_sliver_that_is_gone_is_shaded_without_words(overview):
    week = calendar_period("week", date(2026, 11, 22), BERLIN)

    fig = activity_chart(overview(period=week, kept_since=utc(16, 1)), {})

    assert (len(fig.layout.shapes), fig.layout.annotations) == (1, ())


def test_average_turn_times_can_be_drawn_alone(overview):
    hours = ((utc(22, 9), 23, 84.0, 3), (utc(22, 10), 1, None, 1))
    turns = [(1, utc(22, 9), 11), (2, utc(22, 9), 12), (2, utc(22, 10), 1)]

    fig = activity_chart(overview(*hours, project_buckets=turns), {}, "turn-time")

    assert [trace.type for trace in fig.data] == ["bar", "scatter"]
    assert defined(line(fig).y) == [84.0]
    assert line(fig).line.color == LIGHT.accent
    # The bars that take the pointer reach as high as the line.
    assert defined(bars(fig).y) == [0] * 10 + [84] + [0] * 5
    assert fig.layout.yaxis.ticktext == ("0 s", "30 s", "1 min", "1 min 30 s")
    assert bars(fig).hovertext[10].startswith("<b>Sun 22 Nov, 10:00–11:00</b><br>23 turns<br>")


def test_active_agents_can_be_drawn_alone(overview):
    hours = ((utc(22, 9), 23, 84.0, 3), (utc(22, 14), 1, None, 1))

    fig = activity_chart(overview(*hours), {}, "agents")

    assert defined(bars(fig).y) == [0] * 10 + [3, 0, 0, 0, 0, 1]
    assert bars(fig).marker.color == LIGHT.accent
    assert bars(fig).marker.pattern.shape[15] == "/"
    assert fig.layout.yaxis.tickvals == (0, 1, 2, 3)


@pytest.mark.parametrize("metric", METRICS)
def test_an_empty_view_is_drawn_with_axes(overview, metric):
    fig = activity_chart(overview(), {}, metric)

    assert set(defined(bars(fig).y)) == {0}
    assert list(fig.layout.yaxis.tickvals) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("metric", METRICS)
def test_another_metric_or_scope_moves_no_axis(overview, metric):
    turns = [(1, utc(22, 9), 11), (2, utc(22, 9), 12)]
    view = overview((utc(22, 9), 23, 84.0, 3), project_buckets=turns)

    chart, empty = activity_chart(view, {}, metric), activity_chart(overview(), {}, "turns")

    assert chart.layout.margin == empty.layout.margin
    assert chart.layout.margin.t is not None


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_colours_follow_the_viewers_scheme(overview, scheme, colours):
    fig = activity_chart(overview((utc(22, 9), 1, None, 1)), {}, scheme=scheme)

    assert fig.layout.template.layout.paper_bgcolor == colours.surface
    assert bars(fig).marker.color == colours.accent
    assert line(fig).line.color == colours.contrast


@pytest.mark.parametrize("metric", METRICS)
def test_what_the_page_is_sent_is_what_plotly_makes_of_it(overview, metric, assert_plotly_agrees):
    hours = ((utc(20, 13), 5, 60.0, 1), (utc(22, 9), 23, 84.0, 3), (utc(22, 14), 2, None, 1))
    turns = [(1, utc(20, 13), 5), (2, utc(22, 9), 23), (1, utc(22, 14), 2)]
    week = calendar_period("week", date(2026, 11, 22), BERLIN)
    view = overview(*hours, period=week, kept_since=utc(19, 9), project_buckets=turns)

    assert_plotly_agrees(chart_of(view, NAMES, metric))


def test_by_itself_a_chart_calls_projects_as_its_overview_does(overview):
    start = datetime(2026, 11, 22, 13, tzinfo=UTC)
    day = overview(
        (start, 5, 60.0, 2),
        project_buckets=[(1, start, 3), (2, start, 2)],
        projects=[(1, "atlas", 3), (2, "infra", 2)],
    )

    named = activity_chart(day, {1: "atlas", 2: "infra"})

    assert activity_chart(day).to_json() == named.to_json()
    assert [trace.name for trace in named.data[:2]] == ["atlas", "infra"]
