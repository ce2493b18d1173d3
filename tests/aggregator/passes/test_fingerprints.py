from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from aggregator.database.source import STANDALONE
from aggregator.passes.fingerprints import forget_fingerprints, take_changed_hours
from aggregator.passes.rebuild import rebuild
from aggregator.passes.run import make_pass

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
HORIZON = datetime(2026, 10, 23, 14, tzinfo=UTC)


def hour(ago: int) -> datetime:
    return datetime(2026, 11, 22, 14, tzinfo=UTC) - timedelta(hours=ago)


@pytest.fixture
def history(empty_engine, record):
    """Two agents with turns in four hours, and a pass without capture."""
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [hour(ago) for ago in (1, 5, 5, 30)])
        record(conn, "beta", "b1", [hour(5), hour(90)])
    make_pass(empty_engine, NOW, RETENTION)
    return empty_engine


def changed(engine) -> set[datetime] | None:
    """Return the hours that differ, and leave what is known of them as it was."""
    with engine.connect() as conn:
        return take_changed_hours(conn, HORIZON, STANDALONE)


def test_after_a_pass_no_hour_differs(history):
    assert changed(history) == set()


@pytest.mark.parametrize(
    ("statement", "hours"),
    [
        ("DELETE FROM turns WHERE timestamp = :at", {hour(30)}),
        ("UPDATE turns SET timestamp = timestamp - interval '1s' WHERE timestamp = :at",
         {hour(30), hour(31)}),
        ("UPDATE turns SET actor = 'AGENT' WHERE timestamp = :at", {hour(30)}),
        ("UPDATE turns SET task_id = (SELECT max(id) FROM tasks) WHERE timestamp = :at",
         {hour(30)}),
        ("UPDATE agents SET project_id = (SELECT max(id) FROM projects) WHERE session_id = 'a1'",
         {hour(1), hour(5), hour(30)}),
        ("DELETE FROM projects WHERE name = 'beta'", {hour(5), hour(90)}),
        ("UPDATE turns SET key = key || 'x'", set()),
        ("UPDATE tasks SET state = 'awaiting_input'", set()),
        ("DELETE FROM activity_metrics WHERE is_overall AND bucket_start = :at", {hour(30)}),
    ],
)  # fmt: skip
def test_an_hour_differs_when_something_has_changed_that_its_metrics_depend_on(
    history, record, statement, hours
):
    with history.begin() as conn:
        conn.execute(text("UPDATE turns SET actor = 'USER'"))
    make_pass(history, NOW, RETENTION)
    with history.begin() as conn:
        conn.execute(text(statement), {"at": hour(30)} if ":at" in statement else {})

    assert changed(history) == hours


def test_before_the_first_pass_all_hours_count_as_changed(empty_engine):
    assert changed(empty_engine) is None


def test_hours_that_a_rebuild_has_computed_are_compared_anew(history):
    rebuild(history, NOW, RETENTION)

    assert changed(history) is None


def test_an_hour_that_lost_its_last_turn_differs_even_if_its_fingerprint_is_unknown(history):
    with history.begin() as conn:
        forget_fingerprints(conn, hour(30), hour(29))
        conn.execute(text("DELETE FROM turns WHERE timestamp = :at"), {"at": hour(30)})

    assert changed(history) == {hour(30)}
