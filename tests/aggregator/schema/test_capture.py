from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import func, select, text

from aggregator.database.engine import connect
from aggregator.database.models import ActivityChange, Agent
from aggregator.database.source import Source
from aggregator.errors import TablesBusyError
from aggregator.passes.run import make_pass
from aggregator.schema import capture
from aggregator.schema.migrate import alembic_config, upgrade

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
ONE, TWO, THREE = (NOON + timedelta(hours=hours) for hours in (1, 2, 3))
EVERYTHING = (None, None, None)


@pytest.fixture(scope="module")
def captured_engine(postgres):
    engine = connect(postgres.url("tests_capture", fresh=True), purpose="tests")
    upgrade(engine, "standalone")
    upgrade(engine, "activity")
    with engine.begin() as conn:
        # As on hosts, where an agent has many tasks.
        conn.execute(text("ALTER TABLE tasks DROP CONSTRAINT tasks_agent_id_key"))
        capture.install(conn)
    yield engine
    engine.dispose()


@pytest.fixture
def conn(captured_engine):
    """Two agents with a task each: turns at 12:10, 13:10 and 13:20, and at 12:10."""
    with captured_engine.connect() as conn:
        for statement in (
            "INSERT INTO projects (id, name, path) VALUES (1, 'a', 'a'), (2, 'b', 'b')",
            "INSERT INTO agents (id, project_id, session_id) VALUES (1, 1, 'a'), (2, 1, 'b')",
            "INSERT INTO tasks (id, agent_id, state) VALUES (1, 1, 'x'), (2, 2, 'x')",
            "INSERT INTO turns (id, task_id, actor, timestamp, key) VALUES "
            "(1, 1, 'USER', '2026-11-03 12:10Z', 'a'), (2, 1, 'AGENT', '2026-11-03 13:10Z', 'b'), "
            "(3, 1, 'AGENT', '2026-11-03 13:20Z', 'c'), (4, 2, 'USER', '2026-11-03 12:10Z', 'd')",
        ):
            conn.execute(text(statement))
        conn.execute(text("DELETE FROM activity_changes"))
        yield conn
        conn.rollback()


def queue(conn):
    rows = conn.execute(
        select(ActivityChange.bucket_start, ActivityChange.task_id, ActivityChange.agent_id)
    )
    return sorted((tuple(row) for row in rows), key=str)


@pytest.mark.parametrize(
    ("statement", "entries"),
    [
        (
            "INSERT INTO turns (id, task_id, actor, timestamp, key) "
            "SELECT 9 + i, 1, 'AGENT', timestamptz '2026-11-03 13:00Z' + i * interval '1 min', i "
            "FROM generate_series(0, 119) i",
            [(ONE, None, None), (TWO, None, None)],
        ),
        ("UPDATE turns SET timestamp = '2026-11-03 15:00Z' WHERE id = 1", [NOON, THREE]),
        ("UPDATE turns SET timestamp = '2026-11-03 13:11Z' WHERE id = 2", [ONE]),
        ("UPDATE turns SET task_id = 2 WHERE id < 4", [NOON, ONE]),
        ("UPDATE turns SET id = 9 WHERE id = 1", [NOON]),
        ("DELETE FROM turns WHERE id > 1", [NOON, ONE]),
        ("TRUNCATE turns", [EVERYTHING]),
        ("TRUNCATE agents CASCADE", [EVERYTHING] * 3),
        ("UPDATE tasks SET agent_id = 2 WHERE id = 1", [(None, 1, None)]),
        ("UPDATE agents SET project_id = 2 WHERE id = 2", [(None, None, 2)]),
        ("DELETE FROM tasks WHERE id = 2", [NOON, (None, 2, None)]),
        ("DELETE FROM agents WHERE id = 2", [NOON, (None, 2, None), (None, None, 2)]),
        ("UPDATE turns SET actor = 'AGENT' WHERE id < 3", [NOON]),
        ("UPDATE turns SET key = 'e' || id, timestamp = timestamp, task_id = task_id", []),
        ("UPDATE tasks SET state = 'y', agent_id = agent_id", []),
        ("UPDATE agents SET ended_at = now()", []),
        ("DELETE FROM turns WHERE id > 9", []),
    ],
)
def test_each_statement_notes_what_it_changed(conn, statement, entries):
    conn.execute(text(statement))

    assert queue(conn) == sorted(
        ((entry, None, None) if isinstance(entry, datetime) else entry for entry in entries),
        key=str,
    )


@pytest.mark.parametrize(
    "instant", ["infinity", "-infinity", "294276-12-31 23:59Z", "4713-01-01 BC"]
)
def test_no_instant_gets_in_the_way_of_a_hosts_write_or_of_a_pass(captured_engine, instant):
    with captured_engine.begin() as conn:
        conn.execute(text("INSERT INTO projects (id, name, path) VALUES (1, 'a', 'a')"))
        conn.execute(text("INSERT INTO agents (id, project_id, session_id) VALUES (1, 1, 'a')"))
        conn.execute(text("INSERT INTO tasks (id, agent_id, state) VALUES (1, 1, 'x')"))
        conn.execute(
            text("INSERT INTO turns (task_id, actor, timestamp, key) VALUES (1, 'USER', :at, 'a')"),
            {"at": instant},
        )
    try:
        for _ in range(2):
            assert make_pass(captured_engine, NOON, timedelta(days=30))
    finally:
        with captured_engine.begin() as conn:
            conn.execute(text("DELETE FROM projects"))


