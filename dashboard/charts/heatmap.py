"""The heatmap of activity in the week: weekday × hour of the viewer's clock.

Pure Plotly: an overview in, a figure out.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from aggregator.metrics.measures import TURN_MEASURES
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.figure_types import Chart, Trace
from dashboard.charts.palette import Palette, palette
from dashboard.charts.theme import MARGIN, template
from dashboard.labels import MEASURE, PATTERN_LABELS, TURNS, WAIT_PATTERN, WORK_PATTERN

FULL_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOUR_MARKS = 4
SCALE_WIDTH = 110
CELL = 0.94
"""Height and width of a cell; the centres of adjacent cells are 1 apart."""


def heatmap(overview: Overview, metric: str = TURNS, scheme: str = "light") -> go.Figure:
    """Draw the mean of one metric in each hour of the week, see :func:`heatmap_of`."""
    return go.Figure(heatmap_of(overview, metric, scheme))


def heatmap_of(overview: Overview, metric: str = TURNS, scheme: str = "light") -> Chart:
    """Draw the mean of one metric in each hour of the week, Monday on top.

    The result is ``data`` and ``layout`` of a figure, like :func:`.activity_chart.chart_of`.
    An hour of the week outside the retention is struck through: nobody knows whether it
    was quiet.

    Args:
        overview: The metrics; may be empty.
        metric: One of :data:`dashboard.labels.PATTERN_LABELS`.
        scheme: ``light`` or ``dark``.
    """
    colours = palette(scheme)
    cells = hourly_means(overview)
    means = cells[metric]
    highest = 0.0 if means.isna().all() else float(means.max())
    cells = cells.assign(tooltip=_tooltips(cells, overview, metric))
    # Without turns, all cells have the lowest colour.
    shades = colours.shades(means.dropna().to_numpy() / (highest or 1))
    data = [
        _bars(cells[means.notna()], shades),
        _bars(cells[means.isna()], "rgba(0, 0, 0, 0)"),
        _struck_through(cells, colours),
    ]
    if shades:
        data.append(_scale(highest, metric, colours))
    summary = {"summary": _summary(cells, overview, metric)}
    layout = {"template": template(scheme), "meta": summary, **_layout(overview)}
    return {"data": data, "layout": layout}


def _bars(cells: pd.DataFrame, colour: str | Sequence[str]) -> Trace:
    """Draw cells as floating bars.

    Plotly's own heatmap is an image in a ``data:`` address, which a strict
    Content-Security-Policy forbids and which is blurred in print.

    The colours are strings because Plotly asks each bar's colour for its opacity before
    it looks at a colour scale: with numbers it prints a warning for every bar.
    """
    return {
        "type": "bar",
        "x": cells["hour"].to_numpy(),
        "y": [CELL] * len(cells),
        "base": (cells["weekday"] - CELL / 2).to_numpy(),
        "width": CELL,
        "marker": {"line": {"width": 0}, "color": colour},
        "hovertext": cells["tooltip"].to_numpy(),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def hourly_means(overview: Overview) -> pd.DataFrame:
    """Compute the mean of each metric in each hour of the week, from Monday midnight on.

    Returns:
        (168, 8) frame of ``weekday``, ``hour``, ``hours`` (number of retained hours, int64)
        and the means by name of their metric: ``working`` and ``waiting`` in seconds per
        hour, ``turns`` and ``agents`` per hour, ``turn-time`` in seconds; float64, NaN if no
        hour is retained.
    """
    pattern = overview.pattern
    hours = pattern["hours"].where(pattern["hours"] > 0)
    return pattern[["weekday", "hour", "hours"]].assign(
        **{
            WORK_PATTERN: pattern["working_seconds"] / hours,
            WAIT_PATTERN: (pattern["blocked_seconds"] + pattern["waiting_seconds"]) / hours,
            **{
                measure.name: pattern[measure.column]
                if measure.combine == "pooled"
                else pattern[measure.column] / hours
                for measure in TURN_MEASURES
            },
        }
    )


def _mean(metric: str, number: float) -> str:
    """Format a mean: of a measure, or of time in seconds."""
    measure = MEASURE.get(metric)
    return formatting.mean(measure, number) if measure else formatting.duration(number)


def hour_name(hour: int, overview: Overview) -> str:
    """Name a column's local time: ``14:00–15:00``, or ``14:30–15:30`` in zones of half hours."""
    return f"{_edge(hour, overview)}–{_edge(hour + 1, overview)}"


