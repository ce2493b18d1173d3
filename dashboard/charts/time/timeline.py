"""The timeline of one agent: a strip for each day, in the colours of what it did.

Pure Plotly: an overview in, data and layout out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from aggregator.intervals.kinds import BLOCKED, WORKING
from aggregator.metrics.buckets import bin_of
from aggregator.metrics.periods import Period, calendar_period
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.axes import time_axis
from dashboard.charts.figure_types import Chart, Trace
from dashboard.charts.palette import Palette, palette
from dashboard.charts.theme import WIDE_MARGIN, template
from dashboard.labels import KIND_LABELS

THICK, THIN = 30, 13
"""Pixels of a day's row, if there are up to a week of them or more."""
AROUND = 58
"""Pixels above and below all rows."""
WHY = {
    "person": "after a prompt",
    "machine": "started by a program",
    "unknown": "nothing says what started it",
    "question": "asked a question",
    "plan": "showed a plan",
    "rejected": "a call that was rejected",
    "permission": "needed a permission",
}
"""Reasons of intervals in words; others are words already."""


def timeline_of(overview: Overview, scheme: str = "light") -> Chart:
    """Draw the intervals of ``overview.timeline``, one row for each retained day of the period.

    The x axis is the time since the row's day began, in seconds; on a day on which the clocks
    change, its marks are right up to that change. The ``height`` of the layout, in pixels, is
    that of the rows and the axis below them, without a legend.

    Args:
        overview: The intervals of one agent; may be empty.
        scheme: ``light`` or ``dark``.
    """
    colours = palette(scheme)
    days = _days(overview)
    pieces = by_row(overview.timeline, days)
    data = [
        _strip(pieces[pieces["kind"] == kind], kind, overview.period.zone, colours)
        for kind in KIND_LABELS
        if (pieces["kind"] == kind).any()
    ]
    return {
        "data": data,
        "layout": {
            "template": template(scheme),
            "meta": {"summary": timeline_summary(overview)},
            **_layout(days, overview.period),
        },
    }


def _days(overview: Overview) -> list[tuple[datetime, datetime]]:
    """Return the days of the period that are retained and have begun; at least one.

    A day, or 24 hours, is one range, whatever is retained of it.
    """
    period = overview.period
    if period.day_count == 1:
        return [(period.since, period.until)]
    days = period.days()
    known = [
        (start, end)
        for start, end in days
        if end > overview.kept_since and start <= overview.window.as_of
    ]
    return known or days[:1]


def by_row(timeline: pd.DataFrame, days: list[tuple[datetime, datetime]]) -> pd.DataFrame:
    """Cut intervals at the edges of days.

    Args:
        timeline: ``Overview.timeline``.
        days: Start and end of each row, adjacent.

    Returns:
        Rows of the timeline, each with its ``row``, and ``offset`` and ``length`` in seconds
        (float64) on that row; ``started_at`` and ``ended_at`` stay those of the whole interval.
    """
    edges = pd.DatetimeIndex([*(start for start, _ in days), days[-1][1]]).as_unit("us")
    inside = timeline[(timeline["ended_at"] > edges[0]) & (timeline["started_at"] < edges[-1])]
    start = inside["started_at"].where(inside["started_at"] > edges[0], edges[0])
    end = inside["ended_at"].where(inside["ended_at"] < edges[-1], edges[-1])
    first = bin_of(start, edges)
    last = bin_of(end - pd.Timedelta(1, "us"), edges)
    pieces = inside.loc[inside.index.repeat(last - first + 1)]
    row = (first.loc[pieces.index] + pieces.groupby(level=0).cumcount()).to_numpy("int64")
    # Instants are integers, microseconds since 1970.
    edge = edges.asi8
    begin = np.maximum(start.astype("int64").loc[pieces.index].to_numpy(), edge[row])
    stop = np.minimum(end.astype("int64").loc[pieces.index].to_numpy(), edge[row + 1])
    return pieces.assign(
        row=row,
        offset=(begin - edge[row]) / 1e6,
        length=(stop - begin) / 1e6,
    )


