from __future__ import annotations

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.periods import calendar_period
from dashboard.page.draw_charts import draw_charts
from dashboard.page.parts.downloads import downloads
from dashboard.page.parts.tables import agent_table, chart_table, heatmap_table
from dashboard.pictures.picture import Subject, frame_of
from dashboard.selection.view import View

NEW_YORK = ZoneInfo("America/New_York")
NAMES = {1: "atlas", 2: "billing"}


def utc(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def rows(table: pd.DataFrame) -> list[list]:
    """Return the rows as in JSON, with None for missing values."""
    return [
        [None if pd.isna(value) else value for value in row]
        for row in table.astype(object).to_numpy().tolist()
    ]


def test_the_chart_as_a_table_has_every_bucket_that_has_begun(overview):
    hours = ((utc(22, 9), 23, 84.04, 3), (utc(22, 14), 1, None, 1))
    turns = [(1, utc(22, 9), 11), (2, utc(22, 9), 12), (2, utc(22, 14), 1)]

    table = chart_table(overview(*hours, project_buckets=turns), NAMES)

    assert list(table.columns) == [
        "Start",
        "End",
        "Turns",
        "Average gap between turns (s)",
        "Active agents",
        "Note",
        "Turns of billing",
        "Turns of atlas",
    ]
    assert len(table) == 16
    nine, three = "2026-11-22T10:00:00+01:00", "2026-11-22T15:00:00+01:00"
    assert rows(table)[10] == [nine, "2026-11-22T11:00:00+01:00", 23, 84.0, 3, "", 12, 11]
    assert rows(table)[11][2:] == [0, None, 0, "", 0, 0]
    assert rows(table)[15] == [three, "2026-11-22T16:00:00+01:00", 1, None, 1, "so far", 1, 0]


def test_what_is_gone_has_no_numbers(overview):
    month = calendar_period("month", date(2026, 11, 22), NEW_YORK)
    hours = (utc(20, 15), 2, 9.0, 1)

    table = chart_table(overview(hours, period=month, kept_since=utc(10)), NAMES)

    assert len(table) == 22
    # The first of November has 25 hours.
    assert rows(table)[0] == [
        "2026-11-01T00:00:00-04:00",
        "2026-11-02T00:00:00-05:00",
        None,
        None,
        None,
        "no longer kept",
    ]
    assert rows(table)[19][2:] == [2, 9.0, 1, ""]


def test_projects_of_one_name_keep_their_own_columns(overview):
    turns = [(1, utc(22, 9), 11), (2, utc(22, 9), 12)]

    table = chart_table(
        overview((utc(22, 9), 23, 84.0, 3), project_buckets=turns), {1: "x", 2: "x"}
    )

    assert list(table.columns)[6:] == ["Turns of x", "Turns of x (1)"]


def test_the_heatmap_as_a_table_has_168_hours(overview):
    table = heatmap_table(overview((utc(22, 9), 23, 84.0, 3), kept_since=utc(22, 9)))

    assert list(table.columns) == [
        "Weekday",
        "Hour",
        "Hours kept",
        "Turns per hour",
        "Average gap between turns (s)",
        "Active agents",
    ]
    assert len(table) == 168
    assert rows(table)[0] == ["Monday", "00:00–01:00", 0, None, None, None]
    assert rows(table)[6 * 24 + 10] == ["Sunday", "10:00–11:00", 1, 23.0, 84.0, 3.0]


def test_projects_are_listed_as_on_the_page_each_with_its_agents_below_it(overview):
    view = overview(
        (utc(22, 9), 20, 60.0, 3),
        projects=[
            (2, "billing", 12, 60.0, 2, 1, utc(22, 9, 59)),
            (1, "atlas", 8, 50.04, 1, 1, utc(22, 9, 30)),
        ],
        agents=[
            (7, 1, "seven", 8, 50.04, 1, utc(22, 9, 30)),
            (9, 2, "nine", 7, 60.0, 1, utc(22, 9, 59)),
            (8, 2, "eight", 5, None, 1, pd.NaT, True),
            (4, 3, "four", 0, None, 0, utc(2, 9)),
        ],
        states=[(7, 1, "working", utc(22, 9, 30)), (9, 2, "idle", utc(22, 9, 59))],
    )

    table = agent_table(view, NAMES)

    assert list(table.columns) == [
        "Project",
        "Agent",
        "State",
        "Working (s)",
        "Waiting for me (s)",
        "Responses",
        "Response time p50 (s)",
        "Turns",
        "Turns per hour",
        "Average gap between turns (s)",
        "Active agents",
        "Active hours",
        "Last activity",
    ]
    # Of the day 15 hours and 5 minutes are over.
    none = [0.0, 0.0, 0, None]
    assert rows(table) == [
        ["billing", "", "", *none, 12, 0.8, 60.0, 2, 1, "2026-11-22T10:59:00+01:00"],
        ["billing", "nine", "idle", *none, 7, 0.46, 60.0, None, 1, "2026-11-22T10:59:00+01:00"],
        ["billing", "eight", "", *none, 5, 0.33, None, None, 1, None],
        ["atlas", "", "", *none, 8, 0.53, 50.0, 1, 1, "2026-11-22T10:30:00+01:00"],
        ["atlas", "seven", "working", *none, 8, 0.53, 50.0, None, 1, "2026-11-22T10:30:00+01:00"],
        ["project 3", "four", "", *none, 0, 0.0, None, None, 0, "2026-11-02T10:00:00+01:00"],
    ]


def test_without_anybody_the_tables_still_have_columns(overview):
    assert agent_table(overview(), {}).shape == (0, 13)
    assert chart_table(overview(), {}).shape == (16, 6)


def test_the_browser_gets_plain_values_and_names(overview):
    view = overview((utc(22, 9), 23, 84.0, 3))

    shown = View(metric="turn-time")
    charts = draw_charts(view, shown, NAMES, "light")
    chart, pattern = charts["activity-chart"], charts["pattern-chart"]
    given = json.loads(json.dumps(downloads(view, NAMES, shown, "Project atlas", charts)))

    frame = frame_of(chart, view, Subject("turn-time"), "Project atlas")
    assert given["charts"] == {
        "activity-chart": {
            "layout": {"showlegend": True, **frame},
            "scale": 2,
            "filename": "activity-turn-time-project-atlas-2026-11-22",
        },
        "pattern-chart": {
            "layout": frame_of(pattern, view, Subject("turn-time", True), "Project atlas"),
            "scale": 2,
            "filename": "activity-pattern-turn-time-project-atlas-2026-11-22",
        },
    }
    tables = given["tables"]
    assert [tables[name]["filename"] for name in ("chart", "pattern", "agent-table")] == [
        "activity-chart-project-atlas-2026-11-22",
        "activity-pattern-project-atlas-2026-11-22",
        "activity-people-project-atlas-2026-11-22",
    ]
    assert tables["chart"]["columns"] == list(chart_table(view, NAMES).columns)
    assert tables["chart"]["rows"][10] == [
        "2026-11-22T10:00:00+01:00",
        "2026-11-22T11:00:00+01:00",
        23,
        84.0,
        3,
        "",
    ]
    assert tables["agent-table"]["rows"] == []