def test_a_column_that_is_no_longer_there_makes_everything_doubtful_and_no_write_fail(conn):
    conn.execute(text("ALTER TABLE turns RENAME COLUMN timestamp TO at"))

    conn.execute(text("UPDATE turns SET at = at - interval '1 h' WHERE id = 1"))
    conn.execute(text("DELETE FROM turns WHERE id = 2"))

    assert queue(conn) == [EVERYTHING] * 2


def test_a_role_without_rights_on_our_tables_can_write_turns(conn):
    conn.execute(text("CREATE ROLE host"))
    conn.execute(text("GRANT INSERT ON turns TO host"))

    conn.execute(text("SET LOCAL ROLE host"))
    conn.execute(
        text(
            "INSERT INTO turns (id, task_id, actor, timestamp, key) "
            "VALUES (99, 1, 'USER', '2026-11-03 14:00Z', 'e')"
        )
    )
    conn.execute(text("RESET ROLE"))

    assert queue(conn) == [(TWO, None, None)]


def test_installing_makes_everything_doubtful_once(conn):
    capture.remove(conn)
    assert not capture.is_installed(conn)

    for _ in range(2):
        capture.install(conn)

    assert capture.is_installed(conn)
    assert queue(conn) == [EVERYTHING]


def test_triggers_that_were_disabled_for_a_while_do_not_count_until_installed_anew(conn):
    conn.execute(text("ALTER TABLE turns DISABLE TRIGGER USER"))
    assert not capture.is_installed(conn)
    conn.execute(text("ALTER TABLE turns ENABLE TRIGGER USER"))
    assert not capture.is_installed(conn)

    capture.install(conn)

    assert capture.is_installed(conn)
    assert queue(conn) == [EVERYTHING]


def test_triggers_of_a_source_with_other_columns_do_not_count(conn):
    conn.execute(text("ALTER TABLE turns ADD created_at timestamp DEFAULT '2026-11-03 15:30'"))
    host = Source(turn_at_column="created_at", turn_at_is_naive=True)
    assert not capture.is_installed(conn, host)

    capture.install(conn, host)
    conn.execute(text("DELETE FROM turns WHERE id = 1"))

    assert capture.is_installed(conn, host)
    assert queue(conn) == [EVERYTHING, (THREE, None, None)]


def test_installing_gives_way_to_somebody_who_is_writing(captured_engine, conn, monkeypatch):
    monkeypatch.setattr(capture, "TRIES", 1)
    with captured_engine.connect() as other:
        with pytest.raises(TablesBusyError, match=r"agents, tasks and turns are in use"):
            capture.remove(other)

        assert other.scalar(select(func.count(Agent.id))) == 0


def test_a_turn_written_while_its_task_moves_counts_for_the_new_agent(
    captured_engine, assert_table_equals_the_oracle
):
    now, retention = NOON + timedelta(days=1), timedelta(days=30)
    with captured_engine.begin() as conn:
        conn.execute(text("INSERT INTO projects (id, name, path) VALUES (1, 'a', 'a')"))
        conn.execute(
            text("INSERT INTO agents (id, project_id, session_id) VALUES (1, 1, 'a'), (2, 1, 'b')")
        )
        conn.execute(text("INSERT INTO tasks (id, agent_id, state) VALUES (1, 1, 'x')"))
    make_pass(captured_engine, now, retention)

    with captured_engine.begin() as mover:
        mover.execute(text("UPDATE tasks SET agent_id = 2 WHERE id = 1"))
        with captured_engine.begin() as writer:
            writer.execute(
                text(
                    "INSERT INTO turns (task_id, actor, timestamp, key) "
                    "VALUES (1, 'USER', '2026-11-03 12:10Z', 'a')"
                )
            )
        # Neither saw the other; this pass counts the turn for the old agent.
        make_pass(captured_engine, now, retention)
    make_pass(captured_engine, now, retention)

    assert_table_equals_the_oracle(captured_engine, now - retention)
    with captured_engine.begin() as conn:
        conn.execute(text("DELETE FROM projects"))


def test_a_downgrade_takes_the_triggers_along(postgres):
    engine = connect(postgres.url("tests_capture_down", fresh=True), purpose="tests")
    for branch in ("standalone", "activity"):
        upgrade(engine, branch)
    with engine.begin() as conn:
        capture.install(conn)
        config = alembic_config("activity")
        config.attributes["connection"] = conn
        command.downgrade(config, "activity_0001")

        conn.execute(text("TRUNCATE turns"))
        assert conn.scalar(text("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")) == 0
    engine.dispose()
