"""Compute metrics in steps that divide the hour: from turns, intervals and responses.

Pure numpy. The steps of an hour add up to it: sums of their seconds, turns, gaps and
responses are those of the hour, and the highest of their peaks is its peak.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.arrays import IntegerArray

from aggregator.metrics.cells import cells_of
from aggregator.metrics.hourly_time import (
    HOUR_US,
    SUMS,
    Integers,
    Parts,
    cut,
    microseconds,
    peaks,
    sums_of_responses,
    sums_of_time,
)
from aggregator.metrics.measures import DTYPES
from aggregator.metrics.scope import EVERYBODY, ScopeKind
from aggregator.metrics.series import ROW_DTYPES, SERIES


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of whole hours, from which metrics are computed.

    Attributes:
        turns: (n, 3) frame with :data:`aggregator.metrics.hourly.TURN_DTYPES`.
        intervals: (k, 6) frame with :data:`aggregator.metrics.hourly.INTERVAL_DTYPES`, not
            beyond these hours.
        responses: (l, 4) frame with :data:`aggregator.metrics.hourly.RESPONSE_DTYPES`.
    """

    turns: pd.DataFrame
    intervals: pd.DataFrame
    responses: pd.DataFrame


def in_steps(facts: Facts, of: ScopeKind, length: timedelta) -> pd.DataFrame:
    """Compute the metrics of many series in steps.

    A gap between two turns of an agent lies in one hour, as in hourly metrics, and belongs
    to the step of its second turn.

    Args:
        facts: Turns, intervals and responses, in any order.
        of: Kind of the series: one of all agents, one per project or one per agent.
        length: Length of a step, a divisor of an hour.

    Returns:
        Frame with :data:`aggregator.metrics.series.ROW_DTYPES`, by series and time; only
        steps with a turn, a response or time that is not idle. ``active_agents`` and peaks
        are NA for agents.
    """
    step = round(length / timedelta(microseconds=1))
    ids, numbers = _series_of(facts, of)
    parts = cut(facts.intervals, step)
    numbers[1] = numbers[1][parts.interval]
    at, ended = microseconds(facts.turns["at"]), microseconds(facts.responses["ended_at"])
    buckets = [at // step, parts.bucket, ended // step]
    cells, (of_turn, of_part, of_response) = cells_of(buckets, numbers, len(ids))
    count = len(cells)
    agent = facts.turns["agent_id"].to_numpy("int64")
    bucket, series = np.divmod(cells, max(len(ids), 1))
    sums = {
        **sums_of_time(parts, of_part, count),
        **sums_of_responses(facts.responses["seconds"], of_response, count),
    }
    counts = {
        "active_agents": _distinct(of_turn, agent, count),
        **_peaks(parts, numbers[1], cells, len(ids)),
    }
    rows: dict[str, Any] = {
        SERIES: ids[series],
        "bucket_start": pd.DatetimeIndex((bucket * step).view("datetime64[us]"), tz="UTC"),
        **_numbers_of_turns(at, agent, of_turn, count),
        **{name: sums[name] / 1e6 if DTYPES[name] == "float64" else sums[name] for name in SUMS},
    }
    unknown = np.full(count, of == "agent")
    rows |= {name: IntegerArray(own, unknown.copy()) for name, own in counts.items()}
    ordered = pd.DataFrame(rows).sort_values([SERIES, "bucket_start"], ignore_index=True)
    return ordered[list(ROW_DTYPES)].astype(ROW_DTYPES)


def _series_of(facts: Facts, of: ScopeKind) -> tuple[Integers, list[Integers]]:
    """Return the ids of the series, and for each of the facts the number of their series."""
    frames = (facts.turns, facts.intervals, facts.responses)
    if of == "overall":
        return np.array([EVERYBODY]), [np.zeros(len(rows), "int64") for rows in frames]
    own = [rows[f"{of}_id"].to_numpy("int64") for rows in frames]
    ids = np.unique(np.concatenate(own))
    return ids, [np.searchsorted(ids, each) for each in own]


def _numbers_of_turns(
    at: Integers, agent: Integers, cell: Integers, count: int
) -> dict[str, NDArray[Any]]:
    """Count the turns and the gaps of each cell, and average the gaps; NaN without any."""
    order = np.lexsort([at, agent])
    at, agent, hour = at[order], agent[order], at[order] // HOUR_US
    follows = (agent[1:] == agent[:-1]) & (hour[1:] == hour[:-1])
    of_gap = cell[order][1:][follows]
    gaps = np.bincount(of_gap, minlength=count)
    # Sums of floats are exact here: they have far fewer than 53 bits.
    sums = np.bincount(of_gap, np.diff(at)[follows], count)
    average = np.full(count, np.nan)
    np.divide(sums, gaps, out=average, where=gaps > 0)
    return {
        "turn_count": np.bincount(cell, minlength=count),
        "avg_turn_time_seconds": average / 1e6,
        "gap_count": gaps,
    }


def _distinct(cell: Integers, agent: Integers, count: int) -> Integers:
    """Count the agents with turns of each cell."""
    seen = pd.DataFrame({"cell": cell, "agent": agent}).drop_duplicates()
    return np.bincount(seen["cell"], minlength=count)


def _peaks(parts: Parts, number: Integers, cells: Integers, series: int) -> dict[str, Integers]:
    """Most agents at the same instant in each cell."""
    found = {}
    for name, (bucket, own, most) in peaks(parts, number + 1).items():
        each = own != EVERYBODY
        highest = np.zeros(len(cells), "int64")
        highest[np.searchsorted(cells, bucket[each] * series + own[each] - 1)] = most[each]
        found[name] = highest
    return found
