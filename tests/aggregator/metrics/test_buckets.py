from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.buckets import chart_edges, spark_edges
from aggregator.metrics.periods import calendar_period, custom_period

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
