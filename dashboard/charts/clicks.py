"""Find the bar that a click on the chart hit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def clicked_bar(click: Mapping[str, Any] | None) -> tuple[int | None, datetime] | None:
    """Return the clicked project, and the start of the clicked bucket.

    Plotly reports every bar of the clicked column; the height of the click decides which
    of them was hit.

    Args:
        click: ``clickData`` of :func:`dashboard.charts.activity_chart.activity_chart`.

    Returns:
        The project's id, None above the bars and on a bar of several projects; and the
        start of the bucket, UTC. None if nothing was clicked.
    """
    points = [point for point in (click or {}).get("points", []) if point.get("customdata")]
    if click is None or not points:
        return None
    height = (click.get("yvals") or [float("inf")])[0]
    start = datetime.fromisoformat(points[0]["customdata"][1])
    top = 0.0
    for point in sorted(points, key=lambda point: int(point["curveNumber"])):
        top += point["y"]
        if height <= top:
            return point["customdata"][0], start
    return None, start
