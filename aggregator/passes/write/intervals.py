"""Write the intervals and runs of agents. Callers own the transaction."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection

from aggregator.database.facts import Windows
from aggregator.intervals.timeline import Timeline
from aggregator.passes.write.staging import (
    FLAG,
    ID,
    INSTANT,
    OPTIONAL_INSTANT,
    SECONDS,
    TEXT,
    StagedTable,
    replace_rows,
)

# Rows that begin in a window. Those that end before the horizon are not kept.
_IN_WINDOWS = """
    JOIN unnest(
        CAST(:agents AS bigint[]), CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])
    ) AS windows (agent, since, until)
    ON agent_id = agent AND started_at >= since AND started_at < until
"""
_KEYS = {"agent_id": ID, "started_at": INSTANT}
_COUNTS = "SELECT (SELECT count(*) FROM changed)"

# An interval that only became longer touches only the hours of the difference.
_INTERVALS = StagedTable(
    name="activity_intervals",
    keys=_KEYS,
    values={
        "kind": TEXT,
        "ended_at": INSTANT,
        "run_started_at": OPTIONAL_INSTANT,
        "reason": TEXT,
        "tool": TEXT,
        "mode": TEXT,
        "is_exact": FLAG,
    },
    scope=f"{_IN_WINDOWS} WHERE ended_at > :horizon",
    result=f"""
        , spans AS (
            SELECT greatest(
                    CASE WHEN (old_kind, old_is_exact) = (kind, is_exact)
                        THEN least(old_ended_at, ended_at) ELSE started_at END,
                    :horizon
                ) AS since,
                greatest(
                    CASE WHEN old_kind <> 'idle' THEN old_ended_at END,
                    CASE WHEN kind <> 'idle' THEN ended_at END
                ) AS until
            FROM changed
        )
        {_COUNTS}, ARRAY(
            SELECT DISTINCT hour FROM spans, generate_series(
                date_trunc('hour', since, 'UTC'), until - interval '1 us', interval '1 hour'
            ) AS hour
            WHERE since < until
        )
    """,  # noqa: S608 - the names of our own columns
)
_RUNS = StagedTable(
    name="activity_runs",
    keys=_KEYS,
    values={
        "ended_at": INSTANT,
        "trigger": TEXT,
        "ended_by": TEXT,
        "working_seconds": SECONDS,
        "blocked_seconds": SECONDS,
        "is_exact": FLAG,
        "is_response": FLAG,
    },
    scope=f"{_IN_WINDOWS} WHERE ended_at >= :horizon",
    # The response of a run belongs to the hour in which the run ended.
    result=f"""
        {_COUNTS}, ARRAY(
            SELECT DISTINCT date_trunc('hour', ends.at, 'UTC')
            FROM changed, unnest(ARRAY[old_ended_at, ended_at]) AS ends (at)
            WHERE ends.at >= :horizon
        )
    """,  # noqa: S608 - the names of our own columns
)


def replace_timeline(
    conn: Connection, timeline: Timeline, windows: Windows, horizon: datetime
) -> tuple[int, set[datetime]]:
    """Replace the intervals and runs that begin in some windows with exactly these.

    Args:
        conn: A connection in a transaction.
        timeline: All intervals and runs that begin in the windows, by agent id.
        windows: The windows, those of one agent do not overlap.
        horizon: Intervals and runs that end before it are not kept, and such rows that are
            stored are left alone.

    Returns:
        The number of rows that changed, and the hours whose metrics differ because of them.
    """
    intervals, runs = timeline
    parameters = {**windows.parameters, "horizon": horizon}
    results = (
        replace_rows(conn, _INTERVALS, intervals[intervals["ended_at"] > horizon], parameters),
        replace_rows(conn, _RUNS, runs[runs["ended_at"] >= horizon], parameters),
    )
    hours = {hour.astimezone(UTC) for _, touched in map(tuple, results) for hour in touched}
    return sum(count for count, _ in map(tuple, results)), hours
