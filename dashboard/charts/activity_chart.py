"""The activity chart: one metric in each bucket of a period.

Pure Plotly: an overview in, a figure out. The page, notebooks and exports all draw it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from aggregator.metrics.buckets import FUTURE, GONE, RUNNING, by_day
from aggregator.metrics.measures import Measure
from aggregator.query.overview import Overview
from dashboard.charts import summaries
from dashboard.charts.axes import count_axis, duration_axis, on_axis, time_axis
from dashboard.charts.figure_types import Chart, Trace
from dashboard.charts.stack import StackedSeries, stack_projects
from dashboard.charts.theme import MARGIN, Palette, palette, template
from dashboard.charts.tooltips import NO_LONGER_KEPT, short_name, tooltips
from dashboard.labels import LABELS, MEASURE, TURN_TIME, TURNS

FEW_BARS = 48
CLEAR = "rgba(0,0,0,0)"


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

    Turns are bars, stacked by project if there are several, with the average gap between turns as
    a line over them; a bucket without turns is a hole in that line. For the x axis, see
    :func:`dashboard.charts.axes.time_axis`. The ``customdata`` of bars is the project's id
    (None for all) and the bucket's start (ISO 8601, UTC).

    Args:
        overview: The metrics; may be empty.
        names: Names of projects by id.
        metric: One of :data:`dashboard.labels.LABELS`.
        scheme: ``light`` or ``dark``.
    """
    colours = palette(scheme)
    stack = stack_projects(overview, names)
    buckets = _placed(overview.buckets)
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
        **_layout(overview),
        **axes,
        **_shade_gone(buckets, colours),
    }
    return {"data": data, "layout": layout}


def _placed(buckets: pd.DataFrame) -> pd.DataFrame:
    """Add ``x`` (the middle on the axis), ``width`` (ms) and ``iso`` (start) to the buckets."""
    length = buckets["end"] - buckets["start"]
    return buckets.assign(
        x=on_axis(buckets["start"] + length / 2),
        width=length.dt.total_seconds() * 1000,
        iso=buckets["start"].dt.strftime("%FT%TZ"),
    )


def _layout(overview: Overview) -> dict[str, Any]:
    return {
        "margin": MARGIN,
        "barmode": "stack",
        # The tooltip of a bucket appears wherever in its column the pointer is.
        "hovermode": "x",
        "hoverdistance": -1,
        # A click reports its height, which tells the stacked bars apart.
        "clickanywhere": True,
        "xaxis": time_axis(overview.period),
    }


def _turns(
    buckets: pd.DataFrame, stack: list[StackedSeries], overview: Overview, colours: Palette
) -> tuple[list[Trace], dict[str, Any]]:
    name = f"Turns per {'day' if by_day(overview.period) else 'hour'}"
    data = [
        *(_stacked_bars(series, buckets, colours) for series in stack),
        _bars(buckets, MEASURE[TURNS], name, None if stack else colours.accent, colours),
        *_line_over_bars(buckets, colours),
    ]
    right = {"overlaying": "y", "side": "right", "showgrid": False}
    longest = buckets["avg_turn_time_seconds"].fillna(0).max()
    return data, {
        "yaxis": count_axis(buckets["turn_count"].max()),
        "yaxis2": {**duration_axis(longest), **right},
    }


def _average(
    buckets: pd.DataFrame, measure: Measure, colours: Palette
) -> tuple[list[Trace], dict[str, Any]]:
    """Draw a line with a hole wherever there is no average."""
    bars = _bars(buckets, measure, measure.label, None, colours)
    line = _line(buckets, colours.accent, 2, column=measure.column)
    return [bars, line], {"yaxis": _value_axis(buckets, measure)}


def _amounts(
    buckets: pd.DataFrame, measure: Measure, colours: Palette
) -> tuple[list[Trace], dict[str, Any]]:
    """Draw bars of one colour; empty buckets have the amount 0."""
    bars = _bars(buckets, measure, measure.label, colours.accent, colours)
    return [bars], {"yaxis": _value_axis(buckets, measure), "showlegend": False}


def _value_axis(buckets: pd.DataFrame, measure: Measure) -> dict[str, Any]:
    highest = buckets[measure.column].fillna(0).max()
    return duration_axis(highest) if measure.unit == "seconds" else count_axis(highest)


def _bars(
    buckets: pd.DataFrame, measure: Measure, name: str, colour: str | None, colours: Palette
) -> Trace:
    """Draw the bars that take the pointer and clicks, visible or not."""
    heights = buckets[measure.column].astype("float64").fillna(0)
    return {
        "type": "bar",
        "name": name,
        "legendgroup": name,
        "x": buckets["x"].to_numpy(),
        "y": heights.where(buckets["phase"] != FUTURE).to_numpy(),
        # Not stacked on top of the others.
        "base": 0,
        "width": buckets["width"].to_numpy(),
        "customdata": _click_data(None, buckets),
        "hovertext": buckets["tooltip"].to_numpy(),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": colour is not None,
        "marker": _fill(colour, buckets, colours, _border(buckets)) if colour else {"color": CLEAR},
    }


