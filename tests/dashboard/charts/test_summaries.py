from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.periods import calendar_period
from dashboard.charts.activity_chart import activity_chart

BERLIN = ZoneInfo("Europe/Berlin")


def utc(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def summary(overview, metric: str = "turns") -> str:
    return activity_chart(overview, {1: "atlas", 2: "billing"}, metric).layout.meta["summary"]


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        (
            "turns",
            "Turns per hour, Sun 22 Nov 2026. 24 turns in 2 of 16 hours. Most: 23 turns, "
            "Sun 22 Nov, 10:00–11:00. By project: billing 54\u202f%, atlas 46\u202f%.",
        ),
        (
            "turn-time",
            "Average gap between turns per hour, Sun 22 Nov 2026. 24 turns in 2 of 16 hours. "
            "Longest: 1 min 24 s, Sun 22 Nov, 10:00–11:00.",
        ),
        (
            "agents",
            "Active agents per hour, Sun 22 Nov 2026. 24 turns in 2 of 16 hours. Most: "
            "3 active agents, Sun 22 Nov, 10:00–11:00.",
        ),
    ],
)
def test_a_chart_is_summed_up_in_words(overview, metric, text):
    hours = ((utc(22, 9), 23, 84.0, 3), (utc(22, 14), 1, None, 1))
    turns = [(1, utc(22, 9), 11), (2, utc(22, 9), 12), (2, utc(22, 14), 1)]

    assert summary(overview(*hours, project_buckets=turns), metric) == text


def test_days_that_are_gone_are_not_counted_as_idle(overview):
    month = calendar_period("month", date(2026, 11, 22), BERLIN)

    assert summary(overview((utc(20, 9), 2, 9.0, 1), period=month, kept_since=utc(9, 23))) == (
        "Turns per day, November 2026. 2 turns in 1 of 13 days. Most: 2 turns, Fri 20 Nov. "
        "9 days no longer kept."
    )


def test_nothing_is_said_to_be_nothing(overview):
    gone = calendar_period("day", date(2026, 9, 1), BERLIN)

    assert summary(overview()) == "Turns per hour, Sun 22 Nov 2026. No turns."
    assert summary(overview(), "turn-time") == (
        "Average gap between turns per hour, Sun 22 Nov 2026. Nothing to show."
    )
    assert summary(overview(period=gone)) == (
        "Turns per hour, Tue 1 Sep 2026. 24 hours no longer kept."
    )
