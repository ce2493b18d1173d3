"""The chart of the page: turns as bars, average turn time as a line.

Pure Plotly: metrics in, figure out. Notebooks and the PNG export draw the same.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go

from aggregator.read import Activity
from dashboard import words
from dashboard.axes import count_ticks, duration_label, duration_ticks, time_ticks
from dashboard.buckets import chart_buckets, drawn_by_day
from dashboard.theme import FONT, Palette, palette

LINE = "average turn time"
FEW_BARS = 48
HEADROOM = 1.02
"""Ends the value axes just above their highest mark, whose grid line would be cut off."""


def activity_chart(activity: Activity, zone: ZoneInfo, scheme: str = "light") -> go.Figure:
    """Draw the turns and the average turn time of every bucket in a window.

    The x axis holds UTC instants without a zone, each bar at its true place and width;
    only its labels are local. A bucket without turns is a bar of height zero and a
    hole in the line.

    Args:
        activity: What to draw; may be empty.
        zone: The viewer's time zone.
        scheme: ``light`` or ``dark``.
    """
    colours = palette(scheme)
    buckets = chart_buckets(activity, zone)
    by_day = drawn_by_day(activity.window)
    middles = _on_axis(buckets["start"] + (buckets["end"] - buckets["start"]) / 2)
    fig = go.Figure(layout=_layout(colours))
    fig.add_trace(_bars(buckets, middles, colours, by_day=by_day))
    fig.data[0].hovertext = tooltips(buckets, zone, activity)
    fig.add_trace(_line(buckets, middles, colours))
    _mark_time_axis(fig, buckets, zone)
    _mark_value_axes(fig, buckets)
    return fig


def tooltips(buckets: pd.DataFrame, zone: ZoneInfo, activity: Activity) -> list[str]:
    """What each bucket says when pointed at: its period and its exact values."""
    by_day = drawn_by_day(activity.window)
    now = pd.Timestamp(activity.window.as_of)
    texts = []
    for bucket in buckets.to_dict("records"):
        start, end, average = bucket["start"], bucket["end"], bucket["avg_turn_time_seconds"]
        if by_day:
            # A running day ends now; a running hour is named as the hour it will be.
            end = min(end, now)
        period = words.period(start.tz_convert(zone), end.tz_convert(zone))
        lines = [f"<b>{period}{', so far' if bucket['running'] else ''}</b>"]
        lines.append(words.counted(bucket["turn_count"], "turn"))
        if not pd.isna(average):
            lines.append(f"{words.duration(average)} {LINE}")
        if not pd.isna(bucket["active_agents"]):
            lines.append(words.counted(int(bucket["active_agents"]), "active agent"))
        texts.append("<br>".join(lines))
    return texts


def _bars(buckets: pd.DataFrame, middles: pd.Series, colours: Palette, *, by_day: bool) -> go.Bar:
    running = buckets["running"]
    return go.Bar(
        name=f"Turns per {'day' if by_day else 'hour'}",
        x=middles,
        y=buckets["turn_count"],
        width=1000 * (buckets["end"] - buckets["start"]).dt.total_seconds(),
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "color": colours.accent,
            # A border in the background's colour parts the bars; widths stay true. The
            # bars of a week are too narrow for one.
            "line": {"color": colours.surface, "width": 1 if len(buckets) <= FEW_BARS else 0},
            "pattern": {
                "shape": ["/" if now else "" for now in running],
                "fgcolor": colours.accent,
                "bgcolor": colours.accent_soft,
                "size": 6,
                "solidity": 0.3,
            },
        },
    )


def _line(buckets: pd.DataFrame, middles: pd.Series, colours: Palette) -> go.Scatter:
    average = buckets["avg_turn_time_seconds"]
    # Between two holes there is no line to see, only a dot.
    alone = average.notna() & average.shift().isna() & average.shift(-1).isna()
    return go.Scatter(
        name=f"{LINE.capitalize()} (right axis)",
        x=middles,
        y=average,
        yaxis="y2",
        mode="lines+markers",
        connectgaps=False,
        # The bar's tooltip tells it all.
        hoverinfo="skip",
        line={"color": colours.contrast, "width": 1.5},
        marker={"color": colours.contrast, "size": [5 if dot else 0 for dot in alone]},
    )


def _layout(colours: Palette) -> go.Layout:
    quiet = {"color": colours.muted, "size": 12, "family": FONT}
    return go.Layout(
        template=go.layout.Template(),
        autosize=True,
        margin={"l": 44, "r": 58, "t": 44, "b": 44},
        paper_bgcolor=colours.surface,
        plot_bgcolor=colours.surface,
        font={"family": FONT, "color": colours.text, "size": 12},
        hovermode="x",
        # Any place above a bucket is near enough to point at it.
        hoverdistance=-1,
        hoverlabel={
            "bgcolor": colours.raised,
            "bordercolor": colours.muted,
            "font": {"family": FONT, "size": 13, "color": colours.text},
            "align": "left",
        },
        # No zoom: the chart shows the window that the page names, and a finger that
        # drags over it scrolls the page.
        dragmode=False,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.03,
            "yanchor": "bottom",
            "font": quiet,
            "itemclick": False,
            "itemdoubleclick": False,
        },
        modebar={
            "bgcolor": "rgba(0,0,0,0)",
            "color": colours.muted,
            "activecolor": colours.text,
        },
        **_axes(colours, quiet),
    )


def _axes(colours: Palette, font: dict[str, Any]) -> dict[str, Any]:
    value_axis = {
        "fixedrange": True,
        "zeroline": False,
        "tickfont": font,
        "gridcolor": colours.line,
        "ticklabelstandoff": 6,
    }
    time_axis = {
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "linecolor": colours.muted,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": colours.muted,
        "tickangle": 0,
        "tickfont": font,
    }
    return {
        "xaxis": time_axis,
        "yaxis": value_axis,
        "yaxis2": {**value_axis, "overlaying": "y", "side": "right", "showgrid": False},
    }


def _mark_time_axis(fig: go.Figure, buckets: pd.DataFrame, zone: ZoneInfo) -> None:
    edges = pd.Series([buckets["start"].iloc[0], buckets["end"].iloc[-1]])
    marks = time_ticks(edges[0], edges[1], zone)
    fig.update_xaxes(
        type="date",
        range=_on_axis(edges).tolist(),
        tickvals=[at.tz_localize(None).isoformat() for at, _ in marks],
        ticktext=[label for _, label in marks],
    )


def _mark_value_axes(fig: go.Figure, buckets: pd.DataFrame) -> None:
    turns = count_ticks(buckets["turn_count"].max())
    seconds = duration_ticks(buckets["avg_turn_time_seconds"].fillna(0).max())
    fig.update_layout(
        yaxis={
            "range": [0, turns[-1] * HEADROOM],
            "tickvals": turns,
            "ticktext": list(map(words.count, turns)),
        },
        yaxis2={
            "range": [0, seconds[-1] * HEADROOM],
            "tickvals": seconds,
            "ticktext": list(map(duration_label, seconds)),
        },
    )


def _on_axis(instants: pd.Series) -> pd.Series:
    """UTC wall clock without a zone: what a Plotly axis can place exactly."""
    texts: pd.Series = instants.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S")
    return texts
