from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dashboard.charts.clicks import clicked_bar

NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)
START = "2026-11-22T09:00:00Z"


def click(height: float) -> dict:
    """Return Dash's data of a click on stacked bars of 10, 4 and 6, and 20 for all."""
    points = [
        {"curveNumber": 0, "y": 10, "customdata": [3, START]},
        {"curveNumber": 3, "y": 20, "customdata": [None, START]},
        {"curveNumber": 2, "y": 6, "customdata": [None, START]},
        {"curveNumber": 1, "y": 4, "customdata": [5, START]},
    ]
    return {"points": points, "yvals": [height, 100 * height]}


@pytest.mark.parametrize(
    ("height", "project"), [(0, 3), (9.9, 3), (10.1, 5), (15, None), (30, None), (90, None)]
)
def test_the_height_of_a_click_tells_the_project(height, project):
    assert clicked_bar(click(height)) == (project, NINE)


@pytest.mark.parametrize("nothing", [None, {}, {"points": []}, {"points": [{"x": 1}]}])
def test_a_click_beside_all_bars_means_nothing(nothing):
    assert clicked_bar(nothing) is None
