"""HTML attributes, and the type of the children of a Dash component."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash.development.base_component import Component

Children = Sequence[Component | str]


def aria(**attributes: str) -> dict[str, Any]:
    """Return ARIA attributes; their names have a hyphen, which Python's keywords cannot."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def explained(text: str) -> dict[str, Any]:
    """Return the attributes of an element that shows a text on hover and on focus."""
    return {"tabIndex": "0", **aria(description=text)}


def data(**attributes: str) -> dict[str, Any]:
    """Return data attributes by which our scripts find an element: ``data-activity-…``."""
    return {f"data-activity-{name}": value for name, value in attributes.items()}
