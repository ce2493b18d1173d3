"""Types of charts as plain properties, before Plotly has checked them."""

from __future__ import annotations

from typing import Any

Trace = dict[str, Any]
"""One trace of a figure: its properties by name."""

Chart = dict[str, Any]
"""A figure's ``data``, a list of traces, and its ``layout``."""
