from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from aggregator.metrics.buckets import chart_edges, spark_edges, step_buckets, step_edges
from aggregator.metrics.hourly import INTERVAL_DTYPES, RESPONSE_DTYPES, TURN_DTYPES
from aggregator.metrics.periods import calendar_period, custom_period
from aggregator.metrics.steps import Facts, in_steps
from aggregator.metrics.windows import RetainedHours

NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")
SUNDAY = date(2026, 11, 1)


def hours(edges) -> list[float]:
    return [(end - start) / timedelta(hours=1) for start, end in pairwise(edges)]


def test_a_sparkline_of_a_week_has_28_quarters_one_longer_when_the_clocks_go_back():
    edges = spark_edges(calendar_period("week", SUNDAY, NEW_YORK))

    assert hours(edges) == [6] * 24 + [7, 6, 6, 6]


@pytest.mark.parametrize(
    ("days", "chart", "spark"), [(1, 25, 25), (8, 8 * 24 + 1, 32), (9, 9, 9), (366, 366, 366)]
)
def test_up_to_8_days_are_drawn_by_hour_and_longer_ones_by_day(days, chart, spark):
    period = custom_period(SUNDAY - timedelta(days=days - 1), SUNDAY, NEW_YORK)

    assert (len(chart_edges(period)) - 1, len(spark_edges(period)) - 1) == (chart, spark)


def test_a_left_out_day_leaves_edges_in_order():
    edges = spark_edges(calendar_period("week", date(2011, 12, 30), APIA))

    assert edges.is_monotonic_increasing
    assert edges.is_unique


def test_a_step_keeps_the_gap_to_a_turn_before_it():
    noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
    turns = [(1, 1, noon + timedelta(minutes=minute)) for minute in (4, 6)]
    facts = Facts(
        pd.DataFrame(turns, columns=list(TURN_DTYPES)).astype(TURN_DTYPES),
        pd.DataFrame([], columns=list(INTERVAL_DTYPES)).astype(INTERVAL_DTYPES),
        pd.DataFrame([], columns=list(RESPONSE_DTYPES)).astype(RESPONSE_DTYPES),
    )
    edges = step_edges(noon - timedelta(hours=1), noon + timedelta(hours=1), "30min")
    retained = RetainedHours(noon, noon + timedelta(minutes=10))
    finer = step_edges(noon, noon + timedelta(minutes=15), "5min")

    found = step_buckets(in_steps(facts, "overall", timedelta(minutes=30)), edges, retained)
    steps = step_buckets(in_steps(facts, "overall", timedelta(minutes=5)), finer, retained)

    assert found["phase"].tolist() == ["gone", "gone", "running", "future"]
    assert found["turn_count"].tolist() == [0, 0, 2, 0]
    assert steps["turn_count"].tolist() == [1, 1, 0]
    assert steps["active_agents"].tolist() == [1, 1, 0]
    assert steps["avg_turn_time_seconds"].fillna(-1).tolist() == [-1, 120, -1]
