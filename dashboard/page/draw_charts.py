"""The charts of a view: which are in sight, each drawn from the overview."""

from __future__ import annotations

from collections.abc import Mapping

from aggregator.query.overview import Overview
from dashboard.charts.activity_chart import chart_of
from dashboard.charts.figure_types import Chart
from dashboard.charts.heatmap import heatmap_of
from dashboard.charts.time.capacity_chart import capacity_chart_of
from dashboard.charts.time.timeline import timeline_of
from dashboard.charts.time.work_chart import work_chart_of
from dashboard.labels import TIME
from dashboard.page import ids
from dashboard.selection.view import View

NO_CHART: Chart = {"data": [], "layout": {}}
"""A chart that is out of sight."""


def draw_charts(
    overview: Overview, view: View, names: Mapping[int, str], scheme: str
) -> dict[str, Chart]:
    """Draw the charts of a view that are in sight, by the id of their element.

    Those with a bucket in each column have steps, if the view asks for them.

    Args:
        overview: The metrics.
        view: The view.
        names: Names of projects by id.
        scheme: ``light`` or ``dark``.
    """
    zoomed = overview.zoomed()
    charts = {
        ids.CHART: chart_of(zoomed, names, view.metric, scheme),
        ids.PATTERN: heatmap_of(overview, view.pattern_metric, scheme),
    }
    if len(view.agents) == 1:
        charts[ids.TIMELINE] = timeline_of(overview, scheme)
    elif view.metric == TIME:
        # A single agent is never at work twice at once.
        charts[ids.WORK] = work_chart_of(zoomed, scheme)
        charts[ids.CAPACITY] = capacity_chart_of(overview, scheme)
    return charts
