from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from aggregator.query.intervals import ASKING_DTYPES, INTERVAL_DTYPES
from dashboard.page.parts.time_tables import (
    asking_table,
    capacity_table,
    time_table,
    timeline_table,
    work_table,
)

TIME = {
    "working": 1800.0,
    "blocked": 60.04,
    "waiting": 1740.0,
    "exact": 900.0,
    "response": 1860.0,
    "responses": 2,
    "peak_working_agents": 2,
    "peak_waiting_agents": 1,
}
TEN = ["2026-11-22T10:00:00+01:00", "2026-11-22T11:00:00+01:00"]


def utc(hour, minute=0):
    return datetime(2026, 11, 22, hour, minute, tzinfo=UTC)


@pytest.fixture
def view(overview):
    return overview((utc(9), 5, 60.0, 2, TIME))


def rows(table):
    return [
        [None if pd.isna(value) else value for value in row]
        for row in table.astype(object).to_numpy().tolist()
    ]


def test_every_bucket_has_its_time(view):
    table = time_table(view)

    assert list(table.columns) == [
        "Start",
        "End",
        "Working (s)",
        "Blocked (s)",
        "Waiting after a turn (s)",
        "In the background (s)",
        "Stalled (s)",
        "Usage limit (s)",
        "Exact (s)",
        "Response time (s)",
        "Responses",
        "Note",
    ]
    assert len(table) == 16
    assert rows(table)[10] == [*TEN, 1800.0, 60.0, 1740.0, 0, 0, 0, 900.0, 1860.0, 2, ""]
    assert rows(table)[15][-1] == "so far"


def test_every_bucket_has_its_agents_at_once(view):
    assert rows(work_table(view))[10] == [*TEN, 0.5, 2, 0.5, 1, ""]


def test_an_hour_has_its_open_and_working_agents(view):
    assert rows(capacity_table(view)) == [[TEN[0], 1.0, 0.5]]


def test_a_timeline_is_a_list_of_intervals(overview):
    interval = [7, 1, "blocked", utc(9), utc(9, 1), "question", "AskUserQuestion", "plan", False]
    timeline = pd.DataFrame([interval], columns=list(INTERVAL_DTYPES)).astype(INTERVAL_DTYPES)

    assert rows(timeline_table(overview(timeline=timeline))) == [
        [
            TEN[0],
            "2026-11-22T10:01:00+01:00",
            "Blocked",
            60.0,
            "asked a question: AskUserQuestion, plan mode",
            "",
        ]
    ]


def test_what_asking_costs_is_told_by_project(overview):
    asking = pd.DataFrame([[1, "Edit", None, 3, 12.34]], columns=list(ASKING_DTYPES))

    table = asking_table(overview(asking=asking.astype(ASKING_DTYPES)), {1: "atlas"})

    assert rows(table) == [["atlas", "Edit", None, 3, 12.3]]


def test_without_anything_the_tables_still_have_columns(overview):
    view = overview()

    assert time_table(view).shape == (16, 12)
    assert work_table(view).shape == (16, 7)
    assert capacity_table(view).shape == (0, 3)
    assert timeline_table(view).shape == (0, 6)
    assert asking_table(view, {}).shape == (0, 5)
