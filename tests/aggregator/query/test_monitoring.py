from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from aggregator.database.models import TranscriptFile
from aggregator.intervals.state import STATES
from aggregator.passes.run import make_pass
from aggregator.query.monitoring import (
    NO_ACTIVITY,
    MonitoringSnapshot,
    ProjectSnapshot,
)
from aggregator.query.reader import MetricReader
from aggregator.schema.host import find_source
from aggregator.schema.migrate import upgrade
from tests.no_time import NO_TIME

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
NO_IMPORT = {
    "files": 0,
    "files_main": 0,
    "lines": 0,
    "objects": 0,
    "waiting": 0,
    "skipped": {},
}


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=minute) for minute in minutes]


def read(engine, now=NOW) -> MonitoringSnapshot:
    return MetricReader(engine).monitoring(now, retention=RETENTION)


def values(turns, average, agents):
    return {
        "turn_count": turns,
        "avg_turn_time_seconds": average,
        "active_agents": agents,
        **NO_TIME,
    }


def agents(**counts) -> dict[str, int]:
    return dict.fromkeys(STATES, 0) | counts


def test_the_fleet_at_a_moment(empty_engine, record):
    with empty_engine.begin() as conn:
        # In the running hour, in the last whole one, and in the one before.
        record(conn, "alpha", "a1", minutes_ago(5, 6, 8, 40, 41, 100))
        record(conn, "alpha", "a2", minutes_ago(50, 56), state="awaiting_input")
        record(conn, "beta", "b1", minutes_ago(60 * 20), state="awaiting_input")
        # Younger than a day, and older than the first hour of the rolling one.
        record(conn, "gamma", "c1", minutes_ago(60 * 23 + 45))
        record(conn, "delta", "d1", minutes_ago(60 * 24 * 10))
    report = make_pass(empty_engine, NOW - timedelta(minutes=1), RETENTION)

    monitoring = read(empty_engine)

    alpha = {
        # Gaps of 60 and 360 s; those of the day have 60 and 120 s more.
        "hour": values(4, 210.0, 2),
        "day": values(8, 150.0, 2),
    }
    beta = {"hour": NO_ACTIVITY, "day": values(1, None, 1)}
    gamma = {"hour": NO_ACTIVITY, "day": NO_ACTIVITY}
    assert monitoring == MonitoringSnapshot(
        as_of=NOW,
        projects=(
            ProjectSnapshot(1, "alpha", alpha, agents(working=1, waiting=1)),
            ProjectSnapshot(2, "beta", beta, agents(idle=1)),
            ProjectSnapshot(3, "gamma", gamma, agents(idle=1)),
        ),
        last_pass_at=NOW - timedelta(minutes=1),
        last_pass_seconds=pytest.approx(report.seconds, abs=1),
        lag_seconds=0.0,
        imported=NO_IMPORT,
    )


def test_an_empty_database_has_vitals(empty_engine):
    assert read(empty_engine) == MonitoringSnapshot(NOW, (), None, None, None, NO_IMPORT)


def test_agents_are_told_of_before_the_first_pass(empty_engine, record):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(5), state="awaiting_input")

    quiet = {"hour": NO_ACTIVITY, "day": NO_ACTIVITY}
    alpha = ProjectSnapshot(1, "alpha", quiet, agents(waiting=1))
    assert read(empty_engine) == MonitoringSnapshot(NOW, (alpha,), None, None, None, NO_IMPORT)


@pytest.mark.parametrize(
    ("newest", "lag"),
    [
        ([10], 0.0),
        ([10, 2.5], 150.0),
        # A turn dated in the future has not happened.
        ([10, 2.5, -1], 150.0),
    ],
)
def test_the_lag_is_how_much_newer_the_newest_turn_is_than_the_last_pass(
    empty_engine, record, newest, lag
):
    make_pass(empty_engine, NOW - timedelta(minutes=5), RETENTION)
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(*newest))

    assert read(empty_engine).lag_seconds == lag


def test_the_lag_is_known_when_nobody_has_worked_for_days(empty_engine, record):
    make_pass(empty_engine, NOW - timedelta(days=9), RETENTION)
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [NOW - timedelta(days=8)])

    monitoring = read(empty_engine)

    assert (monitoring.projects, monitoring.lag_seconds) == ((), 86_400.0)


def test_what_was_imported_is_told_where_something_is(empty_engine):
    file = {
        "path": "/a.jsonl",
        "is_main": True,
        "size": 9,
        "modified_ns": 9,
        "read_bytes": 9,
        "read_digest": "",
        "lines": 12,
        "objects": 10,
        "waiting": True,
        "skipped": {"malformed JSON": 2},
        "sessions": {},
    }
    with empty_engine.begin() as conn:
        conn.execute(insert(TranscriptFile), [file, {**file, "path": "/b.jsonl"}])

    assert read(empty_engine).imported == {
        "files": 2,
        "files_main": 2,
        "lines": 24,
        "objects": 20,
        "waiting": 2,
        "skipped": {"malformed JSON": 4},
    }


def test_a_host_unlike_ourselves_is_read_in_utc_and_imports_nothing(host):
    now = datetime(2026, 10, 25, 12, 30, tzinfo=UTC)
    host.create_tables()
    host.fill()
    upgrade(host.engine, "activity")
    with host.engine.connect() as conn:
        source = find_source(conn)
    make_pass(host.engine, now - timedelta(minutes=25), RETENTION, source)

    monitoring = MetricReader(host.engine, source).monitoring(now, retention=RETENTION)

    # From the prompt at 00:10 to the reply at 00:13, then half an hour; and a silence later.
    alpha = values(6, 660.0, 2) | {
        "working_seconds": 180.0,
        "waiting_seconds": 1800.0,
        "stalled_seconds": 1800.0,
        "response_seconds": 180.0,
        "responses": 1,
        "peak_working_agents": 1,
        "peak_waiting_agents": 1,
    }
    assert monitoring.projects == (
        ProjectSnapshot(1, "alpha", {"hour": NO_ACTIVITY, "day": alpha}, agents(working=1)),
        ProjectSnapshot(
            2, "project 2", {"hour": NO_ACTIVITY, "day": values(1, None, 1)}, agents(stalled=1)
        ),
    )
    assert monitoring.imported is None
    # The turn of 12:10: later ones belong to no project.
    assert monitoring.lag_seconds == 300.0
