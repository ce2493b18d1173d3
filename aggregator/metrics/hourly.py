"""Compute metrics: from turns to hourly rows, and from hours to longer buckets. Pure pandas.

This is the only place that defines how a number is computed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from pandas.arrays import IntegerArray

from aggregator.errors import NaiveTimestampError
from aggregator.metrics.cells import agents_of, cells_of
from aggregator.metrics.hourly_time import (
    HOUR_US,
    PEAKS,
    SUMS,
    Integers,
    Parts,
    cut,
    microseconds,
    peaks,
    sums_of_responses,
    sums_of_time,
)
from aggregator.metrics.measures import DTYPES, NUMBERS, POOLED, SUMMED
from aggregator.metrics.scope import EVERYBODY

AGENT_ROWS, PROJECT_ROWS, OVERALL_ROWS = range(3)
INSTANT_DTYPE = "datetime64[us, UTC]"
TURN_DTYPES = {"agent_id": "int64", "project_id": "int64", "at": INSTANT_DTYPE}
INTERVAL_DTYPES = {
    "agent_id": "int64",
    "project_id": "int64",
    "kind": "int32",
    "started_at": INSTANT_DTYPE,
    "ended_at": INSTANT_DTYPE,
    "is_exact": "bool",
}
RESPONSE_DTYPES = {
    "agent_id": "int64",
    "project_id": "int64",
    "ended_at": INSTANT_DTYPE,
    "seconds": "float64",
}
METRIC_DTYPES = {
    "bucket_start": INSTANT_DTYPE,
    "agent_id": "Int64",
    "project_id": "Int64",
    "is_overall": "bool",
    **DTYPES,
}


def hourly_metrics(
    turns: pd.DataFrame,
    intervals: pd.DataFrame | None = None,
    responses: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Resample turns, intervals and responses to one row per bucket and scope.

    A bucket is a half-open UTC hour. A gap is the time between two consecutive
    turns of one agent in the same bucket. The gaps of an agent in a bucket add up to
    its last instant minus its first, and their number is its turns minus 1. So the
    average is exact to the microsecond and needs no sorting.

    Args:
        turns: (n, 3) frame with :data:`TURN_DTYPES`, in any order; ``at`` may have
            any time zone. May be empty. An agent belongs to one project.
        intervals: (k, 6) frame with :data:`INTERVAL_DTYPES`; ``kind`` is a position in
            :data:`aggregator.metrics.hourly_time.TIMED`. An interval may last for hours;
            each has its part. None for none.
        responses: (l, 4) frame with :data:`RESPONSE_DTYPES`. A response belongs to the hour in
            which its run ended. None for none.

    Returns:
        (m, 18) frame with :data:`METRIC_DTYPES`: agent rows, then project rows, then
        overall rows, each sorted by bucket; only buckets with a turn, a response or time
        that is not idle. ``avg_turn_time_seconds`` is NaN without a gap; ``active_agents``
        and peaks are NA in agent rows.

    Raises:
        NaiveTimestampError: ``at`` has no time zone.
    """
    if not isinstance(turns["at"].dtype, pd.DatetimeTZDtype):
        raise NaiveTimestampError("turns['at']")
    intervals = _or_empty(intervals, INTERVAL_DTYPES)
    responses = _or_empty(responses, RESPONSE_DTYPES)
    agents, numbers = agents_of([turns, intervals, responses])
    # Instants are integers, microseconds since 1970. Flooring them gives the result of
    # resample("h") per agent, in a fraction of the time.
    at = microseconds(turns["at"])
    parts = cut(intervals)
    hours = [at // HOUR_US, parts.bucket, microseconds(responses["ended_at"]) // HOUR_US]
    numbers[1] = numbers[1][parts.interval]
    cells, positions = cells_of(hours, numbers, len(agents.ids))
    count = len(cells)
    sums = {
        **_sums_of_turns(at, positions[0], count),
        **sums_of_time(parts, positions[1], count),
        **sums_of_responses(responses["seconds"], positions[2], count),
    }
    hour, agent = np.divmod(cells, max(len(agents.ids), 1))
    project = agents.projects[agent]
    rows = _rows_of_all_scopes(hour * HOUR_US, project, agents.ids[agent], sums=sums)
    return _with_peaks(rows, parts, agents.projects[numbers[1]])


def _or_empty(rows: pd.DataFrame | None, dtypes: Mapping[str, str]) -> pd.DataFrame:
    if rows is not None:
        return rows
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in dtypes.items()})


