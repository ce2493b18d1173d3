"""HTML attributes, and what Dash takes as children."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

Children = Sequence[Component | str]


def aria(**attributes: str) -> dict[str, Any]:
    """ARIA attributes, whose hyphen Python's keywords cannot have."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def data(**attributes: str) -> dict[str, Any]:
    """Data attributes by which our scripts find an element: ``data-activity-…``."""
    return {f"data-activity-{name}": value for name, value in attributes.items()}
