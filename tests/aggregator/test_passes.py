from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select, text, update

from aggregator import passes
from aggregator.models import ActivityMetric, ActivityState, Agent, Turn
from aggregator.passes import PASS_LOCK, make_pass
from aggregator.store import Written

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)

# The definitions of the metrics once more, in SQL that shares nothing with the pass.
ORACLE = text(
    """
    WITH turns AS (
        SELECT date_trunc('hour', t.timestamp, 'UTC') AS bucket,
            a.id AS agent, a.project_id AS project,
            t.timestamp - lag(t.timestamp) OVER (
                PARTITION BY a.id, date_trunc('hour', t.timestamp, 'UTC') ORDER BY t.timestamp
            ) AS gap
        FROM turns t JOIN tasks k ON k.id = t.task_id JOIN agents a ON a.id = k.agent_id
        WHERE t.timestamp >= :horizon
    )
    SELECT bucket, agent, NULL::int AS project, false AS overall, count(*) AS turns,
        extract(epoch FROM avg(gap))::float8 AS average, NULL::int AS active
    FROM turns GROUP BY bucket, agent
    UNION ALL
    SELECT bucket, NULL, project, false, count(*),
        extract(epoch FROM avg(gap)), count(DISTINCT agent)
    FROM turns GROUP BY bucket, project
    UNION ALL
    SELECT bucket, NULL, NULL, true, count(*), extract(epoch FROM avg(gap)), count(DISTINCT agent)
    FROM turns GROUP BY bucket
    ORDER BY 1, 2, 3
    """
)
TABLE = text(
    """
    SELECT bucket_start, agent_id, project_id, is_overall, turn_count,
        avg_turn_time_seconds, active_agents
    FROM activity_metrics ORDER BY 1, 2, 3
    """
)


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=minute) for minute in minutes]


def assert_table_equals_the_oracle(engine, horizon=NOW - RETENTION):
    with engine.connect() as conn:
        table = [tuple(row) for row in conn.execute(TABLE)]
        oracle = [tuple(row) for row in conn.execute(ORACLE, {"horizon": horizon})]
    assert [row[:5] + row[6:] for row in table] == [row[:5] + row[6:] for row in oracle]
    # PostgreSQL averages intervals in whole microseconds.
    assert [row[5] for row in table] == pytest.approx([row[5] for row in oracle], abs=1e-6)


@pytest.fixture
def history(empty_engine, record):
    """Two projects and three agents over the last three hours and two weeks."""
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(5, 6.5, 8, 40, 100, 20_000, 20_003))
        record(conn, "alpha", "a2", minutes_ago(5, 7, 130, 131.25))
        record(conn, "beta", "b1", minutes_ago(29, 31))
    return empty_engine


def test_after_a_pass_the_table_equals_the_metrics_computed_in_sql(history):
    report = make_pass(history, NOW, RETENTION)

    assert_table_equals_the_oracle(history)
    assert report.written == Written(agents=8, projects=6, overall=4, deleted=0)


def test_a_second_pass_changes_nothing(history):
    make_pass(history, NOW, RETENTION)
    with history.connect() as conn:
        before = conn.execute(select(ActivityMetric.__table__)).all()

    report = make_pass(history, NOW + timedelta(minutes=5), RETENTION)

    with history.connect() as conn:
        assert conn.execute(
            select(ActivityMetric.__table__).order_by(ActivityMetric.id)
        ).all() == sorted(before)
    assert report.written == Written()


def test_late_moved_and_deleted_turns_are_followed(history, record):
    make_pass(history, NOW, RETENTION)

    with history.begin() as conn:
        record(conn, "beta", "b1", minutes_ago(10_000))
        newest = conn.scalar(select(Turn.id).order_by(Turn.timestamp.desc()).limit(1))
        conn.execute(update(Turn).where(Turn.id == newest).values(timestamp=minutes_ago(500)[0]))
        conn.execute(delete(Turn).where(Turn.timestamp < minutes_ago(15_000)[0]))
    report = make_pass(history, NOW, RETENTION)

    assert_table_equals_the_oracle(history)
    assert report.written.deleted == 3