def _edge(hour: int, overview: Overview) -> str:
    minute = _first_minute(overview.pattern_until, overview)
    return f"{hour % 24 if minute else hour:02}:{minute:02}"


def _first_minute(day: date, overview: Overview) -> int:
    """Return the minute of the local hour at which buckets, which are UTC hours, begin."""
    noon = datetime.combine(day, time(12), UTC)
    return noon.astimezone(overview.period.zone).minute


def _tooltips(cells: pd.DataFrame, overview: Overview, metric: str) -> list[str]:
    return [
        f"<b>{FULL_DAYS[cell['weekday']]}s, {hour_name(cell['hour'], overview)}</b>"
        f"<br>{_cell_text(cell, overview, metric)}"
        for cell in cells.to_dict("records")
    ]


def _cell_text(cell: Mapping[Hashable, Any], overview: Overview, metric: str) -> str:
    if not cell["hours"]:
        return "nothing kept"
    mean = cell[metric]
    text = "no" if pd.isna(mean) else _mean(metric, mean)
    text += f" {PATTERN_LABELS[metric].lower()}"
    # In autumn, one day has the same hour twice.
    days = min(cell["hours"], _day_count(cell["weekday"], overview))
    return f"{text}, over {formatting.counted(days, FULL_DAYS[cell['weekday']])}"


def _day_count(weekday: int, overview: Overview) -> int:
    """Count the occurrences of a weekday in the days of the pattern."""
    first, last = overview.pattern_since, overview.pattern_until
    offset = timedelta(days=(weekday - first.weekday()) % 7)
    return max(0, (last - first - offset).days // 7 + 1)


def _struck_through(cells: pd.DataFrame, colours: Palette) -> Trace:
    unknown = cells[cells["hours"] == 0]
    return {
        "type": "scatter",
        "x": unknown["hour"].to_numpy(),
        "y": unknown["weekday"].to_numpy(),
        "mode": "markers",
        "marker": {
            "symbol": "line-ne",
            "size": 7,
            "line": {"color": colours.muted, "width": 1},
            "opacity": 0.5,
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _scale(highest: float, metric: str, colours: Palette) -> Trace:
    """The scale of the colours: Plotly shows one only beside a trace with numbers.

    This trace has no points, and is there for its scale.
    """
    return {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "mode": "markers",
        "marker": {
            "color": [0],
            "colorscale": [
                [step / (len(colours.ramp) - 1), colour] for step, colour in enumerate(colours.ramp)
            ],
            "cmin": 0,
            "cmax": highest or 1,
            "showscale": True,
            "colorbar": _colorbar(highest, metric),
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _colorbar(highest: float, metric: str) -> dict[str, Any]:
    most = _mean(metric, highest)
    return {
        # A title, even an invisible one, would make Plotly move the picture's title up.
        "title": {"text": ""},
        "orientation": "h",
        "lenmode": "pixels",
        "len": SCALE_WIDTH,
        "thickness": 8,
        "x": 1,
        "xanchor": "right",
        "y": 1.02,
        "yanchor": "bottom",
        "xpad": 0,
        "ypad": 0,
        "outlinewidth": 0,
        "ticks": "",
        "tickvals": [0, highest] if highest else [0],
        "ticktext": ["0", most] if highest else ["0"],
    }


def _layout(overview: Overview) -> dict[str, Any]:
    marks = range(0, 25, HOUR_MARKS)
    return {
        "margin": {**MARGIN, "t": 40, "b": 28},
        "hovermode": "closest",
        "barmode": "overlay",
        "xaxis": {
            "range": [-0.5, 23.5],
            "tickvals": [mark - 0.5 for mark in marks],
            "ticktext": [_edge(mark, overview) for mark in marks],
            "showline": False,
        },
        "yaxis": {
            "range": [6.5, -0.5],
            "tickvals": list(range(7)),
            "ticktext": list(formatting.WEEKDAYS),
            "showgrid": False,
            "ticks": "",
        },
    }


def _summary(cells: pd.DataFrame, overview: Overview, metric: str) -> str:
    days = formatting.days(overview.pattern_since, overview.pattern_until)
    means = cells[metric].fillna(0)
    intro = f"{PATTERN_LABELS[metric]} by weekday and hour, {days} {overview.pattern_until.year}."
    if not means.max():
        return f"{intro} Nothing to show."
    highest = cells.to_dict("records")[int(means.argmax())]
    weekday = FULL_DAYS[highest["weekday"]]
    return (
        f"{intro} Highest: {weekday}s, {hour_name(highest['hour'], overview)}: "
        f"{_cell_text(highest, overview, metric)}."
    )