def _sums_of_turns(at: Integers, cell: Integers, count: int) -> dict[str, Integers]:
    """Count the turns of each cell, and add up its gaps."""
    limits = np.iinfo("int64")
    first, last = np.full(count, limits.max), np.full(count, limits.min)
    np.minimum.at(first, cell, at)
    np.maximum.at(last, cell, at)
    size = np.bincount(cell, minlength=count)
    return {"size": size, "gap_us": np.where(size > 0, last - first, 0)}


def _rows_of_all_scopes(
    bucket: Integers, project: Integers, agent: Integers, *, sums: Mapping[str, Integers]
) -> pd.DataFrame:
    """Add up the agents of each bucket into the rows of all scopes.

    Args:
        bucket: (n,) microseconds since 1970, the first key by which all arrays are sorted.
        project: (n,) ids, the second key.
        agent: (n,) ids, the third key; each agent has one project.
        sums: (n,) numbers of the agent in the bucket: ``size`` (turns), ``gap_us`` (sum of
            its gaps) and :data:`aggregator.metrics.hourly_time.SUMS`, in microseconds.
    """
    # The arrays are sorted, so the rows of a bucket or project are adjacent.
    buckets = _starts(bucket)
    projects = np.union1d(buckets, _starts(project))
    every = np.arange(len(bucket))
    first = np.concatenate([every, projects, buckets])
    kind = np.repeat(
        [AGENT_ROWS, PROJECT_ROWS, OVERALL_ROWS], [len(every), len(projects), len(buckets)]
    )
    active = (sums["size"] > 0).astype("int64")
    added = {
        name: np.concatenate([own, *(np.add.reduceat(own, s) for s in (projects, buckets))])
        for name, own in {**sums, "active": active}.items()
    }
    turn_count, agent_count, gap_sum = added["size"], added["active"], added["gap_us"]
    gaps = turn_count - agent_count
    average = np.full(len(first), np.nan)
    np.divide(gap_sum, gaps, out=average, where=gaps > 0)
    return pd.DataFrame(
        {
            "bucket_start": pd.DatetimeIndex(bucket[first].view("datetime64[us]"), tz="UTC"),
            "agent_id": IntegerArray(agent[first], kind != AGENT_ROWS),
            "project_id": IntegerArray(project[first], kind != PROJECT_ROWS),
            "is_overall": kind == OVERALL_ROWS,
            "turn_count": turn_count,
            "avg_turn_time_seconds": average / 1e6,
            "active_agents": IntegerArray(agent_count, kind == AGENT_ROWS),
            **{
                name: added[name] / 1e6 if DTYPES[name] == "float64" else added[name]
                for name in SUMS
            },
        }
    )


def _with_peaks(rows: pd.DataFrame, parts: Parts, project: Integers) -> pd.DataFrame:
    """Add the peaks of each bucket: of a project, or with no project of everybody.

    Args:
        rows: All other columns.
        parts: Intervals by hour.
        project: Id of the project of each part.
    """
    of_agent = rows["agent_id"].notna().to_numpy()
    ids = np.unique(project)
    projects = pd.Index(rows["project_id"].to_numpy("int64", na_value=-1))
    known = pd.Index(ids).get_indexer(projects)
    # A number of its own for rows that have none.
    number = np.where(rows["is_overall"], EVERYBODY, np.where(known < 0, len(ids), known) + 1)
    hour = pd.DatetimeIndex(rows["bucket_start"]).asi8 // HOUR_US
    wanted = hour * (len(ids) + 2) + number
    added = {}
    for name, (hours, those, most) in peaks(parts, np.searchsorted(ids, project) + 1).items():
        keys = hours * (len(ids) + 2) + those
        found = pd.Series(most, keys).reindex(wanted, fill_value=0).to_numpy("int64")
        added[name] = IntegerArray(found, of_agent.copy())
    return rows.assign(**added)


