"""Charts as plain properties, before Plotly has checked them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Trace = dict[str, Any]
"""One trace of a figure: its properties by name."""
Chart = dict[str, Any]
"""A figure's ``data``, a list of traces, and its ``layout``."""

KINDS = ("png", "svg", "pdf")
"""What a picture can be."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure that is to become a picture.

    Attributes:
        chart: The figure; its layout has the ``width`` and ``height`` in pixels.
        kind: One of :data:`KINDS`.
        scale: Pixels of the picture per pixel of the layout.
    """

    chart: Chart
    kind: str
    scale: float
