"""The Activity page, its charts, its API and its command line, for any Flask server or none."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dashboard.charts.activity_chart import activity_chart
    from dashboard.charts.heatmap import heatmap
    from dashboard.host.extension import Activity
    from dashboard.pictures.picture import PictureSize
    from dashboard.pictures.save import save_picture

__all__ = ["Activity", "PictureSize", "activity_chart", "heatmap", "save_picture"]

_HOMES = {
    "Activity": "dashboard.host.extension",
    "PictureSize": "dashboard.pictures.picture",
    "activity_chart": "dashboard.charts.activity_chart",
    "heatmap": "dashboard.charts.heatmap",
    "save_picture": "dashboard.pictures.save",
}


def __getattr__(name: str) -> Any:
    """Import public names on first use: Dash takes 0.7 s, too long for ``--help``."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
