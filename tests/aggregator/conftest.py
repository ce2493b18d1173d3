"""The oracle: metrics in plain SQL that shares nothing with the pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, select, text

from aggregator.database.facts import BEGINNING_OF_TIME, Windows, read_facts
from aggregator.database.models import ActivityInterval, ActivityRun, Agent
from aggregator.database.turns import END_OF_TIME
from aggregator.intervals.hosts import signals_of_turns
from aggregator.intervals.timeline import agent_intervals

INTERVAL_COLUMNS = (
    "agent_id",
    "started_at",
    "ended_at",
    "kind",
    "run_started_at",
    "reason",
    "tool",
    "mode",
    "is_exact",
)
RUN_COLUMNS = (
    "agent_id",
    "started_at",
    "ended_at",
    "trigger",
    "ended_by",
    "working_seconds",
    "blocked_seconds",
    "is_exact",
    "is_response",
)

ORACLE = text(
    """
    WITH turns AS (
        SELECT date_trunc('hour', t.timestamp, 'UTC') AS bucket,
            a.id AS agent, a.project_id AS project,
            t.timestamp - lag(t.timestamp) OVER (
                PARTITION BY a.id, date_trunc('hour', t.timestamp, 'UTC') ORDER BY t.timestamp
            ) AS gap
        FROM turns t JOIN tasks k ON k.id = t.task_id JOIN agents a ON a.id = k.agent_id
        WHERE t.timestamp >= :horizon AND t.timestamp < '9999-01-01Z'
    ), scopes AS (
        SELECT bucket, agent, NULL::int AS project, false AS overall, count(*) AS turns,
            sum(gap) AS gaps, count(gap) AS gap_count, NULL::int AS active
        FROM turns GROUP BY bucket, agent
        UNION ALL
        SELECT bucket, NULL, project, false, count(*), sum(gap), count(gap), count(DISTINCT agent)
        FROM turns GROUP BY bucket, project
        UNION ALL
        SELECT bucket, NULL, NULL, true, count(*), sum(gap), count(gap), count(DISTINCT agent)
        FROM turns GROUP BY bucket
    )
    SELECT bucket, agent, project, overall, turns, active, gap_count,
        (extract(epoch FROM gaps) * 1000000)::bigint AS gaps_us
    FROM scopes ORDER BY 1, 2, 3
    """
)
TABLE = text(
    """
    SELECT bucket_start, agent_id, project_id, is_overall, turn_count, active_agents,
        avg_turn_time_seconds
    FROM activity_metrics WHERE bucket_start >= :horizon AND turn_count > 0 ORDER BY 1, 2, 3
    """
)
# A peak is reached when somebody begins; who ends at that instant is not counted.
TIME_ORACLE = text(
    """
    WITH parts AS (
        SELECT a.id AS agent, a.project_id AS project, i.kind, i.is_exact, hour AS bucket,
            greatest(i.started_at, hour) AS since,
            least(i.ended_at, hour + interval '1 hour') AS until
        FROM activity_intervals i JOIN agents a ON a.id = i.agent_id, generate_series(
            date_trunc('hour', greatest(i.started_at, :horizon), 'UTC'),
            i.ended_at - interval '1 us', interval '1 hour'
        ) AS hour
        WHERE i.kind <> 'idle'
    ), scopes AS (
        SELECT agent, NULL::int AS project, false AS overall, agent AS of, bucket, kind, is_exact,
            since, until FROM parts
        UNION ALL
        SELECT NULL, project, false, agent, bucket, kind, is_exact, since, until FROM parts
        UNION ALL
        SELECT NULL, NULL, true, agent, bucket, kind, is_exact, since, until FROM parts
    ), seconds AS (
        SELECT bucket, agent, project, overall,
            sum(until - since) FILTER (WHERE kind = 'working') AS working,
            sum(until - since) FILTER (WHERE kind = 'blocked') AS blocked,
            sum(until - since) FILTER (WHERE kind = 'waiting') AS waiting,
            sum(until - since) FILTER (WHERE kind = 'background') AS background,
            sum(until - since) FILTER (WHERE kind = 'stalled') AS stalled,
            sum(until - since) FILTER (WHERE kind = 'limited') AS limited,
            sum(until - since) FILTER (WHERE kind = 'working' AND is_exact) AS exact
        FROM scopes GROUP BY 1, 2, 3, 4
    ), peaks AS (
        SELECT one.bucket, one.project, one.overall, one.kind IN ('blocked', 'waiting') AS waits,
            max((
                SELECT count(*) FROM scopes other
                WHERE (other.bucket, other.overall) = (one.bucket, one.overall)
                    AND other.project IS NOT DISTINCT FROM one.project AND other.agent IS NULL
                    AND other.since <= one.since AND other.until > one.since
                    AND (other.kind IN ('blocked', 'waiting'))
                        = (one.kind IN ('blocked', 'waiting'))
                    AND other.kind IN ('working', 'blocked', 'waiting')
            )) AS peak
        FROM scopes one
        WHERE one.agent IS NULL AND one.kind IN ('working', 'blocked', 'waiting')
        GROUP BY 1, 2, 3, 4
    ), ends AS (
        SELECT date_trunc('hour', r.ended_at, 'UTC') AS bucket, a.id AS agent,
            a.project_id AS project,
            round((working_seconds + blocked_seconds) * 1e6) AS us
        FROM activity_runs r JOIN agents a ON a.id = r.agent_id
        WHERE is_response AND r.ended_at >= :horizon
    ), responses AS (
        SELECT bucket, agent, NULL::int AS project, false AS overall, count(*) AS n, sum(us) AS us
        FROM ends GROUP BY 1, 2
        UNION ALL
        SELECT bucket, NULL, project, false, count(*), sum(us) FROM ends GROUP BY 1, 3
        UNION ALL
        SELECT bucket, NULL, NULL, true, count(*), sum(us) FROM ends GROUP BY 1
    )
    SELECT bucket, agent, project, overall,
        round(extract(epoch FROM coalesce(working, '0')) * 1e6),
        round(extract(epoch FROM coalesce(blocked, '0')) * 1e6),
        round(extract(epoch FROM coalesce(waiting, '0')) * 1e6),
        round(extract(epoch FROM coalesce(background, '0')) * 1e6),
        round(extract(epoch FROM coalesce(stalled, '0')) * 1e6),
        round(extract(epoch FROM coalesce(limited, '0')) * 1e6),
        round(extract(epoch FROM coalesce(exact, '0')) * 1e6),
        coalesce(us, 0), coalesce(n, 0),
        CASE WHEN agent IS NULL THEN coalesce((
            SELECT peak FROM peaks p WHERE p.bucket = hours.bucket AND NOT p.waits
                AND p.project IS NOT DISTINCT FROM hours.project AND p.overall = hours.overall
        ), 0) END,
        CASE WHEN agent IS NULL THEN coalesce((
            SELECT peak FROM peaks p WHERE p.bucket = hours.bucket AND p.waits
                AND p.project IS NOT DISTINCT FROM hours.project AND p.overall = hours.overall
        ), 0) END
    FROM (
        SELECT coalesce(s.bucket, r.bucket) AS bucket, coalesce(s.agent, r.agent) AS agent,
            coalesce(s.project, r.project) AS project, coalesce(s.overall, r.overall) AS overall,
            working, blocked, waiting, background, stalled, limited, exact, us, n
        FROM seconds s FULL JOIN responses r ON (s.bucket, s.overall, coalesce(s.agent, -1),
            coalesce(s.project, -1)) = (r.bucket, r.overall, coalesce(r.agent, -1),
            coalesce(r.project, -1))
    ) AS hours
    ORDER BY 1, 2, 3
    """
)
TIME_TABLE = text(
    """
    SELECT bucket_start, agent_id, project_id, is_overall,
        round(working_seconds::numeric * 1000000), round(blocked_seconds::numeric * 1000000),
        round(waiting_seconds::numeric * 1000000), round(background_seconds::numeric * 1000000),
        round(stalled_seconds::numeric * 1000000), round(limited_seconds::numeric * 1000000),
        round(exact_seconds::numeric * 1000000), round(response_seconds::numeric * 1000000),
        responses, peak_working_agents, peak_waiting_agents
    FROM activity_metrics WHERE bucket_start >= :horizon AND (
        turn_count = 0 OR responses > 0 OR working_seconds + blocked_seconds + waiting_seconds
            + background_seconds + stalled_seconds + limited_seconds > 0
    )
    ORDER BY 1, 2, 3
    """
)


def stored_timeline(conn: Connection, horizon: datetime) -> tuple[list[Any], list[Any]]:
    """Intervals and runs in the tables that do not end before a horizon, by agent and start."""
    return tuple(
        sorted(
            tuple(row)
            for row in conn.execute(
                select(*(model.__table__.c[name] for name in columns)).where(
                    model.ended_at > horizon if strictly else model.ended_at >= horizon
                )
            )
        )
        for model, columns, strictly in (
            (ActivityInterval, INTERVAL_COLUMNS, True),
            (ActivityRun, RUN_COLUMNS, False),
        )
    )


def whole_timeline(conn: Connection, horizon: datetime) -> tuple[list[Any], list[Any]]:
    """Intervals and runs of the kernel over all facts of all agents at once."""
    agents = tuple(conn.scalars(select(Agent.id)))
    count = len(agents)
    windows = Windows(agents, (BEGINNING_OF_TIME,) * count, (END_OF_TIME,) * count)
    turns, signals, calls, are_turns_all = read_facts(conn, windows)
    turns, signals, calls = (
        rows.assign(agent_id=[agents[number] for number in rows["agent_id"]])
        for rows in (turns, signals, calls)
    )
    if are_turns_all:
        turns, signals, calls = signals_of_turns(turns)
    intervals, runs = agent_intervals(turns, signals, calls)
    return (
        _tuples(intervals[intervals["ended_at"] > horizon], INTERVAL_COLUMNS),
        _tuples(runs[runs["ended_at"] >= horizon], RUN_COLUMNS),
    )


def _tuples(frame: pd.DataFrame, columns: tuple[str, ...]) -> list[Any]:
    rows = zip(*(frame[name].astype("object") for name in columns), strict=True)
    return sorted(
        tuple(
            None
            if pd.isna(value)
            else value.to_pydatetime()
            if isinstance(value, pd.Timestamp)
            else value
            for value in row
        )
        for row in rows
    )


@pytest.fixture(scope="session")
def assert_table_equals_the_oracle() -> Callable[[Engine, datetime], None]:
    """Compare all rows from a horizon on, averages to the last bit.

    Turns are counted in SQL. Intervals and runs are those of the kernel over all facts, and
    the time of the hours is added up in SQL from these.
    """

    def check(engine: Engine, horizon: datetime) -> None:
        with engine.connect() as conn:
            assert stored_timeline(conn, horizon) == whole_timeline(conn, horizon)
            assert conn.execute(TIME_TABLE, {"horizon": horizon}).all() == (
                conn.execute(TIME_ORACLE, {"horizon": horizon}).all()
            )
            table = [tuple(row) for row in conn.execute(TABLE, {"horizon": horizon})]
            truth = conn.execute(ORACLE, {"horizon": horizon}).all()
        assert table == [
            (*row[:6], row.gaps_us / row.gap_count / 1e6 if row.gap_count else None)
            for row in truth
        ]

    return check