def _starts(sorted_keys: Integers) -> Integers:
    """Positions at which a run of equal keys starts."""
    return np.flatnonzero(np.diff(sorted_keys, prepend=sorted_keys[:1] - 1))


def gap_counts(metrics: pd.DataFrame) -> pd.Series:
    """Count the gaps behind each row's average.

    ``turn_count - 1`` for an agent with turns, ``turn_count - active_agents`` for a project
    or overall: each active agent has one turn without a gap before it.

    Args:
        metrics: (n, ≥2) frame with ``turn_count`` and ``active_agents`` (NA in agent rows).

    Returns:
        (n,) int64 series.
    """
    return (metrics["turn_count"] - agents_with_turns(metrics)).rename("gaps")


def agents_with_turns(metrics: pd.DataFrame) -> pd.Series:
    """Count the agents with turns behind each row: in a row of an agent, 1 or 0.

    A row without turns is there for its time.

    Args:
        metrics: (n, ≥2) frame with ``turn_count`` and ``active_agents`` (NA in agent rows).

    Returns:
        (n,) int64 series.
    """
    alone = (metrics["turn_count"] > 0).astype("Int64")
    return metrics["active_agents"].astype("Int64").fillna(alone).astype("int64")


def agents_at_once(metrics: pd.DataFrame) -> pd.DataFrame:
    """Count the agents at the same instant behind each row: in a row of an agent, 1 or 0.

    Args:
        metrics: (n, ≥5) frame with peaks (NA in agent rows) and the seconds of their kinds.

    Returns:
        (n, 2) int64 frame with :data:`aggregator.metrics.hourly_time.PEAKS`.
    """
    found = {}
    for name, kinds in PEAKS.items():
        alone = metrics[[f"{kind}_seconds" for kind in kinds]].gt(0).any(axis=1).astype("Int64")
        found[name] = metrics[name].astype("Int64").fillna(alone).astype("int64")
    return pd.DataFrame(found, index=metrics.index)


WEIGHTS = {"gap_count": gap_counts}
"""Function that computes the weight of a pooled measure from the other columns of its row."""


def pool(metrics: pd.DataFrame, by: pd.Series | list[pd.Series]) -> pd.DataFrame:
    """Combine rows of one scope into longer buckets, averaging over all their gaps.

    The average of averages is Σ avg·n / Σ n, with n the number of gaps. Weighting by turns
    would count pairs of turns by different agents.

    Args:
        metrics: (n, ≥3) frame with the columns of all measures.
        by: (n,) keys, such as the local day of each row; several for nested groups.

    Returns:
        Frame indexed by the sorted keys: every summed measure (its dtype), every peak
        (Int64, NA in rows of agents), and every pooled one (float64, NaN without a value)
        with its weight (int64), with which averages can be combined again. In the order of
        :data:`aggregator.metrics.measures.NUMBERS`, without distinct counts.
    """
    sums = pd.DataFrame(additive(metrics)).groupby(by, sort=True).sum()
    for measure in POOLED:
        weights = sums[measure.columns[1]]
        sums[measure.column] /= weights.where(weights > 0)
    highest = metrics[list(PEAKS)].groupby(by, sort=True).max()
    return sums.join(highest)


def additive(metrics: pd.DataFrame) -> dict[str, pd.Series]:
    """Make each row's numbers additive: averages are multiplied by their weights.

    Args:
        metrics: (n, ≥3) frame with the columns of all measures.

    Returns:
        (n,) series by column, in the order of :data:`aggregator.metrics.measures.NUMBERS`,
        without distinct counts and peaks.
    """
    columns = {measure.column: metrics[measure.column] for measure in SUMMED}
    for measure in POOLED:
        value, weight = measure.columns
        weights = WEIGHTS[weight](metrics)
        columns |= {value: metrics[value].fillna(0.0) * weights, weight: weights}
    return {name: columns[name] for name in NUMBERS if name in columns}
