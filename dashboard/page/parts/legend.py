"""The legend of a chart as a list beside it, which wraps and scrolls as Plotly's cannot.

Plotly's own takes its height from the plot: on a phone, little would be left of it.
Pictures have Plotly's.
"""

from __future__ import annotations

from html import unescape

from dash import html

from dashboard.charts.figure_types import Chart, Trace
from dashboard.page.parts.attributes import Children, aria

TOP = 14
"""Margin in pixels above a plot without a legend of its own: half a label of an axis."""


def legend(chart: Chart) -> Children:
    """List the named traces of a chart, each with its colour."""
    if not chart["layout"].get("showlegend", True):
        return []
    named = [trace for trace in chart["data"] if "name" in trace and trace.get("showlegend", True)]
    # Lines first: they are few, and not in the order of the bars.
    return [_entry(trace) for trace in sorted(named, key=_is_filled)]


def without_legend(chart: Chart) -> Chart:
    """Return a chart without Plotly's legend and the room for it."""
    layout = chart["layout"]
    margin = {**layout.get("margin", {}), "t": TOP}
    return {**chart, "layout": {**layout, "showlegend": False, "margin": margin}}


def _is_filled(trace: Trace) -> bool:
    return trace["type"] == "bar" or "stackgroup" in trace


def _entry(trace: Trace) -> html.Li:
    is_line = not _is_filled(trace)
    dots = is_line and "dash" in trace["line"]
    kind = "dots" if dots else "line" if is_line else "bar"
    colour = trace["marker" if trace["type"] == "bar" else "line"]["color"]
    sign = html.Span(
        className=f"activity-sign activity-sign-{kind}",
        style={"background": colour},
        **aria(hidden="true"),
    )
    # Names of traces are escaped and shortened for Plotly; the group has the whole one.
    whole = trace.get("legendgroup", unescape(trace["name"]))
    return html.Li([sign, unescape(trace["name"])], title=whole)
