from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.periods import calendar_period, custom_period
from dashboard.charts.axes import count_axis, count_label, duration_axis, time_axis

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
NEW_YORK = ZoneInfo("America/New_York")


def marks(axis) -> list[tuple[str, str]]:
    return list(zip(axis["tickvals"], axis["ticktext"], strict=True))


def test_both_value_axes_share_one_grid():
    assert count_axis(23, shared=True)["tickvals"] == [0, 10, 20, 30, 40]
    assert duration_axis(84, shared=True) == {
        # The grid line of the highest mark is not cut off.
        "range": [0, 122.4],
        "tickvals": [0, 30, 60, 90, 120],
        "ticktext": ["0 s", "30 s", "1 min", "1 min 30 s", "2 min"],
    }


def test_an_axis_of_its_own_ends_where_there_is_nothing_more():
    assert count_axis(23)["tickvals"] == [0, 10, 20, 30]
    assert count_axis(40)["tickvals"] == [0, 10, 20, 30, 40]
    assert count_axis(1)["tickvals"] == [0, 1]
    assert duration_axis(48 * 3600 + 1)["ticktext"] == ["0 s", "20 h", "40 h", "60 h"]


def test_an_axis_without_values_still_has_marks():
    assert count_axis(0)["tickvals"] == [0, 1, 2, 3, 4]
    assert duration_axis(0)["tickvals"] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("highest", "labels"),
    [
        (6000, ["0 s", "30 min", "1 h", "1 h 30 min", "2 h"]),
        (40 * 3600, ["0 s", "12 h", "24 h", "36 h", "48 h"]),
        # 200 agents that work all day.
        (4800 * 3600, ["0 s", "2\u202f000 h", "4\u202f000 h", "6\u202f000 h"]),
    ],
)
def test_hours_of_many_agents_are_marked_by_whole_parts_of_a_day(highest, labels):
    assert duration_axis(highest)["ticktext"] == labels


@pytest.mark.parametrize(
    ("number", "label"),
    [(500, "500"), (5000, "5\u202f000"), (20_000, "20k"), (1_500_000, "1.5M")],
)
def test_large_counts_are_short(number, label):
    assert count_label(number) == label


def test_a_day_is_marked_by_local_hours_from_edge_to_edge():
    axis = time_axis(calendar_period("day", date(2026, 11, 22), BERLIN))

    assert axis["range"] == ["2026-11-21T23:00:00", "2026-11-22T23:00:00"]
    assert marks(axis) == [
        ("2026-11-21T23:00:00", "00:00"),
        ("2026-11-22T03:00:00", "04:00"),
        ("2026-11-22T07:00:00", "08:00"),
        ("2026-11-22T11:00:00", "12:00"),
        ("2026-11-22T15:00:00", "16:00"),
        ("2026-11-22T19:00:00", "20:00"),
        ("2026-11-22T23:00:00", "24:00"),
    ]


def test_the_day_of_25_hours_has_its_marks_at_the_true_instants():
    axis = time_axis(calendar_period("day", date(2026, 11, 1), NEW_YORK))

    assert axis["range"] == ["2026-11-01T04:00:00", "2026-11-02T05:00:00"]
    # 04:00 is five hours after midnight.
    assert marks(axis)[:2] == [("2026-11-01T04:00:00", "00:00"), ("2026-11-01T09:00:00", "04:00")]


def test_a_day_whose_hours_begin_at_half_past_is_marked_at_full_local_hours():
    axis = time_axis(calendar_period("day", date(2026, 11, 22), KOLKATA))

    assert axis["range"] == ["2026-11-21T19:00:00", "2026-11-22T19:00:00"]
    assert marks(axis)[0] == ("2026-11-21T22:30:00", "04:00")
    assert marks(axis)[-1] == ("2026-11-22T18:30:00", "24:00")