def _strip(pieces: pd.DataFrame, kind: str, zone: ZoneInfo, colours: Palette) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": KIND_LABELS[kind],
        "legendgroup": KIND_LABELS[kind],
        "base": pieces["offset"].to_numpy(),
        "x": pieces["length"].to_numpy(),
        "y": pieces["row"].to_numpy(),
        "width": 0.8,
        "marker": {"color": colours.kinds[kind], "line": {"width": 0}},
        "hovertext": _tooltips(pieces, zone),
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _tooltips(pieces: pd.DataFrame, zone: ZoneInfo) -> list[str]:
    """Return the tooltip of each piece, which is about its whole interval."""
    # Converted together, which is ten times as fast as one by one.
    starts, ends = (
        pd.DatetimeIndex(pieces[name]).tz_convert(zone).to_pydatetime()
        for name in ("started_at", "ended_at")
    )
    facts = pieces[["kind", "reason", "tool", "mode", "is_exact"]].itertuples(index=False)
    return [_tooltip(*each) for each in zip(facts, starts, ends, strict=True)]


def _tooltip(piece: Any, start: datetime, end: datetime) -> str:
    length = formatting.duration(end.timestamp() - start.timestamp())
    exact = f", {'exact' if piece.is_exact else 'estimated'}" if piece.kind == WORKING else ""
    return (
        f"<b>{KIND_LABELS[piece.kind]}</b><br>{formatting.day(start)}, "
        f"{start:%H:%M:%S}–{end:%H:%M:%S}<br>{length}{exact}<br>{why(piece)}"
    )


def why(piece: Any) -> str:
    """Say why an interval is of its kind: ``needed a permission: Edit, default mode``.

    Args:
        piece: A row with ``kind``, ``reason``, ``tool`` and ``mode``.
    """
    reason = WHY.get(piece.reason, piece.reason)
    if piece.kind != BLOCKED:
        return str(reason)
    mode = f"{piece.mode} mode" if isinstance(piece.mode, str) else None
    details = ", ".join(text for text in (piece.tool, mode) if isinstance(text, str))
    return f"{reason}: {details}" if details else str(reason)


def _layout(days: list[tuple[datetime, datetime]], period: Period) -> dict[str, Any]:
    height = THICK if len(days) <= 7 else THIN
    longest = max((end - start).total_seconds() for start, end in days)
    return {
        "margin": WIDE_MARGIN,
        "height": AROUND + height * len(days),
        "barmode": "overlay",
        "hovermode": "closest",
        "xaxis": {"range": [0, longest], **_marks(days, period)},
        "yaxis": {
            "range": [len(days) - 0.5, -0.5],
            **_names(days, period.zone),
            "showgrid": False,
            "ticks": "",
        },
    }


def _marks(days: list[tuple[datetime, datetime]], period: Period) -> dict[str, Any]:
    """Mark local hours: of a single day those of :func:`.axes.time_axis`, else of a whole day."""
    if len(days) > 1:
        whole = [day for day in days if day[1] - day[0] == timedelta(days=1)]
        first = (whole or days)[0][0].astimezone(period.zone).date()
        period = calendar_period("day", first, period.zone)
    axis = time_axis(period)
    places = pd.DatetimeIndex(axis["tickvals"]).tz_localize("UTC") - pd.Timestamp(period.since)
    return {"tickvals": places.total_seconds().tolist(), "ticktext": axis["ticktext"]}


def _names(days: list[tuple[datetime, datetime]], zone: ZoneInfo) -> dict[str, Any]:
    """Name the rows; of more than a week, only Mondays and the first; not a single one."""
    if len(days) == 1:
        return {"tickvals": []}
    named = [
        (row, start.astimezone(zone).date())
        for row, (start, _) in enumerate(days)
        if len(days) <= 7 or row == 0 or start.astimezone(zone).weekday() == 0
    ]
    rows = [row for row, _ in named]
    # The first day must not touch a Monday right after it.
    if len(days) > 7 and rows[1] - rows[0] < 2:
        named, rows = named[1:], rows[1:]
    labels = [f"{formatting.WEEKDAYS[day.weekday()]} {day.day}" for _, day in named]
    return {"tickvals": rows, "ticktext": labels}


def timeline_summary(overview: Overview) -> str:
    """Summarize the timeline: its length, and the sum of each kind."""
    rows = overview.timeline
    if rows.empty:
        return "No time in this period."
    seconds = (rows["ended_at"] - rows["started_at"]).dt.total_seconds().groupby(rows["kind"]).sum()
    parts = (
        f"{label} {formatting.duration(seconds[kind])}"
        for kind, label in KIND_LABELS.items()
        if kind in seconds
    )
    return f"{formatting.counted(len(rows), 'interval')}: {', '.join(parts)}."
