from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from aggregator.metrics.periods import calendar_period
from aggregator.query.intervals import INTERVAL_DTYPES
from dashboard.charts.palette import LIGHT
from dashboard.charts.time.timeline import by_row, timeline_of, why

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def utc(day, hour=0, minute=0, second=0):
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


def intervals(*rows):
    """Intervals of agent 7: kind, start, end, and if wanted reason, tool, mode and exactness."""
    defaults = ("person", None, None, False)
    full = [(7, 1, *row[:3], *row[3:], *defaults[len(row) - 3 :]) for row in rows]
    return pd.DataFrame(full, columns=list(INTERVAL_DTYPES)).astype(INTERVAL_DTYPES)


def view(overview, timeline, window="day", on=date(2026, 11, 22), zone=BERLIN):
    return overview(period=calendar_period(window, on, zone), timeline=timeline)


def test_a_day_is_one_strip_from_its_beginning(overview):
    timeline = intervals(
        ("working", utc(22, 9), utc(22, 10, 30), "person", None, None, True),
        ("blocked", utc(22, 10, 30), utc(22, 11), "permission", "Edit", "default"),
    )

    chart = timeline_of(view(overview, timeline))

    working, blocked = chart["data"]
    assert (working["name"], list(working["base"]), list(working["x"])) == (
        "Working",
        [10 * 3600],
        [5400],
    )
    assert (list(blocked["y"]), blocked["marker"]["color"]) == ([0], LIGHT.kinds["blocked"])
    assert list(working["hovertext"]) == [
        "<b>Working</b><br>Sun 22 Nov, 10:00:00–11:30:00<br>1 h 30 min, exact<br>after a prompt"
    ]
    assert list(blocked["hovertext"]) == [
        "<b>Blocked</b><br>Sun 22 Nov, 11:30:00–12:00:00<br>30 min"
        "<br>needed a permission: Edit, default mode"
    ]
    assert chart["layout"]["xaxis"]["ticktext"][:2] == ["00:00", "04:00"]
    assert chart["layout"]["xaxis"]["ticktext"][-1] == "24:00"
    assert chart["layout"]["meta"]["summary"] == "2 intervals: Working 1 h 30 min, Blocked 30 min."


def test_an_interval_over_midnight_is_cut_into_the_rows_of_its_days():
    days = [(utc(20), utc(21)), (utc(21), utc(22)), (utc(22), utc(23))]
    timeline = intervals(
        ("idle", utc(19, 22), utc(20, 1)), ("working", utc(20, 23), utc(22, 2, 0, 1))
    )

    rows = by_row(timeline, days)

    assert rows[["kind", "row", "offset", "length"]].values.tolist() == [
        ["idle", 0, 0.0, 3600.0],
        ["working", 0, 23 * 3600.0, 3600.0],
        ["working", 1, 0.0, 86400.0],
        ["working", 2, 0.0, 7201.0],
    ]
    assert set(rows.loc[rows["kind"] == "working", "started_at"]) == {pd.Timestamp(utc(20, 23))}
    assert by_row(timeline.iloc[:0], days).empty


def test_rows_are_the_retained_days_that_have_begun(overview, now):
    month = calendar_period("month", date(2026, 11, 1), BERLIN)

    chart = timeline_of(
        overview(period=month, timeline=intervals(), kept_since=now - timedelta(days=10))
    )

    assert chart["layout"]["yaxis"]["range"] == [10.5, -0.5]
    assert chart["layout"]["yaxis"]["ticktext"] == ["Thu 12", "Mon 16"]
    assert chart["layout"]["meta"]["summary"] == "No time in this period."


def test_the_day_of_25_hours_is_longer_than_the_others(overview):
    week = view(overview, intervals(), "week", date(2026, 10, 26), NEW_YORK)

    axis = timeline_of(week)["layout"]["xaxis"]

    assert axis["range"] == [0, 25 * 3600]
    assert axis["tickvals"][:2] == [0, 4 * 3600]


@pytest.mark.parametrize(
    ("kind", "reason", "tool", "mode", "text"),
    [
        ("blocked", "question", "AskUserQuestion", None, "asked a question: AskUserQuestion"),
        ("blocked", "plan", None, None, "showed a plan"),
        ("working", "machine", None, None, "started by a program"),
        ("stalled", "silence", None, None, "silence"),
    ],
)
def test_an_interval_says_why(kind, reason, tool, mode, text):
    assert why(SimpleNamespace(kind=kind, reason=reason, tool=tool, mode=mode)) == text


def test_what_the_page_is_sent_is_what_plotly_makes_of_it(overview, assert_plotly_agrees):
    timeline = intervals(("working", utc(22, 9), utc(22, 10)), ("idle", utc(22, 10), utc(22, 11)))

    assert_plotly_agrees(timeline_of(view(overview, timeline)))
    assert_plotly_agrees(timeline_of(view(overview, intervals())))
