from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from aggregator.database.models import Watch
from aggregator.query.reader import MetricReader
from aggregator.query.status import read_status
from aggregator.schema.host import find_source
from aggregator.schema.migrate import upgrade

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def ago(minutes):
    return NOW - timedelta(minutes=minutes)


def test_those_who_wait_come_first_the_longest_wait_first(empty_engine, record):
    with empty_engine.begin() as conn:
        for name, minutes, state in (
            ("w1", 3, "processing"),
            ("a1", 5, "awaiting_input"),
            ("a2", 45, "awaiting_input"),
            ("i1", 70, "complete"),
            ("a3", 20, "awaiting_input"),
            ("w2", 9, "processing"),
        ):
            record(conn, "alpha", name, [ago(minutes)], state=state)

    found = MetricReader(empty_engine).now(NOW)

    assert found[["name", "state", "is_long"]].values.tolist() == [
        ["a2", "waiting", True],
        ["a3", "waiting", False],
        ["a1", "waiting", False],
        ["w2", "working", False],
        ["w1", "working", False],
        ["i1", "idle", False],
    ]


def test_a_host_has_names_and_nothing_to_resume(host):
    host.create_tables(agents__name="text")
    host.fill()
    host.run("UPDATE agents SET name = 'navigator' WHERE id = 1")
    upgrade(host.engine, "activity")
    with host.engine.connect() as conn:
        source = find_source(conn)

    found = MetricReader(host.engine, source).now(datetime(2026, 10, 25, 12, 30, tzinfo=UTC))

    told = found[["name", "session_id", "cwd"]].values.tolist()
    assert ["navigator", "", ""] in told
    assert MetricReader(host.engine, source).version(NOW).sessions_at is None


def test_of_machines_that_import_at_once_the_slower_way_is_told_and_status_lists_all(empty_engine):
    told = [("a", "events", "", 1), ("b", "polling", "nfs", 1), ("c", "polling", "gone", 6)]
    with empty_engine.begin() as conn:
        for machine, mode, reason, minutes in told:
            row = {"machine": machine, "folders": "/t", "mode": mode, "reason": reason}
            conn.execute(insert(Watch).values(key=machine, seen_at=ago(minutes), **row))
        listed = read_status(conn, NOW)["live"]

    version = MetricReader(empty_engine).version(NOW)

    assert (version.live, version.live_reason) == ("polling", "nfs")
    assert listed == {"a: /t": "events", "b: /t": "polling, because nfs"}