def _stacked_bars(series: StackedSeries, buckets: pd.DataFrame, colours: Palette) -> Trace:
    drawn = buckets[buckets["start"].isin(series.turns.index)]
    return {
        "type": "bar",
        "name": short_name(series.name),
        # Legend entries of different groups may differ in width.
        "legendgroup": series.name,
        "x": drawn["x"].to_numpy(),
        "y": series.turns.reindex(drawn["start"]).to_numpy(),
        "width": drawn["width"].to_numpy(),
        "customdata": _click_data(series.project_id, drawn),
        # No tooltip, because the whole bucket has one; "none" still reports clicks.
        "hoverinfo": "none",
        "marker": _fill(colours.of_project(series.slot), drawn, colours, _border(buckets) / 2),
    }


def _click_data(project: int | None, buckets: pd.DataFrame) -> np.ndarray:
    """Return ``customdata`` as an array: Plotly would check lists item by item."""
    return np.array([[project, start] for start in buckets["iso"]], dtype=object)


def _border(buckets: pd.DataFrame) -> float:
    """Return the width in pixels of the gap between bars; many narrow bars have none."""
    return 1 if len(buckets) <= FEW_BARS else 0


def _fill(colour: str, buckets: pd.DataFrame, colours: Palette, border: float) -> dict[str, Any]:
    """Return the marker of bars; the bar of a running bucket is hatched."""
    # A border in the background's colour separates the bars without changing their width.
    marker: dict[str, Any] = {
        "color": colour,
        "line": {"color": colours.surface, "width": border},
    }
    running = buckets["phase"] == RUNNING
    if running.any():
        marker["pattern"] = {
            "shape": ["/" if is_running else "" for is_running in running],
            "fgcolor": colour,
            "bgcolor": colours.unfinished(colour),
            "size": 6,
            "solidity": 0.3,
        }
    return marker


def _line_over_bars(buckets: pd.DataFrame, colours: Palette) -> list[Trace]:
    """Draw the average gap between turns with an outline, so that it stands out from the bars."""
    outline = _line(buckets, colours.surface, 4, yaxis="y2", showlegend=False)
    name = f"{LABELS[TURN_TIME]} (right axis)"
    legend: dict[str, Any] = {"name": name, "legendgroup": name, "showlegend": True}
    line = _line(buckets, colours.contrast, 1.3, yaxis="y2", **legend)
    return [outline, line]


def _line(
    buckets: pd.DataFrame,
    colour: str,
    width: float,
    *,
    column: str = MEASURE[TURN_TIME].column,
    **options: Any,
) -> Trace:
    average = buckets[column]
    # A bucket between two holes has no line, so it needs a dot to be visible.
    isolated = average.notna() & average.shift().isna() & average.shift(-1).isna()
    running = buckets["phase"] == RUNNING
    dot = width + 3.5
    return dict(
        type="scatter",
        x=buckets["x"].to_numpy(),
        y=average.to_numpy(),
        mode="lines+markers",
        connectgaps=False,
        # The bar's tooltip includes this number.
        hoverinfo="skip",
        line={"color": colour, "width": width},
        marker={
            "color": colour,
            "size": [dot if has_dot else 0 for has_dot in isolated | running],
            # Otherwise Plotly makes dots of different sizes transparent.
            "opacity": 1,
            "symbol": ["circle-open" if is_running else "circle" for is_running in running],
        },
        **{"showlegend": False, **options},
    )


def _shade_gone(buckets: pd.DataFrame, colours: Palette) -> dict[str, Any]:
    """Shade the buckets outside the retention, so that they do not look idle."""
    gone = buckets["phase"] == GONE
    if not gone.any():
        return {}
    start, end = buckets["start"].iloc[0], buckets.loc[gone, "end"].iloc[-1]
    left, middle, right = on_axis([start, start + (end - start) / 2, end])
    shape = {
        "type": "rect",
        "layer": "below",
        "x0": left,
        "x1": right,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"width": 0},
        "fillcolor": colours.gone,
    }
    share = (end - start) / (buckets["end"].iloc[-1] - start)
    if share < 0.06:
        # Too narrow for a label; the tooltips say it.
        return {"shapes": [shape]}
    label = {
        "text": NO_LONGER_KEPT,
        "x": middle,
        "y": 0.5,
        "yref": "paper",
        "showarrow": False,
        "textangle": 0 if share > 0.4 else -90,
        "font": {"color": colours.muted},
    }
    return {"shapes": [shape], "annotations": [label]}
