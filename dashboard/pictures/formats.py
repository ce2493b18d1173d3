"""Formats of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.charts.figure_types import Chart

KINDS = ("png", "svg", "pdf")
"""Formats of a picture."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure to draw as a picture.

    Attributes:
        chart: The figure; its layout has the ``width`` and ``height`` in pixels.
        kind: One of :data:`KINDS`.
        scale: Pixels of the picture per pixel of the layout.
    """

    chart: Chart
    kind: str
    scale: float
