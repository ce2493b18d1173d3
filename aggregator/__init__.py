"""Aggregate the turns of agents into hourly metrics in PostgreSQL.

This package uses neither Flask nor Dash: a script or a notebook needs nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggregator.database.models import ActivityMetric
    from aggregator.errors import ActivityError
    from aggregator.jobs.scheduler import ActivityAggregator
    from aggregator.notebook.load import load_intervals, load_metrics, load_overview, load_turns
    from aggregator.settings import Settings

__all__ = [
    "ActivityAggregator",
    "ActivityError",
    "ActivityMetric",
    "Settings",
    "load_intervals",
    "load_metrics",
    "load_overview",
    "load_turns",
]

_HOMES = {
    "ActivityAggregator": "aggregator.jobs.scheduler",
    "ActivityError": "aggregator.errors",
    "ActivityMetric": "aggregator.database.models",
    "Settings": "aggregator.settings",
    "load_intervals": "aggregator.notebook.load",
    "load_metrics": "aggregator.notebook.load",
    "load_overview": "aggregator.notebook.load",
    "load_turns": "aggregator.notebook.load",
}


def __getattr__(name: str) -> Any:
    """Import on first use: pandas takes 0.7 s to load, which ``--help`` can do without."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