def test_two_days_are_told_apart_at_midnight():
    axis = time_axis(custom_period(date(2026, 11, 21), date(2026, 11, 22), BERLIN))

    assert axis["ticktext"] == [
        "00:00<br>Sat 21 Nov",
        "08:00",
        "16:00",
        "00:00<br>Sun 22 Nov",
        "08:00",
        "16:00",
        "24:00",
    ]


def test_a_week_names_its_days_in_their_middle_and_parts_them_at_midnight():
    axis = time_axis(calendar_period("week", date(2026, 11, 22), BERLIN))

    assert marks(axis) == [
        ("2026-11-16T11:00:00", "Mon<br>16"),
        ("2026-11-17T11:00:00", "Tue<br>17"),
        ("2026-11-18T11:00:00", "Wed<br>18"),
        ("2026-11-19T11:00:00", "Thu<br>19"),
        ("2026-11-20T11:00:00", "Fri<br>20"),
        ("2026-11-21T11:00:00", "Sat<br>21"),
        ("2026-11-22T11:00:00", "Sun<br>22"),
    ]
    assert axis["minor"]["tickvals"] == [f"2026-11-{day}T23:00:00" for day in range(16, 22)]


@pytest.mark.parametrize(
    ("on", "labels"),
    [
        (date(2026, 9, 1), ["Mon<br>31", "Tue<br>1 Sep", "Wed<br>2"]),
        (date(2026, 9, 30), ["Mon<br>28", "Tue<br>29", "Wed<br>30", "Thu<br>1 Oct"]),
    ],
)
def test_a_week_of_two_months_never_names_both_side_by_side(on, labels):
    axis = time_axis(calendar_period("week", on, BERLIN))

    assert axis["ticktext"][: len(labels)] == labels


def test_a_month_is_marked_by_its_mondays_under_their_bars():
    axis = time_axis(calendar_period("month", date(2026, 11, 22), NEW_YORK))

    assert axis["range"] == ["2026-11-01T04:00:00", "2026-12-01T05:00:00"]
    assert marks(axis) == [
        ("2026-11-02T17:00:00", "2 Nov"),
        ("2026-11-09T17:00:00", "9"),
        ("2026-11-16T17:00:00", "16"),
        ("2026-11-23T17:00:00", "23"),
        ("2026-11-30T17:00:00", "30"),
    ]


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        (date(2026, 10, 26), date(2026, 11, 4), ["26 Oct", "28", "30", "1 Nov", "3"]),
        (
            date(2026, 1, 1),
            date(2026, 12, 31),
            ["5 Jan", "2 Mar", "27 Apr", "22 Jun", "17 Aug", "12 Oct", "7 Dec"],
        ),
    ],
)
def test_any_number_of_days_has_few_marks(first, last, labels):
    assert time_axis(custom_period(first, last, BERLIN))["ticktext"] == labels


def test_a_day_without_midnight_is_parted_from_the_one_before_where_it_begins():
    # Clocks in Cairo went from 00:00 to 01:00 on 24 April 2026.
    cairo = ZoneInfo("Africa/Cairo")

    axis = time_axis(custom_period(date(2026, 4, 23), date(2026, 4, 25), cairo))

    assert axis["ticktext"] == ["Thu<br>23", "Fri<br>24", "Sat<br>25"]
    assert axis["minor"]["tickvals"] == ["2026-04-23T22:00:00", "2026-04-24T21:00:00"]


def test_an_hour_has_a_label_every_15_minutes():
    day = calendar_period("day", date(2026, 11, 3), KOLKATA)

    axis = time_axis(day, datetime(2026, 11, 3, 8, tzinfo=UTC))

    assert axis["range"] == ["2026-11-03T08:00:00", "2026-11-03T09:00:00"]
    assert axis["tickvals"][1] == "2026-11-03T08:15:00"
    assert axis["ticktext"] == ["13:30", "13:45", "14:00", "14:15", "14:30"]
