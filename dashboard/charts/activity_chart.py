"""The activity chart: one metric in each bucket of a period.

Pure Plotly: an overview in, a figure out. The page, notebooks and exports all draw it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from aggregator.metrics.measures import Measure
from aggregator.query.overview import Overview
from dashboard.charts import summaries
from dashboard.charts.axes import count_axis, duration_axis
from dashboard.charts.bars import column_layout, layer, placed, pointer_bars, shade_gone
from dashboard.charts.figure_types import Chart, Trace
from dashboard.charts.lines import line
from dashboard.charts.palette import Palette, palette
from dashboard.charts.stack import StackedSeries, stack_projects
from dashboard.charts.theme import template
from dashboard.charts.time.time_chart import time_chart_of
from dashboard.charts.tooltips import tooltips
from dashboard.labels import LABELS, MEASURE, TIME, TURN_TIME, TURNS, unit


def activity_chart(
    overview: Overview,
    names: Mapping[int, str] | None = None,
    metric: str = TURNS,
    scheme: str = "light",
) -> go.Figure:
    """Draw one metric of every bucket in a period, see :func:`chart_of`.

    Without ``names``, projects have the names in the overview.
    """
    return go.Figure(chart_of(overview, names or names_in(overview), metric, scheme))


def names_in(overview: Overview) -> dict[int, str]:
    """Return the names of the projects in an overview, by id."""
    projects = overview.projects
    return dict(zip(projects["project_id"].tolist(), projects["name"], strict=True))


def chart_of(
    overview: Overview, names: Mapping[int, str], metric: str = TURNS, scheme: str = "light"
) -> Chart:
    """Draw one metric of every bucket in a period, as ``data`` and ``layout`` of a figure.

    This is not yet a :class:`plotly.graph_objects.Figure`, which checks every property
    and takes longer to do so than the database takes to return all numbers.

    Time is drawn by :func:`dashboard.charts.time.time_chart.time_chart_of`. Turns are bars, stacked
    by project if there are several, with the average gap between turns as a line over them; a
    bucket without turns is a hole in that line. For the x axis, see
    :func:`dashboard.charts.axes.time_axis`. The ``customdata`` of bars is the project's id
    (None for all) and the bucket's start (ISO 8601, UTC).

    Args:
        overview: The metrics; may be empty.
        names: Names of projects by id.
        metric: One of :data:`dashboard.labels.METRIC_LABELS`.
        scheme: ``light`` or ``dark``.
    """
    if metric == TIME:
        return time_chart_of(overview, scheme)
    colours = palette(scheme)
    stack = stack_projects(overview, names)
    buckets = placed(overview.buckets)
    buckets["tooltip"] = tooltips(overview, stack, colours)
    if metric == TURNS:
        data, axes = _turns(buckets, stack, overview, colours)
    elif MEASURE[metric].combine == "pooled":
        data, axes = _average(buckets, MEASURE[metric], colours)
    else:
        data, axes = _amounts(buckets, MEASURE[metric], colours)
    layout = {
        "template": template(scheme),
        "meta": {"summary": summaries.chart_summary(overview, stack, metric)},
        **column_layout(overview),
        **axes,
        **shade_gone(buckets, colours),
    }
    return {"data": data, "layout": layout}


def _turns(
    buckets: pd.DataFrame, stack: list[StackedSeries], overview: Overview, colours: Palette
) -> tuple[list[Trace], dict[str, Any]]:
    name = f"Turns per {unit(overview.freq)}"
    data = [
        *(_part(series, buckets, colours) for series in stack),
        pointer_bars(
            buckets, buckets["turn_count"], name, None if stack else colours.accent, colours
        ),
        *_line_over_bars(buckets, colours),
    ]
    right = {"overlaying": "y", "side": "right", "showgrid": False}
    longest = buckets["avg_turn_time_seconds"].fillna(0).max()
    return data, {
        "yaxis": count_axis(buckets["turn_count"].max(), shared=True),
        "yaxis2": {**duration_axis(longest, shared=True), **right},
    }


def _average(
    buckets: pd.DataFrame, measure: Measure, colours: Palette
) -> tuple[list[Trace], dict[str, Any]]:
    """Draw a line with a hole wherever there is no average."""
    bars = pointer_bars(buckets, buckets[measure.column], measure.label, None, colours)
    average = line(buckets, buckets[measure.column], colours.accent, 2)
    return [bars, average], {"yaxis": _value_axis(buckets, measure)}


def _amounts(
    buckets: pd.DataFrame, measure: Measure, colours: Palette
) -> tuple[list[Trace], dict[str, Any]]:
    """Draw bars of one colour; empty buckets have the amount 0."""
    bars = pointer_bars(buckets, buckets[measure.column], measure.label, colours.accent, colours)
    return [bars], {"yaxis": _value_axis(buckets, measure), "showlegend": False}


def _value_axis(buckets: pd.DataFrame, measure: Measure) -> dict[str, Any]:
    highest = buckets[measure.column].fillna(0).max()
    return duration_axis(highest) if measure.unit == "seconds" else count_axis(highest)


def _part(series: StackedSeries, buckets: pd.DataFrame, colours: Palette) -> Trace:
    turns = buckets["start"].map(series.turns)
    colour = colours.of_project(series.slot)
    return layer(buckets, turns, series.name, colour, colours, project=series.project_id)


def _line_over_bars(buckets: pd.DataFrame, colours: Palette) -> list[Trace]:
    """Draw the average gap between turns with an outline, so that it stands out from the bars."""
    average = buckets[MEASURE[TURN_TIME].column]
    outline = line(buckets, average, colours.surface, 4, yaxis="y2")
    name = f"{LABELS[TURN_TIME]} (right axis)"
    legend: dict[str, Any] = {"name": name, "legendgroup": name, "showlegend": True}
    return [outline, line(buckets, average, colours.contrast, 1.3, yaxis="y2", **legend)]
