"""Add up hours to totals. Pure pandas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from aggregator.metrics.hourly import additive
from aggregator.metrics.hourly_time import PEAKS as KINDS_OF_PEAKS
from aggregator.metrics.hourly_time import TIMED
from aggregator.metrics.measures import MEASURES, PEAKS, POOLED

Value = int | float | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of a scope over a whole range of time.

    Attributes:
        values: Each measure by its column; None for an average without values.
        active_hours: Hours with at least one turn.
        elapsed_hours: Divisor of rates, at least 1.
    """

    values: Mapping[str, Value]
    active_hours: int
    elapsed_hours: float

    @property
    def turn_count(self) -> int:
        """Number of turns."""
        return int(self.values["turn_count"] or 0)

    @property
    def avg_turn_time_seconds(self) -> float | None:
        """Mean of all gaps in seconds, None without a gap."""
        return self.values["avg_turn_time_seconds"]

    @property
    def active_agents(self) -> int:
        """Number of distinct agents with at least one turn."""
        return int(self.values["active_agents"] or 0)

    @property
    def is_quiet(self) -> bool:
        """True if there are neither turns nor time."""
        return not (self.turn_count or any(self._seconds(kind) for kind in TIMED))

    @property
    def waiting_for_me_seconds(self) -> float:
        """Time in which agents waited for a person: blocked, or after a run."""
        return self._seconds("blocked") + self._seconds("waiting")

    @property
    def utilisation(self) -> float | None:
        """Working time by working time and waiting for a person; None without either."""
        working = self._seconds("working")
        both = working + self.waiting_for_me_seconds
        return working / both if both else None

    @property
    def exact_share(self) -> float | None:
        """Part of the working time that Claude Code has measured; None without working time."""
        working = self._seconds("working")
        return self._seconds("exact") / working if working else None

    def _seconds(self, kind: str) -> float:
        return self.values[f"{kind}_seconds"] or 0.0

    @property
    def turn_rate(self) -> float:
        """Turns per elapsed hour."""
        return self.turn_count / self.elapsed_hours

    @property
    def turns_per_active_hour(self) -> float | None:
        """Turns per hour with turns, None without turns."""
        return self.turn_count / self.active_hours if self.active_hours else None


def add_up(hours: pd.DataFrame, active_agents: int, elapsed_hours: float) -> Totals:
    """Add up the hours of one scope.

    Args:
        hours: (n, 1 + m) frame of ``bucket_start`` and the columns of all measures
            (distinct counts are NA in the hours of one agent); only hours with a row.
        active_agents: Distinct agents of all these hours, which cannot be summed.
        elapsed_hours: Divisor of the turn rate, at least 1.
    """
    sums: dict[str, Any] = {name: column.sum() for name, column in additive(hours).items()}
    for measure in POOLED:
        value, weight = measure.columns
        sums[value] = sums[value] / sums[weight] if sums[weight] else None
    sums |= {measure.column: hours[measure.column].max() for measure in PEAKS}
    active_hours = int((hours["turn_count"] > 0).sum())
    return totals_of(sums, active_agents, active_hours, elapsed_hours)


def totals_of(
    sums: Mapping[Any, Any],
    active_agents: int,
    active_hours: int,
    elapsed_hours: float,
) -> Totals:
    """Create totals from numbers that are summed already.

    Args:
        sums: Summed and pooled measures, and peaks, by their columns; None or NaN for no
            average. A peak that is missing, as in rows of agents, is that of one agent.
        active_agents: Distinct agents.
        active_hours: Hours with at least one turn.
        elapsed_hours: Divisor of rates, at least 1.
    """
    return Totals(values_of(sums, active_agents), active_hours, elapsed_hours)


def values_of(sums: Mapping[Any, Any], active_agents: int) -> dict[str, Value]:
    """Convert each measure to a Python int or float, or None for no average, by its column."""
    values: dict[str, Value] = {}
    for measure in MEASURES:
        value = active_agents if measure.combine == "distinct" else sums[measure.column]
        missing = value is None or pd.isna(value)
        if missing and measure.combine == "peak":
            kinds = KINDS_OF_PEAKS[measure.column]
            values[measure.column] = int(any(sums[f"{kind}_seconds"] > 0 for kind in kinds))
        elif missing:
            values[measure.column] = None
        else:
            values[measure.column] = int(value) if measure.total_dtype == "int64" else float(value)
    return values
