"""The metrics themselves: from turns to hourly rows, and from hours to longer spans.

Every definition of a number is here and nowhere else. Pure pandas.
"""

from __future__ import annotations

import pandas as pd

from aggregator.errors import NaiveTimestampError

INSTANT = "datetime64[us, UTC]"
TURN_DTYPES = {"agent_id": "int64", "project_id": "int64", "at": INSTANT}
METRIC_DTYPES = {
    "bucket_start": INSTANT,
    "agent_id": "Int64",
    "project_id": "Int64",
    "is_overall": "bool",
    "turn_count": "int64",
    "avg_turn_time_seconds": "float64",
    "active_agents": "Int64",
}


def hourly_metrics(turns: pd.DataFrame) -> pd.DataFrame:
    """Resample turns to one row per bucket and scope.

    A bucket is a half-open UTC hour. A gap is the time between two consecutive
    turns of one agent in the same bucket; gaps telescope, so the gaps of an agent
    in a bucket add up to its last instant minus its first, and number its turns
    minus 1. That makes the average exact to the microsecond and needs no sorting.

    Args:
        turns: (n, 3) frame with :data:`TURN_DTYPES`, in any order; ``at`` may have
            any time zone. May be empty. An agent belongs to one project.

    Returns:
        (m, 7) frame with :data:`METRIC_DTYPES`: agent rows, then project rows, then
        overall rows, each sorted by bucket. ``avg_turn_time_seconds`` is NaN
        without a gap; ``active_agents`` is NA in agent rows.

    Raises:
        NaiveTimestampError: ``at`` has no time zone.
    """
    if not isinstance(turns["at"].dtype, pd.DatetimeTZDtype):
        raise NaiveTimestampError("turns['at']")
    # Flooring and one grouped pass is what resample("h") per agent computes, at a
    # tenth of its time on short ranges.
    at = turns["at"].dt.tz_convert("UTC").dt.as_unit("us")
    agents = (
        turns.assign(at=at, bucket_start=at.dt.floor("h"))
        .groupby(["bucket_start", "project_id", "agent_id"], sort=True)["at"]
        .agg(["size", "min", "max"])
        .reset_index()
    )
    agents["gap_us"] = (agents["max"] - agents["min"]).astype("int64")
    agents["gaps"] = agents["size"] - 1
    return pd.concat(
        [
            _scope_rows(agents, ["bucket_start", "agent_id"]),
            _scope_rows(agents, ["bucket_start", "project_id"]),
            _scope_rows(agents, ["bucket_start"]),
        ],
        ignore_index=True,
    )


def _scope_rows(agents: pd.DataFrame, scope: list[str]) -> pd.DataFrame:
    """Add up the agents of each bucket and scope into rows of the table."""
    sums = agents.groupby(scope, sort=True).agg(
        turn_count=("size", "sum"),
        gap_us=("gap_us", "sum"),
        gaps=("gaps", "sum"),
        active_agents=("size", "size"),
    )
    rows = sums.reset_index()
    rows["avg_turn_time_seconds"] = rows["gap_us"] / rows["gaps"].where(rows["gaps"] > 0) / 1e6
    rows["is_overall"] = scope == ["bucket_start"]
    if "agent_id" in scope:
        rows["active_agents"] = pd.NA
    return rows.reindex(columns=list(METRIC_DTYPES)).astype(METRIC_DTYPES)


def gap_counts(metrics: pd.DataFrame) -> pd.Series:
    """The number of gaps behind each row's average.

    ``turn_count - 1`` for an agent, ``turn_count - active_agents`` for a project or
    overall: each active agent has one turn without a gap before it.

    Args:
        metrics: (n, ≥2) frame with ``turn_count`` and ``active_agents`` (NA in agent rows).

    Returns:
        (n,) int64 series.
    """
    without_gap = metrics["active_agents"].astype("Int64").fillna(1).astype("int64")
    return (metrics["turn_count"] - without_gap).rename("gaps")


def pool(metrics: pd.DataFrame, by: pd.Series) -> pd.DataFrame:
    """Combine rows of one scope into longer spans, averaging over all their gaps.

    The average of averages is Σ avg·n / Σ n with n the number of gaps; weighting by
    turns would count pairs of turns by different agents.

    Args:
        metrics: (n, ≥3) frame with ``turn_count``, ``avg_turn_time_seconds`` and
            ``active_agents``.
        by: (n,) keys, such as the local day of each row.

    Returns:
        Frame indexed by the sorted keys: ``turn_count`` (int64) and
        ``avg_turn_time_seconds`` (float64, s, NaN without a gap).
    """
    gaps = gap_counts(metrics)
    sums = (
        pd.DataFrame(
            {
                "turn_count": metrics["turn_count"],
                "seconds": metrics["avg_turn_time_seconds"].fillna(0.0) * gaps,
                "gaps": gaps,
            }
        )
        .groupby(by, sort=True)
        .sum()
    )
    average = sums["seconds"] / sums["gaps"].where(sums["gaps"] > 0)
    return pd.DataFrame({"turn_count": sums["turn_count"], "avg_turn_time_seconds": average})
