"""The data behind the page's download buttons: pictures and CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from aggregator.query.overview import Overview
from dashboard.charts import titles
from dashboard.charts.figure_types import Chart
from dashboard.labels import AT_WORK, ONE_AGENT, OPEN_AGENTS, TIME
from dashboard.page import ids
from dashboard.page.parts.tables import agent_table, chart_table, heatmap_table
from dashboard.page.parts.time_tables import (
    asking_table,
    capacity_table,
    time_table,
    timeline_table,
    work_table,
)
from dashboard.pictures.picture import PictureSize, Subject, frame_of
from dashboard.selection.view import View

AGENT_TABLE = "agent-table"
SUBJECTS = {ids.WORK: AT_WORK, ids.TIMELINE: ONE_AGENT, ids.CAPACITY: OPEN_AGENTS}
"""Subjects of pictures by the id of their chart, if they are always the same."""
FILE_NAMES = {AGENT_TABLE: "people"}
"""Names of tables in the names of saved files, where they differ."""


def downloads(
    overview: Overview,
    names: Mapping[int, str],
    view: View,
    scope_name: str,
    charts: Mapping[str, Chart],
) -> dict[str, Any]:
    """Return what the browser saves, for ``png.js`` and ``csv.js`` in ``assets/``.

    Args:
        overview: The shown metrics.
        names: Names of projects by id.
        view: The view.
        scope_name: The scope in words: ``Project atlas``.
        charts: The page's charts by element id, see
            :func:`dashboard.page.draw_charts.draw_charts`.

    Returns:
        ``charts``: by element id, the ``layout`` to add for a picture, its ``scale`` and
        ``filename``; ``tables``: by name, the ``filename``, ``columns`` and ``rows``, with
        None for missing numbers.
    """
    return {
        "charts": {
            element: _picture(drawn, overview, _subject(element, view), scope_name)
            for element, drawn in charts.items()
        },
        "tables": {
            name: {
                "filename": titles.filename(of, scope_name, FILE_NAMES.get(name, name)),
                "columns": list(table.columns),
                "rows": _rows(table),
            }
            for of, tables in _tables(overview, names, view, charts)
            for name, table in tables.items()
        },
    }


def _tables(
    overview: Overview, names: Mapping[int, str], view: View, charts: Mapping[str, Chart]
) -> list[tuple[Overview, dict[str, pd.DataFrame]]]:
    """Return the tables by name, beside the overview that they are made from."""
    zoomed = overview.zoomed()
    is_time = view.metric == TIME
    by_bucket = {"chart": time_table(zoomed) if is_time else chart_table(zoomed, names)}
    if ids.WORK in charts:
        by_bucket["work"] = work_table(zoomed)
    tables = {
        "pattern": heatmap_table(overview),
        AGENT_TABLE: agent_table(overview, names),
        "asking": asking_table(overview, names),
    }
    if ids.CAPACITY in charts:
        tables["capacity"] = capacity_table(overview)
    if ids.TIMELINE in charts:
        tables["timeline"] = timeline_table(overview)
    return [(zoomed, by_bucket), (overview, tables)]


def _subject(element: str, view: View) -> Subject:
    if element == ids.PATTERN:
        return Subject(view.pattern_metric, pattern=True)
    return Subject(SUBJECTS.get(element, view.metric))


def _picture(drawn: Chart, overview: Overview, subject: Subject, scope_name: str) -> dict[str, Any]:
    # On the page, its legend stands beside it.
    legend = {} if subject.pattern else _legend(drawn)
    return {
        "layout": {**legend, **frame_of(drawn, overview, subject, scope_name)},
        "scale": PictureSize().scale,
        "filename": titles.filename(subject.seen(overview), scope_name, subject.name),
    }


def _legend(chart: Chart) -> dict[str, Any]:
    return {"showlegend": chart["layout"].get("showlegend", True)}


def _rows(table: pd.DataFrame) -> list[list[Any]]:
    return [
        [None if pd.isna(value) else value for value in row]
        for row in table.astype(object).to_numpy().tolist()
    ]
