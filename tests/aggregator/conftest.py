"""The oracle: metrics in plain SQL that shares nothing with the pass."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine, text

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
    FROM activity_metrics WHERE bucket_start >= :horizon ORDER BY 1, 2, 3
    """
)


@pytest.fixture(scope="session")
def assert_table_equals_the_oracle() -> Callable[[Engine, datetime], None]:
    """Compare all rows from a horizon on, averages to the last bit."""

    def check(engine: Engine, horizon: datetime) -> None:
        with engine.connect() as conn:
            table = [tuple(row) for row in conn.execute(TABLE, {"horizon": horizon})]
            truth = conn.execute(ORACLE, {"horizon": horizon}).all()
        assert table == [
            (*row[:6], row.gaps_us / row.gap_count / 1e6 if row.gap_count else None)
            for row in truth
        ]

    return check
