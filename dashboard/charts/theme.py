"""The Plotly template that all figures share: fonts, margins, axes and legends."""

from __future__ import annotations

from functools import cache
from typing import Any

import plotly.graph_objects as go

from dashboard.charts.palette import Palette, palette

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
MARGIN = {"l": 54, "r": 70, "t": 52, "b": 44}
"""Margins around the plot, in pixels: fixed, so that new numbers do not move the axes."""
WIDE_MARGIN = {**MARGIN, "l": 74, "r": 24}
"""Margins with room for ``1 h 30 min`` on the left, of charts of time that are below each other."""


@cache
def template(scheme: str) -> go.layout.Template:
    """Make the Plotly template of all figures of a colour scheme, PNGs included.

    The template is not registered, so a host's own figures keep their look.
    """
    colours = palette(scheme)
    font = {"family": FONT, "size": 12, "color": colours.muted}
    return go.layout.Template(
        layout={
            "font": font,
            "paper_bgcolor": colours.surface,
            "plot_bgcolor": colours.surface,
            "colorway": colours.projects,
            "title": {
                "font": {"color": colours.text},
                "subtitle": {"font": {"color": colours.muted}},
            },
            "bargap": 0,
            # No zoom: a chart shows exactly the period that the page names, and dragging a
            # finger over it scrolls the page.
            "dragmode": False,
            "hoverlabel": _hoverlabel(colours),
            "legend": _legend(font),
            "xaxis": _time_axis(colours, font),
            "yaxis": _value_axis(colours, font),
        }
    )


def _hoverlabel(colours: Palette) -> dict[str, Any]:
    return {
        "bgcolor": colours.raised,
        "bordercolor": colours.muted,
        "font": {"family": FONT, "size": 13, "color": colours.text},
        "align": "left",
    }


def _legend(font: dict[str, Any]) -> dict[str, Any]:
    return {
        "orientation": "h",
        # Starts left of the plot, so that its rows can use the full width.
        "x": -0.012,
        "xanchor": "left",
        "y": 1.03,
        "yanchor": "bottom",
        "bgcolor": "rgba(0,0,0,0)",
        "font": font,
        "tracegroupgap": 0,
        "indentation": -2,
        "itemclick": False,
        "itemdoubleclick": False,
    }


def _time_axis(colours: Palette, font: dict[str, Any]) -> dict[str, Any]:
    return {
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "showline": True,
        "linecolor": colours.muted,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": colours.muted,
        "tickangle": 0,
        "tickfont": font,
        "minor": {"gridcolor": colours.line, "tickcolor": colours.muted},
    }


def _value_axis(colours: Palette, font: dict[str, Any]) -> dict[str, Any]:
    return {
        "fixedrange": True,
        "zeroline": False,
        "gridcolor": colours.line,
        "ticklabelstandoff": 6,
        "tickfont": font,
    }
