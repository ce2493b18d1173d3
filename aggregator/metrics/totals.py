"""What a span of hours adds up to. Pure pandas."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from aggregator.metrics.hourly import gap_counts


@dataclass(frozen=True, slots=True)
class Totals:
    """A scope over a whole window.

    Attributes:
        turn_count: Turns.
        avg_turn_time_seconds: Mean of all gaps in seconds, None without a gap.
        active_agents: Distinct agents with at least one turn.
        active_hours: Hours with at least one turn.
        turn_rate: Turns per elapsed hour of the window.
        turns_per_active_hour: Turns per hour with turns, None without turns.
    """

    turn_count: int
    avg_turn_time_seconds: float | None
    active_agents: int
    active_hours: int
    turn_rate: float
    turns_per_active_hour: float | None


def add_up(hours: pd.DataFrame, active_agents: int, elapsed_hours: float) -> Totals:
    """Add up the hours of one scope.

    Args:
        hours: (n, 4) ``bucket_start``, ``turn_count``, ``avg_turn_time_seconds``,
            ``active_agents`` (NA in the hours of one agent); only hours with turns.
        active_agents: Distinct agents of all these hours, which no sum can tell.
        elapsed_hours: The divisor of the turn rate, at least 1.
    """
    gaps = gap_counts(hours)
    seconds = float((hours["avg_turn_time_seconds"].fillna(0.0) * gaps).sum())
    return total(
        turns=int(hours["turn_count"].sum()),
        average=seconds / int(gaps.sum()) if gaps.sum() else None,
        active_agents=active_agents,
        active_hours=len(hours),
        elapsed_hours=elapsed_hours,
    )


def total(
    *,
    turns: int,
    average: float | None,
    active_agents: int,
    active_hours: int,
    elapsed_hours: float,
) -> Totals:
    """Totals with the rates that follow from them."""
    return Totals(
        turn_count=turns,
        avg_turn_time_seconds=average,
        active_agents=active_agents,
        active_hours=active_hours,
        turn_rate=turns / elapsed_hours,
        turns_per_active_hour=turns / active_hours if active_hours else None,
    )