def test_only_rows_whose_values_changed_get_a_new_updated_at(history, record):
    make_pass(history, NOW, RETENTION)
    changed = (
        select(ActivityMetric.bucket_start)
        .distinct()
        .where(ActivityMetric.updated_at > ActivityMetric.created_at)
    )

    with history.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(1))
    make_pass(history, NOW, RETENTION)

    with history.connect() as conn:
        assert conn.scalars(changed).all() == [NOW.replace(minute=0)]


def test_rows_and_turns_older_than_the_retention_leave_and_newer_ones_stay(history):
    make_pass(history, NOW, RETENTION)

    report = make_pass(history, NOW, timedelta(days=7))

    assert report.pruned == 3
    assert_table_equals_the_oracle(history, NOW - timedelta(days=7))
    with history.connect() as conn:
        assert conn.scalar(select(Turn.id).where(Turn.timestamp < minutes_ago(15_000)[0]).limit(1))


def test_the_oldest_hour_inside_the_retention_is_whole(empty_engine, record):
    edge = (NOW - RETENTION).replace(minute=0)
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [edge, edge + timedelta(minutes=45)])

    make_pass(empty_engine, NOW, RETENTION)

    with empty_engine.connect() as conn:
        assert conn.scalars(select(ActivityMetric.turn_count)).all() == [2, 2, 2]


def test_a_turn_from_a_clock_that_is_ahead_counts(empty_engine, record):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(-300))

    make_pass(empty_engine, NOW, RETENTION)

    assert_table_equals_the_oracle(empty_engine)


def test_a_turn_at_the_end_of_time_stops_no_pass(history, record):
    with history.begin() as conn:
        record(conn, "alpha", "a1", [datetime(9999, 12, 31, 23, 59, tzinfo=UTC)])

    make_pass(history, NOW, RETENTION)

    with history.connect() as conn:
        newest = conn.scalar(select(func.max(ActivityMetric.bucket_start)))
    assert newest == NOW.replace(minute=0)


def test_a_long_history_is_worked_off_in_stretches(history, monkeypatch):
    monkeypatch.setattr(passes, "TURNS_AT_ONCE", 3)

    make_pass(history, NOW, RETENTION)

    assert_table_equals_the_oracle(history)


def test_pruning_goes_in_batches(history, monkeypatch):
    monkeypatch.setattr(passes, "PRUNE_BATCH", 7)
    make_pass(history, NOW, RETENTION)

    assert passes.prune(history, NOW + timedelta(hours=1)) == 18


def test_a_pass_leaves_while_another_process_is_making_one(history):
    with history.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PASS_LOCK})

        assert make_pass(history, NOW, RETENTION) is None

    assert make_pass(history, NOW, RETENTION) is not None


def test_a_pass_that_fails_leaves_everything_as_it_was(history):
    make_pass(history, NOW, RETENTION)
    with history.begin() as conn:
        conn.execute(update(Turn).values(timestamp=Turn.timestamp - timedelta(hours=1)))
        conn.execute(
            text(
                "ALTER TABLE activity_state "
                "ADD CONSTRAINT broken CHECK (last_pass_at < '2026-11-22 14:40Z')"
            )
        )
    before = _everything(history)

    with pytest.raises(Exception, match="broken"):
        make_pass(history, NOW + timedelta(minutes=20), RETENTION)

    with history.begin() as conn:
        conn.execute(text("ALTER TABLE activity_state DROP CONSTRAINT broken"))
    assert _everything(history) == before


def _everything(engine):
    with engine.connect() as conn:
        return conn.execute(TABLE).all(), conn.execute(select(ActivityState.__table__)).all()


def test_the_state_tells_when_the_last_pass_was_and_when_the_table_last_changed(history):
    make_pass(history, NOW, RETENTION)
    later = NOW + timedelta(minutes=5)

    report = make_pass(history, later, RETENTION)

    with history.connect() as conn:
        state = conn.execute(select(ActivityState.__table__)).one()
    assert (state.last_pass_at, state.changed_at) == (later, NOW)
    assert 0 < state.last_pass_seconds <= report.seconds


def test_rows_of_a_deleted_agent_go_with_it(history):
    make_pass(history, NOW, RETENTION)

    with history.begin() as conn:
        conn.execute(delete(Agent).where(Agent.session_id == "a1"))
    make_pass(history, NOW, RETENTION)

    assert_table_equals_the_oracle(history)
