"""Databases of every earlier schema, with rows in all of their tables, move forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, cast, func, insert, select
from sqlalchemy.dialects.postgresql import REGCLASS

from aggregator.database.engine import connect
from aggregator.passes.rebuild import rebuild
from aggregator.passes.run import make_pass
from aggregator.schema import capture
from aggregator.schema.migrate import (
    VERSION_TABLES,
    alembic_config,
    current_revision,
    newest_revision,
    upgrade,
)

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=2)
HOUR = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = timedelta(minutes=4)

# One agent: asked at 12:10, answered at 12:14, and a call of a tool in between.
ROWS = {
    "projects": [{"id": 1, "name": "alpha", "path": "/code/alpha"}],
    "agents": [
        {
            "id": 1,
            "project_id": 1,
            "session_id": "s1",
            "started_at": HOUR,
            "ended_at": None,
            "known_since": HOUR,
            "origin": None,
            "name": "fix/clock",
            "cwd": "/code/alpha",
            "named_at": HOUR,
        }
    ],
    "tasks": [{"id": 1, "agent_id": 1, "state": "processing", "state_at": HOUR, "state_rank": 1}],
    "turns": [
        {
            "id": number,
            "task_id": 1,
            "actor": actor,
            "timestamp": HOUR + number * LATER,
            "key": f"t{number}",
            "is_copy": False,
        }
        for number, actor in enumerate(("USER", "AGENT", "AGENT"), start=1)
    ],
    "signals": [
        {
            "id": 1,
            "session_id": "s1",
            "kind": "work",
            "at": HOUR + LATER,
            "until": HOUR + 2 * LATER,
            "source": None,
            "tool": "Bash",
            "mode": None,
            "milliseconds": 240_000,
            "key": "k1",
            "is_copy": False,
        }
    ],
    "transcript_files": [
        {
            "path": "/transcripts/s1.jsonl",
            "is_main": True,
            "size": 10,
            "modified_ns": 1,
            "read_bytes": 10,
            "read_digest": "d",
            "lines": 3,
            "objects": 3,
            "waiting": False,
            "skipped": {"not JSON": 1},
            "sessions": {"s1": {}},
            "signals": {"s1": {}},
            "format": 1,
        }
    ],
    "live_sessions": [
        {
            "key": "here 1",
            "session_id": "s1",
            "status": "busy",
            "status_at": HOUR,
            "gone_at": None,
            "changed_at": HOUR,
        }
    ],
    "watches": [
        {
            "key": "here",
            "machine": "here",
            "folders": "/transcripts",
            "mode": "events",
            "reason": "",
            "seen_at": HOUR,
        }
    ],
    # Left behind by passes of then: an hour that no turn explains any more, and the others.
    "activity_metrics": [
        {
            "id": number,
            "bucket_start": HOUR - timedelta(hours=1),
            "agent_id": agent,
            "project_id": project,
            "is_overall": agent is project is None,
            "turn_count": 7,
            "avg_turn_time_seconds": 3.5,
            "active_agents": None if agent else 1,
            "created_at": HOUR,
            "updated_at": HOUR,
            "working_seconds": 1.0,
            "blocked_seconds": 2.0,
            "waiting_seconds": 3.0,
            "background_seconds": 4.0,
            "stalled_seconds": 5.0,
            "limited_seconds": 6.0,
            "exact_seconds": 1.0,
            "response_seconds": 1.0,
            "responses": 1,
            "peak_working_agents": None if agent else 1,
            "peak_waiting_agents": None if agent else 1,
        }
        for number, (agent, project) in enumerate(((1, None), (None, 1), (None, None)), start=1)
    ],
    "activity_intervals": [
        {
            "id": 1,
            "agent_id": 1,
            "kind": "working",
            "started_at": HOUR - timedelta(minutes=30),
            "ended_at": HOUR - timedelta(minutes=20),
            "run_started_at": HOUR - timedelta(minutes=30),
            "reason": "person",
            "tool": None,
            "mode": None,
            "is_exact": False,
        }
    ],
    "activity_runs": [
        {
            "id": 1,
            "agent_id": 1,
            "started_at": HOUR - timedelta(minutes=30),
            "ended_at": HOUR - timedelta(minutes=20),
            "trigger": "person",
            "ended_by": "turn done",
            "working_seconds": 600.0,
            "blocked_seconds": 0.0,
            "is_exact": False,
            "is_response": True,
        }
    ],
    "activity_changes": [{"id": 1, "bucket_start": HOUR, "task_id": None, "agent_id": None}],
    "activity_fingerprints": [{"bucket_start": HOUR, "turn_count": 3, "fingerprint": 12}],
    "activity_state": [
        {
            "id": 1,
            "last_pass_at": NOW - timedelta(minutes=5),
            "last_pass_seconds": 0.1,
            "changed_at": NOW - timedelta(minutes=5),
            "retention_days": 2,
            "complete_since": NOW - RETENTION,
            "rebuilt_at": NOW - timedelta(hours=1),
        }
    ],
}
# A migration that adds numbers has everything computed anew.
MAY_CHANGE = {"complete_since", "rebuilt_at"}


def revisions(branch):
    scripts = ScriptDirectory.from_config(alembic_config(branch)).walk_revisions()
    return [script.revision for script in scripts][::-1]


def schemas():
    """Return pairs of revisions from the oldest to the newest, as they followed each other."""
    groups = [revisions(branch) for branch in ("standalone", "activity")]
    return [
        tuple(group[min(at, len(group) - 1)] for group in groups)
        for at in range(max(map(len, groups)))
    ]


@pytest.fixture
def fresh(postgres):
    engine = connect(postgres.url("tests_upgrade", fresh=True), purpose="tests")
    yield engine
    engine.dispose()


def fill(conn):
    """Write rows into all tables, and return the columns that each has now."""
    metadata = MetaData()
    metadata.reflect(conn)
    tables = {
        table.name: table
        for table in metadata.sorted_tables
        if table.name not in VERSION_TABLES.values()
    }
    for name, table in tables.items():
        columns = table.columns.keys()
        missing = set(columns) - set(ROWS[name][0])
        assert not missing, f"{name} has columns that this test has no values for: {missing}"
        conn.execute(insert(table), [{key: row[key] for key in columns} for row in ROWS[name]])
        if "id" in columns:
            sequence = func.pg_get_serial_sequence(name, "id")
            conn.execute(
                select(func.setval(cast(sequence, REGCLASS), 1000)).where(sequence.is_not(None))
            )
    return tables


def contents(conn, tables, unseen):
    return {
        name: conn.execute(
            select(*(column for column in table.columns if column.name not in unseen)).order_by(
                *table.primary_key
            )
        ).all()
        for name, table in tables.items()
    }


@pytest.mark.parametrize("is_captured", [True, False], ids=["captured", "not captured"])
@pytest.mark.parametrize(("standalone", "activity"), schemas())
def test_a_database_of_any_schema_keeps_its_rows_and_a_pass_equals_a_rebuild(
    fresh, assert_table_equals_the_oracle, standalone, activity, is_captured
):
    with fresh.begin() as conn:
        for branch, revision in (("standalone", standalone), ("activity", activity)):
            config = alembic_config(branch)
            config.attributes["connection"] = conn
            command.upgrade(config, revision)
        tables = fill(conn)
        before = contents(conn, tables, MAY_CHANGE)

    for branch in VERSION_TABLES:
        upgrade(fresh, branch)

    with fresh.begin() as conn:
        assert contents(conn, tables, MAY_CHANGE) == before
        assert {current_revision(conn, branch) for branch in VERSION_TABLES} == {
            newest_revision(branch) for branch in VERSION_TABLES
        }
        if is_captured:
            capture.install(conn)
    make_pass(fresh, NOW, RETENTION)

    assert_table_equals_the_oracle(fresh, NOW - RETENTION)
    assert rebuild(fresh, NOW, RETENTION).any is False
