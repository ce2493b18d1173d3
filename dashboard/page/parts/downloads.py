"""The data behind the page's download buttons: pictures and CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from aggregator.query.overview import Overview
from dashboard.charts import titles
from dashboard.charts.figure_types import Chart
from dashboard.page import ids
from dashboard.page.parts.tables import agent_table, chart_table, heatmap_table
from dashboard.pictures.picture import PictureSize, Subject, frame_of

AGENT_TABLE = "agent-table"
FILE_NAMES = {AGENT_TABLE: "people"}
"""Names of tables in the names of saved files, where they differ."""


def downloads(
    overview: Overview,
    names: Mapping[int, str],
    metric: str,
    scope_name: str,
    *,
    chart: Chart,
    pattern: Chart,
) -> dict[str, Any]:
    """Return what the browser saves, for ``png.js`` and ``csv.js`` in ``assets/``.

    Args:
        overview: The shown metrics.
        names: Names of projects by id.
        metric: One of :data:`dashboard.labels.LABELS`.
        scope_name: The scope in words: ``Project atlas``.
        chart: The page's chart.
        pattern: The page's heatmap.

    Returns:
        ``charts``: by element id, the ``layout`` to add for a picture, its ``scale`` and
        ``filename``; ``tables``: by name, the ``filename``, ``columns`` and ``rows``, with
        None for missing numbers.
    """
    tables = {
        "chart": chart_table(overview, names),
        "pattern": heatmap_table(overview),
        AGENT_TABLE: agent_table(overview, names),
    }
    return {
        "charts": {
            element: {
                "layout": {**legend, **frame_of(drawn, overview, subject, scope_name)},
                "scale": PictureSize().scale,
                "filename": titles.filename(overview, scope_name, subject.name),
            }
            for element, drawn, subject, legend in (
                # On the page, its legend stands beside it.
                (ids.CHART, chart, Subject(metric), _legend(chart)),
                (ids.PATTERN, pattern, Subject(metric, pattern=True), {}),
            )
        },
        "tables": {
            name: {
                "filename": titles.filename(overview, scope_name, FILE_NAMES.get(name, name)),
                "columns": list(table.columns),
                "rows": _rows(table),
            }
            for name, table in tables.items()
        },
    }


def _legend(chart: Chart) -> dict[str, Any]:
    return {"showlegend": chart["layout"].get("showlegend", True)}


def _rows(table: pd.DataFrame) -> list[list[Any]]:
    return [
        [None if pd.isna(value) else value for value in row]
        for row in table.astype(object).to_numpy().tolist()
    ]
