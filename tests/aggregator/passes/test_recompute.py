from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, event, select, text, update
from sqlalchemy.exc import OperationalError

from aggregator.database import locks
from aggregator.database.models import ActivityMetric, ActivityState, Agent
from aggregator.database.turns import END_OF_TIME
from aggregator.passes import recompute, transactions
from aggregator.passes.rebuild import rebuild, rebuild_due
from aggregator.passes.recompute import chunks, recompute_in_transaction
from aggregator.passes.retention import prune
from aggregator.passes.run import make_pass
from aggregator.passes.write.metrics import Written
from aggregator.schema import capture

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
RETENTION = timedelta(days=2)
HORIZON = datetime(2026, 11, 20, 14, tzinfo=UTC)


def hours_ago(*hours: float) -> list[datetime]:
    return [NOW - hour * HOUR for hour in hours]


@pytest.fixture
def history(empty_engine, record):
    """Change capture, and two agents with turns up to 40 hours ago."""
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", hours_ago(0.1, 0.2, 5, 5.1, 5.2, 20, 40))
        record(conn, "beta", "b1", hours_ago(5, 5.3, 21))
        capture.install(conn)
    return empty_engine


def state(engine):
    with engine.connect() as conn:
        return conn.execute(select(ActivityState.__table__)).one_or_none()


def spoil_old_rows(engine):
    """Alter rows of hours without any changed turn."""
    old = ActivityMetric.bucket_start < NOW - 3 * HOUR
    with engine.begin() as conn:
        return conn.execute(update(ActivityMetric).where(old).values(turn_count=99)).rowcount


def test_stretches_touch_each_other_hold_few_turns_and_cut_no_hour(history, monkeypatch):
    monkeypatch.setattr(recompute, "TURNS_AT_ONCE", 3)
    running = NOW.replace(minute=0)
    five = running - 5 * HOUR

    with history.connect() as conn:
        cuts = list(chunks(conn, HORIZON, END_OF_TIME))

    # An hour of more turns than that goes alone, with the quiet hours after it.
    assert cuts == [(HORIZON, five), (five, running), (running, END_OF_TIME)]


def test_a_quiet_range_is_one_stretch(history):
    with history.connect() as conn:
        assert list(chunks(conn, HORIZON - 90 * HOUR, HORIZON)) == [(HORIZON - 90 * HOUR, HORIZON)]


def test_recomputing_a_stretch_changes_its_hours_and_no_others(history):
    make_pass(history, NOW, RETENTION)
    spoil_old_rows(history)

    written = recompute_in_transaction(
        history, NOW.replace(minute=0) - 21 * HOUR, NOW.replace(minute=0)
    )

    assert written == Written(agents=4, projects=4, overall=3)
    with history.connect() as conn:
        spoilt = select(ActivityMetric.bucket_start).where(ActivityMetric.turn_count == 99)
        assert set(conn.scalars(spoilt)) == {NOW.replace(minute=0) - 40 * HOUR}


def test_stretches_go_side_by_side_and_a_pass_waits_for_them(history, monkeypatch):
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "50ms")
    with history.begin() as other:
        locks.lock(other, locks.RECOMPUTE, shared=True)

        assert recompute_in_transaction(history, HORIZON, NOW.replace(minute=0)).any
        with pytest.raises(OperationalError, match="lock timeout"):
            make_pass(history, NOW, RETENTION)

    assert make_pass(history, NOW, RETENTION)


def test_an_agent_deleted_between_reading_and_writing_makes_a_pass_begin_again(
    history, assert_table_equals_the_oracle
):
    gone = []

    @event.listens_for(history, "before_cursor_execute")
    def delete_agent(conn, cursor, statement, parameters, context, executemany):
        if "CREATE TEMPORARY TABLE activity_metrics" in statement and not gone:
            gone.append("a1")
            with history.begin() as host:
                host.execute(delete(Agent).where(Agent.session_id == "a1"))

    try:
        make_pass(history, NOW, RETENTION)
    finally:
        event.remove(history, "before_cursor_execute", delete_agent)

    assert gone == ["a1"]
    assert_table_equals_the_oracle(history, HORIZON)


def test_a_pass_recomputes_what_changed_and_a_rebuild_everything(
    history, record, assert_table_equals_the_oracle
):
    make_pass(history, NOW, RETENTION)
    spoilt = spoil_old_rows(history)
    with history.begin() as conn:
        record(conn, "alpha", "a1", hours_ago(20.1))

    # In the hour of the new turn: the agent, its project, overall.
    assert make_pass(history, NOW, RETENTION).written == Written(1, 1, 1)
    written = rebuild(history, NOW, RETENTION)

    assert written.agents + written.projects + written.overall == spoilt - 3
    assert_table_equals_the_oracle(history, HORIZON)


def test_after_a_rebuild_a_pass_need_not_recompute_everything(history, monkeypatch):
    monkeypatch.setattr(recompute, "TURNS_AT_ONCE", 3)
    assert rebuild(history, NOW, RETENTION) == Written(6, 6, 5, intervals=2)
    assert (state(history).complete_since, state(history).rebuilt_at) == (HORIZON, NOW)
    spoil_old_rows(history)

    assert make_pass(history, NOW + HOUR, RETENTION).written == Written()


def test_without_capture_a_rebuild_does_not_make_passes_shorter(history):
    with history.begin() as conn:
        capture.remove(conn)
    rebuild(history, NOW, RETENTION)
    spoilt = spoil_old_rows(history)

    written = make_pass(history, NOW, RETENTION).written

    assert written.agents + written.projects + written.overall == spoilt
    assert (state(history).complete_since, state(history).rebuilt_at) == (HORIZON, NOW)


def test_one_process_at_a_time_rebuilds(history):
    with history.begin() as other:
        locks.lock(other, locks.REBUILD)

        assert rebuild(history, NOW, RETENTION) is None

    assert rebuild(history, NOW, RETENTION).any
    assert not rebuild(history, NOW, RETENTION).any


def test_a_rebuild_is_due_at_first_and_a_day_after_the_last(history):
    def due(now):
        with history.connect() as conn:
            return rebuild_due(conn, now, timedelta(days=1))

    assert due(NOW)
    rebuild(history, NOW, RETENTION)

    day = timedelta(days=1)
    ahead = NOW - 2 * day  # The clock was two days ahead at the last one.
    assert [due(at) for at in (NOW, NOW + day - HOUR, NOW + day, ahead)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("longer", [timedelta(days=30), timedelta(days=2, hours=1)])
def test_a_longer_retention_brings_back_what_was_pruned(
    history, longer, assert_table_equals_the_oracle
):
    make_pass(history, NOW, timedelta(days=1))
    make_pass(history, NOW, longer)

    assert_table_equals_the_oracle(history, NOW.replace(minute=0) - longer)


def test_what_was_pruned_too_far_comes_back(history, assert_table_equals_the_oracle):
    make_pass(history, NOW, RETENTION)
    prune(history, NOW + timedelta(days=365))

    make_pass(history, NOW, RETENTION)

    assert_table_equals_the_oracle(history, HORIZON)


def test_a_row_ahead_of_time_goes_with_its_turn(history, record, assert_table_equals_the_oracle):
    with history.begin() as conn:
        record(conn, "alpha", "a1", hours_ago(-50))
        capture.remove(conn)
    make_pass(history, NOW, RETENTION)
    with history.begin() as conn:
        conn.execute(text("DELETE FROM turns WHERE timestamp > '2026-11-23'"))

    assert make_pass(history, NOW, RETENTION).written == Written(deleted=3, intervals=1)
    assert_table_equals_the_oracle(history, HORIZON)
