from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from plotly.graph_objs.scatter import Marker

from aggregator.metrics.periods import calendar_period
from dashboard.charts.heatmap import CELL, heatmap, heatmap_of, hour_name
from dashboard.charts.palette import DARK, LIGHT

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY, SUNDAY = 0, 6


def utc(day: int, hour: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def mondays_at_two() -> list[tuple]:
    """14:00 in Berlin on the first three of the Mondays from 26 October to 16 November."""
    first = utc(26, 13, month=10)
    turns = ((10, 30.0, 1), (20, 60.0, 3), (2, None, 2))
    return [(first + timedelta(days=7 * week), *row) for week, row in enumerate(turns)]


def scale(fig) -> Marker:
    return fig.data[3].marker


def cells(fig) -> dict[tuple[int, int], tuple[float | None, str]]:
    """Return the value, read off the scale, and the tooltip of each cell, by weekday and hour."""
    values = {colour: share * scale(fig).cmax for share, colour in scale(fig).colorscale}
    found = {}
    for bars, known in zip(fig.data[:2], (True, False), strict=True):
        colours = bars.marker.color if known else [None] * len(bars.x)
        for hour, base, colour, text in zip(
            bars.x, bars.base, colours, bars.hovertext, strict=True
        ):
            value = values[colour] if known else None
            found[round(base + CELL / 2), hour] = (value, text)
    return found


def shown(fig, weekday: int, hour: int) -> float | None:
    return cells(fig)[weekday, hour][0]


def said(fig, weekday: int, hour: int) -> str:
    return cells(fig)[weekday, hour][1]


def test_a_cell_is_the_mean_over_all_its_hours_quiet_ones_too(overview):
    fig = heatmap(overview(*mondays_at_two()))

    means = {place: mean for place, (mean, _) in cells(fig).items()}
    assert set(means) == {(weekday, hour) for weekday in range(7) for hour in range(24)}
    assert {place: mean for place, mean in means.items() if mean} == {(MONDAY, 14): 32 / 4}
    assert said(fig, MONDAY, 14) == (
        "<b>Mondays, 14:00–15:00</b><br>8.0 turns per hour, over 4 Mondays"
    )
    assert said(fig, SUNDAY, 23) == (
        "<b>Sundays, 23:00–24:00</b><br>0 turns per hour, over 3 Sundays"
    )


@pytest.mark.parametrize(
    ("metric", "mean", "text"),
    [
        # Pooled over gaps: (9 · 30 + 17 · 60) / 26.
        ("turn-time", 1290 / 26, "50 s average gap between turns, over 4 Mondays"),
        ("agents", 6 / 4, "1.5 active agents, over 4 Mondays"),
    ],
)
def test_it_shows_the_chosen_metric(overview, metric, mean, text):
    fig = heatmap(overview(*mondays_at_two()), metric)

    assert shown(fig, MONDAY, 14) == mean
    assert said(fig, MONDAY, 14) == f"<b>Mondays, 14:00–15:00</b><br>{text}"


@pytest.mark.parametrize(
    ("metric", "mean", "text"),
    [
        ("working", 900.0, "15 min working time per hour, over 4 Mondays"),
        ("waiting", 450.0, "7 min 30 s waiting for me per hour, over 4 Mondays"),
    ],
)
def test_it_shows_when_agents_work_and_when_they_wait(overview, metric, mean, text):
    time = {"working": 1200.0, "blocked": 100.0, "waiting": 500.0}

    fig = heatmap(overview(*((*hour, time) for hour in mondays_at_two())), metric)

    assert shown(fig, MONDAY, 14) == mean
    assert said(fig, MONDAY, 14) == f"<b>Mondays, 14:00–15:00</b><br>{text}"


def test_an_hour_without_a_gap_has_no_average(overview):
    fig = heatmap(overview(*mondays_at_two()), "turn-time")

    assert shown(fig, MONDAY, 15) is None
    assert said(fig, MONDAY, 15) == (
        "<b>Mondays, 15:00–16:00</b><br>no average gap between turns, over 4 Mondays"
    )


def test_monday_is_on_top_and_the_day_runs_from_left_to_right(overview):
    layout = heatmap(overview()).layout

    assert layout.yaxis.range == (6.5, -0.5)
    assert layout.yaxis.ticktext == ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    assert layout.xaxis.range == (-0.5, 23.5)
    assert list(zip(layout.xaxis.tickvals, layout.xaxis.ticktext, strict=True))[::3] == [
        (-0.5, "00:00"),
        (11.5, "12:00"),
        (23.5, "24:00"),
    ]


def test_hours_of_which_nothing_is_kept_are_struck_through_and_not_zero(overview):
    # From Friday 20 November, 13:00 in Berlin; it is Sunday, 15:05.
    fig = heatmap(overview((utc(20, 12), 3, 9.0, 1), kept_since=utc(20, 12)))

    _, blank, struck, _ = fig.data
    assert len(blank.x) == len(struck.x) == 168 - 50
    assert (struck.x[-1], struck.y[-1]) == (23, SUNDAY)
    assert shown(fig, 4, 13) == 3
    assert said(fig, MONDAY, 0) == "<b>Mondays, 00:00–01:00</b><br>nothing kept"
    assert said(fig, 4, 13) == ("<b>Fridays, 13:00–14:00</b><br>3.0 turns per hour, over 1 Friday")


def test_hours_of_a_half_hour_zone_begin_at_half_past(overview):
    period = calendar_period("day", date(2026, 11, 22), ZoneInfo("Asia/Kolkata"))
    view = overview(*mondays_at_two(), period=period)

    fig = heatmap(view)

    # 13:00 UTC is 18:30 in Kolkata.
    assert said(fig, MONDAY, 18).startswith("<b>Mondays, 18:30–19:30</b><br>8.0 turns")
    assert fig.layout.xaxis.ticktext[-2:] == ("20:30", "00:30")
    assert hour_name(23, view) == "23:30–00:30"


def test_the_hour_that_autumn_repeats_is_not_one_more_sunday(overview):
    period = calendar_period("week", date(2026, 11, 1), BERLIN)

    # On 25 October the hour from 02:00 came twice: five hours on four Sundays.
    fig = heatmap(overview((utc(25, 0, 10), 5, 9.0, 1), period=period, kept_since=utc(1, 0, 10)))

    assert shown(fig, SUNDAY, 2) == 1
    assert said(fig, SUNDAY, 2).endswith("1.0 turns per hour, over 4 Sundays")


@pytest.mark.parametrize(
    ("metric", "marks"),
    [("turns", ("0", "8.0")), ("turn-time", ("0", "50 s")), ("agents", ("0", "1.5"))],
)
def test_a_small_scale_tells_what_the_strongest_colour_is(overview, metric, marks):
    fig = heatmap(overview(*mondays_at_two()), metric)

    assert scale(fig).colorbar.ticktext == marks
    assert (scale(fig).cmin, scale(fig).cmax) == (0, scale(fig).colorbar.tickvals[1])


def test_where_no_cell_has_a_colour_there_is_no_scale(overview):
    fig = heatmap(overview(), "turn-time")

    assert [len(trace.x) for trace in fig.data] == [0, 168, 0]


def test_colours_are_strings_for_plotly_warns_of_every_bar_whose_colour_is_a_number(overview):
    fig = heatmap(overview(*mondays_at_two()))

    colours = {colour for trace in fig.data[:2] for colour in [*trace.marker.color]}
    assert {type(colour) for colour in colours} == {str}


def test_an_empty_heatmap_is_all_few(overview):
    fig = heatmap(overview())

    colours = fig.data[0].marker.color
    assert (len(colours), set(colours)) == (168, {LIGHT.ramp[0]})
    assert (scale(fig).cmax, scale(fig).colorbar.ticktext) == (1, ("0",))
    assert fig.layout.meta["summary"] == (
        "Turns per hour by weekday and hour, 26 Oct – 22 Nov 2026. Nothing to show."
    )


def test_its_summary_names_the_busiest_hour(overview):
    fig = heatmap(overview(*mondays_at_two()))

    assert fig.layout.meta["summary"] == (
        "Turns per hour by weekday and hour, 26 Oct – 22 Nov 2026. "
        "Highest: Mondays, 14:00–15:00: 8.0 turns per hour, over 4 Mondays."
    )


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_colours_follow_the_viewers_scheme(overview, scheme, colours):
    fig = heatmap(overview(), scheme=scheme)

    ramp = [colour for _, colour in scale(fig).colorscale]
    assert ramp == list(colours.ramp)
    assert fig.layout.template.layout.paper_bgcolor == colours.surface


@pytest.mark.parametrize("metric", ["turns", "turn-time", "agents"])
def test_what_the_page_is_sent_is_what_plotly_makes_of_it(overview, metric, assert_plotly_agrees):
    assert_plotly_agrees(heatmap_of(overview(*mondays_at_two(), kept_since=utc(20, 12)), metric))
