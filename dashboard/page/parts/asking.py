"""The cost of asking: the time in which agents were blocked, by tool and permission mode."""

from __future__ import annotations

from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component

from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.page.parts.attributes import Children

MOST_ROWS = 8
HEADINGS = ("Tool", "Permission mode", "Calls", "Blocked", "Share")
NO_TOOL = "unknown"


def asking(overview: Overview) -> Children:
    """Return the table of what asking costs; a sentence if nothing was asked."""
    rows = by_tool(overview.asking)
    if rows.empty:
        return [html.P("No agent was blocked in this period.")]
    whole = float(rows["seconds"].sum())
    shown = rows if len(rows) <= MOST_ROWS else rows[: MOST_ROWS - 1]
    body = [_row(row, whole) for row in shown.to_dict("records")]
    rest = rows[len(shown) :]
    if len(rest):
        others = {"tool": formatting.counted(len(rest), "other"), "mode": ""}
        body.append(_row({**others, **rest[["calls", "seconds"]].sum().to_dict()}, whole))
    head = html.Thead(html.Tr([html.Th(text, scope="col") for text in HEADINGS]))
    return [html.Table([head, html.Tbody(body)])]


def by_tool(rows: pd.DataFrame) -> pd.DataFrame:
    """Add up ``Overview.asking`` over projects: ``tool``, ``mode``, ``calls``, ``seconds``.

    Most seconds first; a missing name is empty.
    """
    named = rows.assign(tool=rows["tool"].fillna("").astype("str"), mode=rows["mode"].fillna(""))
    found = named.groupby(["tool", "mode"], as_index=False)[["calls", "seconds"]].sum()
    return found.sort_values("seconds", ascending=False, kind="stable", ignore_index=True)


def _row(row: dict[Any, Any], whole: float) -> Component:
    return html.Tr(
        [
            html.Th(row["tool"] or NO_TOOL, scope="row"),
            html.Td(row["mode"] or formatting.NO_VALUE),
            html.Td(formatting.count(int(row["calls"]))),
            html.Td(formatting.duration(row["seconds"])),
            html.Td(formatting.share(row["seconds"], whole)),
        ]
    )


def reaction(overview: Overview) -> str:
    """Say how fast the viewer reacted; empty without a reaction."""
    times = overview.times.reactions
    if not times.count:
        return ""
    return (
        f"You reacted after {formatting.duration(times.p50_seconds)} (p50), "
        f"{formatting.duration(times.p90_seconds)} (p90), "
        f"{formatting.counted(times.count, 'time')}."
    )
