"""The chart of capacity: agents at work against agents that are open, hour by hour.

Pure Plotly: an overview in, data and layout out.
"""

from __future__ import annotations

import pandas as pd

from aggregator.intervals.kinds import IDLE, WORKING
from aggregator.metrics.windows import HOUR
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.axes import COUNT_STEPS, count_axis
from dashboard.charts.figure_types import Chart, Trace
from dashboard.charts.palette import Palette, mix, palette
from dashboard.charts.theme import MARGIN, template
from dashboard.labels import KIND_LABELS

CAPTION = (
    "Each dot is an hour that is over. On the dashed line, every open agent worked all the time; "
    "below it, some waited for you, were silent or waited for work in the background. "
    "The line through the dots joins medians of hours with about as many open agents: it says "
    "what happened, not what would happen with more."
)
PLACES = 24
"""Places on the x axis that have a median."""
FEWEST = 3
"""Hours behind a median that is drawn; fewer say little."""


def capacity(overview: Overview) -> pd.DataFrame:
    """Compute the mean of open and of working agents in each hour of the period that is over.

    Returns:
        (n, 3) ``start`` (UTC), ``open_agents`` and ``working_agents`` (float64): agents whose
        time is not idle, and those that work. Only hours with open agents.
    """
    hours = overview.hours
    over = hours[hours["bucket_start"] + HOUR <= overview.window.as_of]
    kinds = [kind for kind in KIND_LABELS if kind != IDLE]
    open_agents = over[[f"{kind}_seconds" for kind in kinds]].sum(axis=1) / 3600
    found = pd.DataFrame(
        {
            "start": over["bucket_start"],
            "open_agents": open_agents,
            "working_agents": over[f"{WORKING}_seconds"] / 3600,
        }
    )
    return found[found["open_agents"] > 0].reset_index(drop=True)


def medians(hours: pd.DataFrame) -> pd.DataFrame:
    """Compute the median of working agents for each number of open ones.

    Args:
        hours: See :func:`capacity`.

    Returns:
        (m, 3) ``open_agents`` (int64, ascending: the middle of a range of such hours, in at
        most about :data:`PLACES` steps), ``working_agents`` (float64), ``hours`` (int64, at
        least :data:`FEWEST`).
    """
    highest = hours["open_agents"].max() if len(hours) else 0
    step = next(step for step in COUNT_STEPS if step * PLACES >= highest)
    number = (hours["open_agents"] / step).round().astype("int64") * step
    found = hours["working_agents"].groupby(number).agg(["median", "size"]).reset_index()
    found.columns = pd.Index(["open_agents", "working_agents", "hours"])
    return found[found["hours"] >= FEWEST].reset_index(drop=True)


def capacity_chart_of(overview: Overview, scheme: str = "light") -> Chart:
    """Draw :func:`capacity` as dots, with :func:`medians` as a line.

    The result is like that of :func:`dashboard.charts.activity_chart.chart_of`.

    Args:
        overview: The metrics; may be empty.
        scheme: ``light`` or ``dark``.
    """
    colours = palette(scheme)
    hours = capacity(overview)
    middle = medians(hours)
    highest = max(float(hours["open_agents"].max()), 1.0) if len(hours) else 1.0
    return {
        "data": [
            _dots(hours, overview, colours),
            _all_at_work(highest, colours),
            _line(middle, colours),
        ],
        "layout": {
            "template": template(scheme),
            "meta": {"summary": capacity_summary(hours, middle)},
            "margin": {**MARGIN, "r": 24, "b": 48},
            "hovermode": "closest",
            "xaxis": {
                **count_axis(highest),
                "range": [0, highest * 1.04],
                "title": {"text": "Agents open, mean of an hour", "standoff": 6},
            },
            "yaxis": count_axis(max(hours["working_agents"].max(), 1) if len(hours) else 1),
        },
    }


def _dots(hours: pd.DataFrame, overview: Overview, colours: Palette) -> Trace:
    tooltips = [
        f"<b>{_hour(start, overview)}</b>"
        f"<br>{formatting.rate(working)} at work of {formatting.rate(opened)} open"
        for start, opened, working in hours.itertuples(index=False)
    ]
    return {
        "type": "scatter",
        "name": "An hour",
        "mode": "markers",
        "x": hours["open_agents"].to_numpy(),
        "y": hours["working_agents"].to_numpy(),
        "marker": {"color": mix(colours.accent, 0.75, colours.surface), "size": 6},
        "hovertext": tooltips,
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _hour(start: pd.Timestamp, overview: Overview) -> str:
    zone = overview.period.zone
    return formatting.period(start.astimezone(zone), (start + HOUR).astimezone(zone))


def _all_at_work(highest: float, colours: Palette) -> Trace:
    return {
        "type": "scatter",
        "name": "All open agents at work",
        "mode": "lines",
        "x": [0, highest],
        "y": [0, highest],
        "line": {"color": colours.muted, "width": 1, "dash": "dash"},
        "hoverinfo": "skip",
    }


def _line(middle: pd.DataFrame, colours: Palette) -> Trace:
    return {
        "type": "scatter",
        "name": "Median",
        "mode": "lines+markers",
        "x": middle["open_agents"].to_numpy(),
        "y": middle["working_agents"].to_numpy(),
        "line": {"color": colours.contrast, "width": 2},
        "marker": {"color": colours.contrast, "size": 5},
        "hoverinfo": "skip",
    }


def capacity_summary(hours: pd.DataFrame, middle: pd.DataFrame) -> str:
    """Summarize the chart of capacity: its hours, and the highest median."""
    if hours.empty:
        return "No hour with open agents in this period."
    text = f"{formatting.counted(len(hours), 'hour')} with open agents."
    if middle.empty:
        return text
    best = middle.to_dict("records")[int(middle["working_agents"].argmax())]
    return (
        f"{text} Highest median: {formatting.rate(best['working_agents'])} agents at work in "
        f"hours with about {formatting.counted(int(best['open_agents']), 'open agent')}."
    )
