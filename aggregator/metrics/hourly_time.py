"""Compute the time part of hourly metrics: from intervals and responses. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aggregator.intervals.kinds import (
    BACKGROUND,
    BLOCKED,
    LIMITED,
    STALLED,
    WAITING,
    WORKING,
)
from aggregator.metrics.measures import TIME_MEASURES
from aggregator.metrics.scope import EVERYBODY

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
HOUR_US = 3_600_000_000
TIMED = (WORKING, BLOCKED, WAITING, BACKGROUND, STALLED, LIMITED)
"""Kinds of time that are measured; in frames a kind is its position here."""
PEAKS = {
    "peak_working_agents": (WORKING,),
    "peak_waiting_agents": (BLOCKED, WAITING),
}
"""Kinds of time of which each peak counts the agents."""
SUMS = tuple(measure.column for measure in TIME_MEASURES if measure.combine == "sum")


@dataclass(frozen=True, slots=True)
class Parts:
    """Intervals, cut at the edges of buckets. All arrays have one length.

    Attributes:
        interval: Position of the interval.
        bucket: Buckets since 1970, such as hours.
        start: Microseconds since 1970.
        end: The same; at most the end of the bucket.
        kind: Position in :data:`TIMED`.
        is_exact: Whether the interval is exact.
    """

    interval: Integers
    bucket: Integers
    start: Integers
    end: Integers
    kind: Integers
    is_exact: Flags


def cut(intervals: pd.DataFrame, length: int = HOUR_US) -> Parts:
    """Cut intervals into the parts that lie in one bucket each.

    Args:
        intervals: (n, ≥4) ``kind`` (position in :data:`TIMED`), ``started_at``, ``ended_at``
            (datetime64[us, UTC]), ``is_exact`` (bool). None is empty.
        length: Microseconds of a bucket; an hour or a divisor of it.
    """
    start, end = (microseconds(intervals[name]) for name in ("started_at", "ended_at"))
    first = start // length
    buckets = (end - 1) // length - first + 1
    interval = np.repeat(np.arange(len(intervals)), buckets)
    number = np.arange(len(interval)) - np.repeat(np.cumsum(buckets) - buckets, buckets)
    bucket = first[interval] + number
    return Parts(
        interval,
        bucket,
        np.maximum(start[interval], bucket * length),
        np.minimum(end[interval], (bucket + 1) * length),
        intervals["kind"].to_numpy("int64")[interval],
        intervals["is_exact"].to_numpy("bool")[interval],
    )


def microseconds(instants: pd.Series) -> Integers:
    """Convert instants of any time zone to microseconds since 1970."""
    at: Integers = pd.DatetimeIndex(instants).as_unit("us").asi8
    return at


def sums_of_time(parts: Parts, cell: Integers, count: int) -> dict[str, Integers]:
    """Add up the microseconds of each kind, and the exact ones, by cell.

    Args:
        parts: The parts.
        cell: Position of the cell of each part, of which there are ``count``.
        count: Number of cells.
    """
    working, kinds = TIMED.index(WORKING), len(TIMED)
    exact = (parts.kind == working) & parts.is_exact
    column = np.where(exact, kinds, parts.kind)
    length = parts.end - parts.start
    # Sums of floats are exact here: an hour of microseconds has far fewer than 53 bits.
    sums = np.bincount(cell * (kinds + 1) + column, length, count * (kinds + 1))
    table = sums.astype("int64").reshape(count, kinds + 1)
    table[:, working] += table[:, kinds]
    names = (*(f"{kind}_seconds" for kind in TIMED), "exact_seconds")
    return {name: table[:, number].copy() for number, name in enumerate(names)}


def sums_of_responses(seconds: pd.Series, cell: Integers, count: int) -> dict[str, Integers]:
    """Count the responses and add up their microseconds by cell."""
    lengths = np.round(seconds.to_numpy("float64") * 1e6)
    return {
        "responses": np.bincount(cell, minlength=count),
        "response_seconds": np.bincount(cell, lengths, count).astype("int64"),
    }


def peaks(parts: Parts, project: Integers) -> dict[str, Integers]:
    """Count the agents at the same instant: the most of each bucket.

    Who ends at the instant at which another begins is not counted with it.

    Args:
        parts: The parts.
        project: Id or number of the project of each part, positive.

    Returns:
        For each of :data:`PEAKS` an array of three rows: buckets since 1970, projects, which are
        :data:`aggregator.metrics.scope.EVERYBODY` for all together, and the most agents.
    """
    return {
        name: _most(parts, project, np.isin(parts.kind, [TIMED.index(kind) for kind in kinds]))
        for name, kinds in PEAKS.items()
    }


def _most(parts: Parts, project: Integers, chosen: Flags) -> Integers:
    step = np.repeat([1, -1], np.count_nonzero(chosen))
    at = np.concatenate([parts.start[chosen], parts.end[chosen]])
    # Ends before beginnings at the same instant.
    by_time = np.argsort(at * 2 + (step > 0))
    bucket, projects = (np.tile(own[chosen], 2)[by_time] for own in (parts.bucket, project))
    step = step[by_time]
    # Numbers of projects are small, which makes a stable sort fast.
    small = projects.astype(np.min_scalar_type(projects.max(initial=0)))
    by_project = np.argsort(small, kind="stable")
    each = _highest(bucket[by_project], projects[by_project], step[by_project])
    everywhere = _highest(bucket, np.full_like(projects, EVERYBODY), step)
    return np.concatenate([each, everywhere], axis=1)


def _highest(bucket: Integers, project: Integers, step: Integers) -> Integers:
    """Highest sum of the steps so far, which begins and ends at 0 in each bucket and project."""
    begins = np.append(True, (bucket[1:] != bucket[:-1]) | (project[1:] != project[:-1]))
    first = np.flatnonzero(begins[: len(step)])
    highest = np.maximum.reduceat(np.cumsum(step), first) if len(first) else first
    return np.array([bucket[first], project[first], highest])
