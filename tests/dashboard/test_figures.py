from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.scope import Scope
from aggregator.windows import rolling_window
from dashboard.axes import count_ticks, duration_label, duration_ticks, time_ticks
from dashboard.buckets import chart_buckets
from dashboard.figures import activity_chart
from dashboard.theme import DARK, LIGHT

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")
HOUR_MS = 3_600_000


def utc(day: int, hour: int = 0, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def bars(fig):
    return fig.data[0]


def line(fig):
    return fig.data[1]


def texts(fig) -> list[str]:
    return list(bars(fig).hovertext)


def test_a_day_has_24_bars_at_their_true_places_with_zero_where_nothing_was(activity):
    fig = activity_chart(activity((utc(22, 9), 23, 84.0, 3)), BERLIN)

    assert list(bars(fig).x[:2]) == ["2026-11-21T15:30:00", "2026-11-21T16:30:00"]
    assert list(bars(fig).y) == [0] * 18 + [23] + [0] * 5
    assert list(bars(fig).width) == [HOUR_MS] * 24
    assert list(fig.layout.xaxis.range) == ["2026-11-21T15:00:00", "2026-11-22T15:00:00"]


def test_the_average_is_a_hole_where_there_is_none_and_never_zero(activity):
    hours = ((utc(22, 9), 23, 84.0, 3), (utc(22, 10), 1, None, 1), (utc(22, 11), 2, 60.0, 1))

    average = line(activity_chart(activity(*hours), BERLIN))

    assert [value for value in average.y if not math.isnan(value)] == [84.0, 60.0]
    assert average.connectgaps is False
    # Alone between holes, each is a dot.
    assert list(average.marker.size) == [0] * 18 + [5, 0, 5] + [0] * 3


def test_a_tooltip_gives_the_period_and_exact_values(activity):
    hours = ((utc(3, 13), 23, 84.0, 3), (utc(3, 15), 1, None, 1))
    window = rolling_window("day", utc(22, 14, 5), utc(3, 18))

    shown = texts(activity_chart(activity(*hours, window=window), BERLIN))

    assert shown[19:22] == [
        "<b>Tue 3 Nov, 14:00–15:00</b><br>23 turns<br>1 min 24 s average turn time"
        "<br>3 active agents",
        "<b>Tue 3 Nov, 15:00–16:00</b><br>0 turns",
        "<b>Tue 3 Nov, 16:00–17:00</b><br>1 turn<br>1 active agent",
    ]


def test_the_running_hour_is_hatched_and_says_so(activity):
    fig = activity_chart(activity((utc(22, 14), 4, 30.0, None), scope=Scope("agent", 7)), BERLIN)

    assert list(bars(fig).marker.pattern.shape) == [""] * 23 + ["/"]
    assert texts(fig)[-1] == (
        "<b>Sun 22 Nov, 15:00–16:00, so far</b><br>4 turns<br>30 s average turn time"
    )


def test_a_window_of_the_past_has_no_running_bucket(activity):
    window = rolling_window("day", utc(22, 14, 5), utc(3, 18))

    assert set(bars(activity_chart(activity(window=window), BERLIN)).marker.pattern.shape) == {""}


def test_half_hour_zones_show_half_hours(activity):
    fig = activity_chart(activity((utc(22, 9), 2, 60.0, 1)), KOLKATA)

    assert texts(fig)[18].startswith("<b>Sun 22 Nov, 14:30–15:30</b>")
    assert list(fig.layout.xaxis.tickvals[:2]) == ["2026-11-21T18:30:00", "2026-11-21T22:30:00"]
    assert list(fig.layout.xaxis.ticktext[:2]) == ["00:00<br>Sun 22 Nov", "04:00"]


def test_the_hour_that_autumn_repeats_has_two_bars(activity):
    window = rolling_window("day", utc(2, 4, 30))
    hours = ((utc(1, 5), 2, 60.0, 1), (utc(1, 6), 3, 60.0, 1))

    fig = activity_chart(activity(*hours, window=window), NEW_YORK)

    assert list(bars(fig).y[:3]) == [2, 3, 0]
    assert [text.split("<br>")[0] for text in texts(fig)[:3]] == [
        "<b>Sun 1 Nov, 01:00 EDT–01:00 EST</b>",
        "<b>Sun 1 Nov, 01:00 EST–02:00 EST</b>",
        "<b>Sun 1 Nov, 02:00–03:00</b>",
    ]
    # 04:00 is four hours after the first bar, which began at 01:00.
    assert fig.layout.xaxis.tickvals[0] == "2026-11-01T09:00:00"
    assert fig.layout.xaxis.ticktext[0] == "04:00"


def test_a_month_is_drawn_by_local_days_clipped_to_the_window(activity):
    now = utc(22, 14, 5)
    window = rolling_window("month", now)
    hours = (
        (utc(1, 3), 3, 60.0, 1),  # 23:00 of the day before in New York
        (utc(1, 4), 5, 10.0, 1),
        (utc(2, 4), 2, 100.0, 1),  # 23:00 EST of a day with 25 hours
        (utc(22, 13), 4, 20.0, 2),
    )

    fig = activity_chart(activity(*hours, window=window), NEW_YORK)
    shown = texts(fig)

    assert len(shown) == 31
    assert bars(fig).width[0] == 13 * HOUR_MS
    assert bars(fig).width[9] == 25 * HOUR_MS
    assert shown[0] == "<b>Fri 23 Oct, 11:00–24:00</b><br>0 turns"
    assert shown[8] == "<b>Sat 31 Oct</b><br>3 turns<br>1 min average turn time"
    # Pooled over gaps: (4 · 10 + 1 · 100) / 5.
    assert shown[9] == "<b>Sun 1 Nov</b><br>7 turns<br>28 s average turn time"
    assert shown[30] == (
        "<b>Sun 22 Nov, 00:00–09:05, so far</b><br>4 turns<br>20 s average turn time"
    )
    assert bars(fig).name == "Turns per day"


def test_days_of_a_half_hour_zone_begin_with_their_first_whole_utc_hour(activity, now):
    buckets = chart_buckets(activity(window=rolling_window("month", now)), KOLKATA)

    assert buckets["start"].iloc[1] == utc(23, 19, month=10)
    assert buckets["end"].iloc[1] == utc(24, 19, month=10)


def test_an_empty_view_is_drawn_with_axes(activity):
    fig = activity_chart(activity(), BERLIN)

    assert list(bars(fig).y) == [0] * 24
    assert list(fig.layout.yaxis.tickvals) == [0, 1, 2, 3, 4]


def test_both_value_axes_share_one_grid():
    assert count_ticks(23) == [0, 10, 20, 30, 40]
    assert duration_ticks(84) == [0, 30, 60, 90, 120]
    assert [duration_label(mark) for mark in duration_ticks(84)] == [
        "0 s",
        "30 s",
        "1 min",
        "1.5 min",
        "2 min",
    ]


def test_a_week_is_marked_at_local_midnights():
    marks = time_ticks(utc(15, 15), utc(22, 15), BERLIN)

    assert marks[0] == (utc(15, 23), "Mon<br>16 Nov")
    assert [label for _, label in marks[1:]] == [
        "Tue<br>17",
        "Wed<br>18",
        "Thu<br>19",
        "Fri<br>20",
        "Sat<br>21",
        "Sun<br>22",
    ]


def test_a_week_from_midnight_to_midnight_is_marked_where_its_days_begin():
    marks = time_ticks(utc(15, 23), utc(22, 23), BERLIN)

    assert [label for _, label in marks] == [
        "Mon<br>16 Nov",
        "Tue<br>17",
        "Wed<br>18",
        "Thu<br>19",
        "Fri<br>20",
        "Sat<br>21",
        "Sun<br>22",
    ]


def test_a_month_is_marked_every_few_days_up_to_today():
    marks = time_ticks(utc(23, 15, month=10), utc(22, 15), BERLIN)

    assert [label for _, label in marks] == [
        "28 Oct",
        "2 Nov",
        "7",
        "12",
        "17",
        "22",
    ]


def test_a_day_without_midnight_is_marked_where_it_begins():
    # Clocks in Cairo went from 00:00 to 01:00 on 24 April 2026.
    cairo = ZoneInfo("Africa/Cairo")
    start = datetime(2026, 4, 22, tzinfo=UTC)

    marks = time_ticks(start, start + timedelta(days=3), cairo)

    assert [(at.tz_convert(cairo).hour, label) for at, label in marks] == [
        (0, "Thu<br>23 Apr"),
        (1, "Fri<br>24"),
        (0, "Sat<br>25"),
    ]


@pytest.mark.parametrize(("scheme", "palette"), [("light", LIGHT), ("dark", DARK), ("?", LIGHT)])
def test_the_colours_follow_the_viewers_scheme(activity, scheme, palette):
    fig = activity_chart(activity((utc(22, 9), 1, None, 1)), BERLIN, scheme)

    assert fig.layout.paper_bgcolor == palette.surface
    assert bars(fig).marker.color == palette.accent


def test_dragging_over_the_chart_is_left_to_the_page(activity):
    layout = activity_chart(activity(), BERLIN).layout

    assert layout.dragmode is False
    assert [layout[axis].fixedrange for axis in ("xaxis", "yaxis", "yaxis2")] == [True] * 3
