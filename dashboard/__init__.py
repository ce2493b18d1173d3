"""The Activity page, its API and its command line, for any Flask server or none."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dashboard.extension import Activity

__all__ = ["Activity"]


def __getattr__(name: str) -> Any:
    """Import on first use: Dash takes 0.7 s, which ``--help`` need not wait for."""
    if name != "Activity":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("dashboard.extension"), name)
