from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, event, func, select, text, update

from aggregator.database import locks
from aggregator.database.models import ActivityChange, ActivityMetric, ActivityState, Agent, Turn
from aggregator.passes import recompute, retention
from aggregator.passes.run import make_pass
from aggregator.passes.write.metrics import Written
from aggregator.schema import capture

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=minute) for minute in minutes]


@pytest.fixture
def assert_exact(assert_table_equals_the_oracle):
    return lambda engine: assert_table_equals_the_oracle(engine, NOW - RETENTION)


@pytest.fixture(params=["captured", "not captured"], autouse=True)
def captured(request, empty_engine):
    """Run every test here once with triggers that capture changes, and once without."""
    if request.param == "captured":
        with empty_engine.begin() as conn:
            capture.install(conn)


@pytest.fixture
def history(captured, empty_engine, record):
    """Two projects and three agents over the last three hours and two weeks."""
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(5, 6.5, 8, 40, 100, 20_000, 20_003))
        record(conn, "alpha", "a2", minutes_ago(5, 7, 130, 131.25))
        record(conn, "beta", "b1", minutes_ago(29, 31))
    return empty_engine


def test_after_a_pass_the_table_equals_the_metrics_computed_in_sql(history, assert_exact):
    report = make_pass(history, NOW, RETENTION)

    assert_exact(history)
    assert report.written == Written(agents=8, projects=6, overall=4, intervals=3)


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


def test_late_moved_and_deleted_turns_are_followed(history, record, assert_exact):
    make_pass(history, NOW, RETENTION)

    with history.begin() as conn:
        record(conn, "beta", "b1", minutes_ago(10_000))
        newest = conn.scalar(select(Turn.id).order_by(Turn.timestamp.desc()).limit(1))
        conn.execute(update(Turn).where(Turn.id == newest).values(timestamp=minutes_ago(500)[0]))
        conn.execute(delete(Turn).where(Turn.timestamp < minutes_ago(15_000)[0]))
    report = make_pass(history, NOW, RETENTION)

    assert_exact(history)
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


def test_rows_and_turns_older_than_the_retention_leave_and_newer_ones_stay(
    history, assert_table_equals_the_oracle
):
    make_pass(history, NOW, RETENTION)

    report = make_pass(history, NOW, timedelta(days=7))

    assert report.pruned == 3
    assert_table_equals_the_oracle(history, NOW - timedelta(days=7))
    with history.connect() as conn:
        assert conn.scalar(select(Turn.id).where(Turn.timestamp < minutes_ago(15_000)[0]).limit(1))


def test_a_turn_older_than_the_retention_may_make_time_inside_it(history, record, assert_exact):
    with history.begin() as conn:
        record(conn, "alpha", "old", minutes_ago(60_000, 40_000))
    make_pass(history, NOW, RETENTION)
    with history.begin() as conn:
        conn.execute(delete(Turn).where(Turn.timestamp < NOW - RETENTION))

    make_pass(history, NOW, RETENTION)

    assert_exact(history)


def test_the_oldest_hour_inside_the_retention_is_whole(empty_engine, record):
    edge = (NOW - RETENTION).replace(minute=0)
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [edge, edge + timedelta(minutes=45)])

    make_pass(empty_engine, NOW, RETENTION)

    with empty_engine.connect() as conn:
        assert conn.scalars(select(ActivityMetric.turn_count)).all() == [2, 2, 2]


def test_a_turn_from_a_clock_that_is_ahead_counts(empty_engine, record, assert_exact):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(-300))

    make_pass(empty_engine, NOW, RETENTION)

    assert_exact(empty_engine)


def test_a_turn_at_the_end_of_time_stops_no_pass(history, record):
    with history.begin() as conn:
        record(conn, "alpha", "a1", [datetime(9999, 12, 31, 23, 59, tzinfo=UTC)])

    make_pass(history, NOW, RETENTION)

    with history.connect() as conn:
        newest = conn.scalar(select(func.max(ActivityMetric.bucket_start)))
    assert newest == NOW.replace(minute=0)


def test_a_long_history_is_worked_off_in_stretches(history, monkeypatch, assert_exact):
    monkeypatch.setattr(recompute, "TURNS_AT_ONCE", 3)

    make_pass(history, NOW, RETENTION)

    assert_exact(history)


def test_pruning_goes_in_batches(history):
    make_pass(history, NOW, RETENTION)
    left = []

    def look(conn):
        left.append(conn.scalar(select(func.count()).select_from(ActivityMetric)))

    event.listen(history, "commit", look)
    pruned = retention.prune(history, NOW + timedelta(hours=1), batch=7)
    event.remove(history, "commit", look)

    # The first transaction only notes that older hours are incomplete; the next two have
    # looked for intervals and runs.
    assert (pruned, left) == (18, [18, 18, 18, 11, 4, 0])


def test_a_pass_leaves_while_another_process_is_making_one(history):
    with history.begin() as other:
        locks.lock(other, locks.PASS)

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
        return [
            conn.execute(select(model.__table__).order_by(model.id)).all()
            for model in (ActivityMetric, ActivityChange, ActivityState)
        ]


def test_the_state_tells_when_the_last_pass_was_and_when_the_table_last_changed(history):
    make_pass(history, NOW, RETENTION)
    later = NOW + timedelta(minutes=5)

    report = make_pass(history, later, RETENTION)

    with history.connect() as conn:
        state = conn.execute(select(ActivityState.__table__)).one()
    assert (state.last_pass_at, state.changed_at) == (later, NOW)
    assert 0 < state.last_pass_seconds <= report.seconds


def test_rows_of_a_deleted_agent_go_with_it(history, assert_exact):
    make_pass(history, NOW, RETENTION)

    with history.begin() as conn:
        conn.execute(delete(Agent).where(Agent.session_id == "a1"))
    make_pass(history, NOW, RETENTION)

    assert_exact(history)
