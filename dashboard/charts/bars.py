"""Bars of buckets on a time axis: their places, their look, and what takes the pointer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from aggregator.metrics.buckets import FUTURE, GONE, RUNNING
from aggregator.query.overview import Overview
from dashboard.charts.axes import on_axis, time_axis
from dashboard.charts.figure_types import Trace
from dashboard.charts.palette import Palette
from dashboard.charts.theme import MARGIN
from dashboard.charts.tooltips import NO_LONGER_KEPT, short_name

FEW_BARS = 48
HOUR_MS = 3_600_000
CLEAR = "rgba(0,0,0,0)"


def placed(buckets: pd.DataFrame) -> pd.DataFrame:
    """Add ``x`` (the middle on the axis), ``width`` (ms) and ``iso`` (start) to the buckets."""
    length = buckets["end"] - buckets["start"]
    return buckets.assign(
        x=on_axis(buckets["start"] + length / 2),
        width=length.dt.total_seconds() * 1000,
        iso=buckets["start"].dt.strftime("%FT%TZ"),
    )


def column_layout(overview: Overview) -> dict[str, Any]:
    """Return the layout of a chart with a column for each bucket of the period."""
    return {
        "margin": MARGIN,
        "barmode": "stack",
        # The tooltip of a bucket appears wherever in its column the pointer is.
        "hovermode": "x",
        "hoverdistance": -1,
        # A click reports its height, which tells the stacked bars apart.
        "clickanywhere": True,
        "xaxis": time_axis(overview.period, overview.zoom.hour if overview.zoom else None),
    }


def pointer_bars(
    buckets: pd.DataFrame, heights: pd.Series, name: str, colour: str | None, colours: Palette
) -> Trace:
    """Draw the bars that take the pointer and clicks; invisible without a colour.

    Args:
        buckets: The buckets, see :func:`placed`, with their ``tooltip`` (str).
        heights: (n,) values of the buckets; a missing one counts as 0.
        name: Name in the legend.
        colour: The colour of the bars, or None.
        colours: Colours of the scheme.
    """
    heights = heights.astype("float64").fillna(0)
    return {
        "type": "bar",
        "name": name,
        "legendgroup": name,
        "x": buckets["x"].to_numpy(),
        "y": heights.where(buckets["phase"] != FUTURE).to_numpy(),
        # Not stacked on top of the others.
        "base": 0,
        "width": buckets["width"].to_numpy(),
        "customdata": click_data(None, buckets),
        "hovertext": buckets["tooltip"].to_numpy(),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": colour is not None,
        "marker": _fill(colour, buckets, colours, _border(buckets)) if colour else {"color": CLEAR},
    }


def layer(
    buckets: pd.DataFrame,
    heights: pd.Series,
    name: str,
    colour: str,
    colours: Palette,
    *,
    project: int | None = None,
) -> Trace:
    """Draw one part of stacked bars, over which :func:`pointer_bars` take the pointer.

    Buckets shorter than hours are many, so their part is one area in the shape of bars.

    Args:
        buckets: The buckets, see :func:`placed`.
        heights: (n,) values of the buckets; where one is missing or 0, there is no bar.
        name: The whole name, which the legend shortens.
        colour: The colour of the part.
        colours: Colours of the scheme.
        project: Id of the project of this part, for clicks.
    """
    if (buckets["width"] < HOUR_MS).any():
        return _area(buckets, heights, name, colour, project)
    drawn = buckets[heights > 0]
    return {
        "type": "bar",
        "name": short_name(name),
        # Legend entries of different groups may differ in width.
        "legendgroup": name,
        "x": drawn["x"].to_numpy(),
        "y": heights[heights > 0].to_numpy(),
        "width": drawn["width"].to_numpy(),
        "customdata": click_data(project, drawn),
        # No tooltip, because the whole bucket has one; "none" still reports clicks.
        "hoverinfo": "none",
        "marker": _fill(colour, drawn, colours, _border(buckets) / 2),
    }


def _area(
    buckets: pd.DataFrame, heights: pd.Series, name: str, colour: str, project: int | None
) -> Trace:
    # Its steps are half way between points, so the outer edges need points as well.
    edges = on_axis([buckets["start"].iloc[0], buckets["end"].iloc[-1]])
    place = [0, *range(len(buckets)), len(buckets) - 1]
    return {
        "type": "scatter",
        "name": short_name(name),
        "legendgroup": name,
        "x": [edges[0], *buckets["x"], edges[1]],
        "y": heights.fillna(0).to_numpy()[place],
        "customdata": click_data(project, buckets)[place],
        "mode": "lines",
        "line": {"shape": "hvh", "width": 0, "color": colour},
        "stackgroup": "bars",
        "fillcolor": colour,
        "hoverinfo": "none",
    }


def click_data(project: int | None, buckets: pd.DataFrame) -> np.ndarray:
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


def shade_gone(buckets: pd.DataFrame, colours: Palette) -> dict[str, Any]:
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
