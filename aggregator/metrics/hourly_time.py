"""Compute the time part of hourly metrics: from intervals and responses. Pure pandas."""

from __future__ import annotations

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
HOUR_US = 3_600_000_000
TIMED = (WORKING, BLOCKED, WAITING, BACKGROUND, STALLED, LIMITED)
"""Kinds of time that are measured; in frames a kind is its position here."""
PEAKS = {
    "peak_working_agents": (WORKING,),
    "peak_waiting_agents": (BLOCKED, WAITING),
}
"""Kinds of time of which each peak counts the agents."""
SUMS = tuple(measure.column for measure in TIME_MEASURES if measure.combine == "sum")
KEYS = ("bucket", "project_id", "agent_id")


def agent_hours(intervals: pd.DataFrame, responses: pd.DataFrame) -> pd.DataFrame:
    """Add up the time of agents by hour.

    Args:
        intervals: (n, 6) ``agent_id``, ``project_id`` (int64), ``kind`` (position in
            :data:`TIMED`), ``started_at``, ``ended_at`` (datetime64[us, UTC]), ``is_exact``
            (bool). An interval may last for hours; each has its part.
        responses: (m, 4) ``agent_id``, ``project_id`` (int64), ``ended_at``, ``seconds``
            (float64). A response belongs to the hour in which its run ended.

    Returns:
        Frame with :data:`SUMS` (int64; times in microseconds), by ``bucket`` (microseconds
        since 1970), ``project_id`` and ``agent_id``, sorted.
    """
    parts = _parts(intervals)
    exact = (parts["kind"] == TIMED.index(WORKING)) & parts["is_exact"]
    column = parts["kind"].where(~exact, len(TIMED))
    length = (parts["end"] - parts["start"]).groupby([*(parts[key] for key in KEYS), column]).sum()
    times = length.unstack(fill_value=0).reindex(columns=range(len(TIMED) + 1), fill_value=0)
    times.columns = pd.Index([*(f"{kind}_seconds" for kind in TIMED), "exact_seconds"])
    times[f"{WORKING}_seconds"] += times["exact_seconds"]
    ends = responses["ended_at"].astype("int64")
    answers = pd.DataFrame(
        {
            "bucket": ends // HOUR_US * HOUR_US,
            "project_id": responses["project_id"],
            "agent_id": responses["agent_id"],
            "response_seconds": (responses["seconds"] * 1e6).round(),
            "responses": 1,
        }
    )
    both = times.join(answers.groupby(list(KEYS)).sum(), how="outer")
    return both.reindex(columns=list(SUMS)).fillna(0).astype("int64")


def peaks(intervals: pd.DataFrame | None) -> pd.DataFrame:
    """Count the agents at the same instant: the most of each hour.

    Who ends at the instant at which another begins is not counted with it.

    Args:
        intervals: See :func:`agent_hours`; None for none.

    Returns:
        Frame with :data:`PEAKS` (float64, NaN for none), by ``bucket`` (microseconds since
        1970) and ``project_id``, which is :data:`EVERYBODY` for all together.
    """
    if intervals is None:
        index = pd.MultiIndex.from_arrays([[], []], names=KEYS[:2])
        return pd.DataFrame(columns=list(PEAKS), index=index, dtype="float64")
    parts = _parts(intervals)
    found = {
        name: _most(parts[parts["kind"].isin([TIMED.index(kind) for kind in kinds])])
        for name, kinds in PEAKS.items()
    }
    return pd.DataFrame(found)


def _most(parts: pd.DataFrame) -> pd.Series:
    """Most parts at the same instant, by bucket and project."""
    bucket, project = (np.tile(parts[key].to_numpy(), 2) for key in KEYS[:2])
    step = np.repeat([1, -1], len(parts))
    at = np.concatenate([parts["start"].to_numpy(), parts["end"].to_numpy()])
    # Ends before beginnings at the same instant.
    by_time = np.argsort(at * 2 + (step > 0))
    by_project = by_time[np.argsort(project[by_time], kind="stable")]
    everybody = np.full_like(project, EVERYBODY)
    everywhere = _highest(bucket[by_time], everybody, step[by_time])
    each = _highest(bucket[by_project], project[by_project], step[by_project])
    found: pd.Series = pd.concat([each, everywhere])
    return found


def _highest(bucket: Integers, project: Integers, step: Integers) -> pd.Series:
    """Highest sum of the steps so far, which begins and ends at 0 in each bucket and project."""
    first = np.flatnonzero(
        np.append(True, (bucket[1:] != bucket[:-1]) | (project[1:] != project[:-1]))[: len(step)]
    )
    index = pd.MultiIndex.from_arrays([bucket[first], project[first]], names=KEYS[:2])
    highest = np.maximum.reduceat(np.cumsum(step), first) if len(first) else first
    return pd.Series(highest, index, dtype="int64")


def _parts(intervals: pd.DataFrame) -> pd.DataFrame:
    """Cut intervals at whole hours: ``start``, ``end`` and ``bucket`` in microseconds."""
    start, end = (intervals[name].astype("int64").to_numpy() for name in ("started_at", "ended_at"))
    first = start // HOUR_US
    hours = (end - 1) // HOUR_US - first + 1
    row = np.repeat(np.arange(len(intervals)), hours)
    number = np.arange(len(row)) - np.repeat(np.cumsum(hours) - hours, hours)
    bucket = (first[row] + number) * HOUR_US
    return (
        intervals[["agent_id", "project_id", "kind", "is_exact"]]
        .iloc[row]
        .assign(
            bucket=bucket,
            start=np.maximum(start[row], bucket),
            end=np.minimum(end[row], bucket + HOUR_US),
        )
    )
