"""Totals: the hours of a span added up. Pure pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aggregator.metrics.hourly import weighted
from aggregator.metrics.measures import MEASURES, POOLED

Value = int | float | None


@dataclass(frozen=True, slots=True)
class Totals:
    """A scope over a whole window.

    Attributes:
        values: Each measure by its column; None for an average of nothing.
        active_hours: Hours with at least one turn.
        elapsed_hours: The divisor of rates, at least 1.
    """

    values: Mapping[str, Value]
    active_hours: int
    elapsed_hours: float

    @property
    def turn_count(self) -> int:
        """Turns."""
        return int(self.values["turn_count"] or 0)

    @property
    def avg_turn_time_seconds(self) -> float | None:
        """Mean of all gaps in seconds, None without a gap."""
        return self.values["avg_turn_time_seconds"]

    @property
    def active_agents(self) -> int:
        """Distinct agents with at least one turn."""
        return int(self.values["active_agents"] or 0)

    @property
    def turn_rate(self) -> float:
        """Turns per elapsed hour of the window."""
        return self.turn_count / self.elapsed_hours

    @property
    def turns_per_active_hour(self) -> float | None:
        """Turns per hour with turns, None without turns."""
        return self.turn_count / self.active_hours if self.active_hours else None


def add_up(hours: pd.DataFrame, active_agents: int, elapsed_hours: float) -> Totals:
    """Add up the hours of one scope.

    Args:
        hours: (n, 1 + m) frame of ``bucket_start`` and the columns of all measures
            (distinct counts are NA in the hours of one agent); only hours with turns.
        active_agents: Distinct agents of all these hours, which no sum can tell.
        elapsed_hours: The divisor of the turn rate, at least 1.
    """
    sums = weighted(hours).sum()
    for measure in POOLED:
        value, weight = measure.columns
        sums[value] = sums[value] / sums[weight] if sums[weight] else None
    return totals_of(sums.to_dict(), active_agents, len(hours), elapsed_hours)


def totals_of(
    sums: Mapping[Any, Any],
    active_agents: int,
    active_hours: int,
    elapsed_hours: float,
) -> Totals:
    """Make totals from numbers that are added up already.

    Args:
        sums: Summed and pooled measures by their columns; None or NaN for no average.
        active_agents: Distinct agents.
        active_hours: Hours with at least one turn.
        elapsed_hours: The divisor of rates, at least 1.
    """
    return Totals(values_of(sums, active_agents), active_hours, elapsed_hours)


def values_of(sums: Mapping[Any, Any], active_agents: int) -> dict[str, Value]:
    """Each measure by its column, as Python has it: int, float, or None for no average."""
    values: dict[str, Value] = {}
    for measure in MEASURES:
        value = active_agents if measure.combine == "distinct" else sums[measure.column]
        if value is None or pd.isna(value):
            values[measure.column] = None
        else:
            values[measure.column] = int(value) if measure.total_dtype == "int64" else float(value)
    return values
