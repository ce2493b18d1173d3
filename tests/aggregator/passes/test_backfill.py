from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, delete, func, select, text, update

from aggregator.database import locks
from aggregator.database.models import ActivityInterval, ActivityMetric, ActivityState, Turn
from aggregator.database.source import Source
from aggregator.errors import (
    BackfillRunningError,
    DaskMissingError,
    DaskUnreachableError,
    DatabaseUnreachableError,
    ParameterError,
    WorkerLostError,
)
from aggregator.passes import recompute, transactions
from aggregator.passes.backfill import backfill
from aggregator.passes.workers import Workers, dask_cluster, process_pool
from aggregator.passes.write.metrics import Written

SINCE = datetime(2026, 11, 20, tzinfo=UTC)
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
STRETCHES = 9
BATCHES = 1
ALL = Written(agents=135, projects=90, overall=45, intervals=3)

# Processes with connections that wait for the lock of a test.
WAITING = text(
    """
    SELECT CAST(substring(application_name FROM '[0-9]+') AS integer)
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
    ORDER BY 1
    """
)


@pytest.fixture
def history(empty_engine, record, monkeypatch):
    """Two days of three agents, in chunks of at most 40 turns."""
    monkeypatch.setattr(recompute, "TURNS_AT_ONCE", 40)
    with empty_engine.begin() as conn:
        for number, (project, agent) in enumerate([("alpha", "a1"), ("alpha", "a2"), ("b", "b1")]):
            every = timedelta(minutes=27, seconds=number, microseconds=number)
            record(conn, project, agent, [SINCE + n * every for n in range(100)])
    return empty_engine


def table(engine) -> list[tuple[object, ...]]:
    columns = ActivityMetric.__table__.c[
        "bucket_start",
        "agent_id",
        "project_id",
        "is_overall",
        "turn_count",
        "avg_turn_time_seconds",
        "active_agents",
    ]
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(select(*columns).order_by(*columns[:3]))]


@contextmanager
def stretches_held_off(engine) -> Iterator[None]:
    """Block the recomputing of stretches inside this context."""
    with engine.connect() as conn:
        locks.lock(conn, locks.RECOMPUTE)
        yield


def next_waiting(engine, but_not: set[int] = frozenset()) -> int:
    """Return the process id of a worker that waits to recompute a stretch."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with engine.connect() as conn:
            found = set(conn.scalars(WAITING)) - but_not
        if found:
            return min(found)
        time.sleep(0.01)
    raise TimeoutError


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """A pool for a backfill that runs beside the test."""
    with ThreadPoolExecutor(1) as thread:
        yield thread


def test_processes_give_what_one_gives_and_what_sql_gives(history, assert_table_equals_the_oracle):
    seen = []

    here = backfill(history, SINCE, UNTIL, progress=lambda *hours: seen.append(hours))
    table_here = table(history)
    with history.begin() as conn:
        conn.execute(delete(ActivityMetric))
        conn.execute(delete(ActivityInterval))
    there = backfill(history, SINCE, UNTIL, workers=process_pool(2))

    assert_table_equals_the_oracle(history, SINCE)
    assert table(history) == table_here
    assert here.written == there.written == ALL
    assert (here.since, here.until, here.hours) == (SINCE, UNTIL, 48)
    assert (seen[0], seen[-1], len(seen)) == ((0, 48), (48, 48), BATCHES + STRETCHES + 1)


def test_any_executor_will_do(history, assert_table_equals_the_oracle):
    threads = Workers(open=lambda: ThreadPoolExecutor(3))

    assert backfill(history, SINCE, UNTIL, workers=threads).written == ALL
    assert_table_equals_the_oracle(history, SINCE)


def test_what_is_wrong_or_has_vanished_is_put_right_inside_the_range_and_only_there(history):
    backfill(history, SINCE, UNTIL)
    before = table(history)
    noon = SINCE + timedelta(hours=12)
    with history.begin() as conn:
        conn.execute(update(ActivityMetric).values(turn_count=99))
        conn.execute(delete(Turn).where(Turn.timestamp < noon))

    # Widened to whole hours: from 10:00 to 13:00.
    report = backfill(
        history, SINCE + timedelta(hours=10.9), noon + timedelta(minutes=1), workers=None
    )

    hours = {SINCE + timedelta(hours=hour): hour for hour in range(48)}
    assert report.hours == 3
    assert table(history) == [
        row if hours[row[0]] == 12 else (*row[:4], 99, *row[5:])
        for row in before
        if hours[row[0]] not in (10, 11)
    ]


def test_a_worker_killed_in_the_middle_changes_nothing(
    history, thread, assert_table_equals_the_oracle
):
    with stretches_held_off(history):
        running = thread.submit(backfill, history, SINCE, UNTIL, workers=process_pool(2))
        os.kill(next_waiting(history), signal.SIGKILL)

    assert running.result(timeout=60).written == ALL
    assert_table_equals_the_oracle(history, SINCE)


def test_a_stretch_that_kills_its_worker_every_time_is_named(history, thread):
    since = SINCE + timedelta(hours=44)
    killed = set()
    with stretches_held_off(history):
        running = thread.submit(backfill, history, since, UNTIL, workers=process_pool(1))
        for _ in range(3):
            pid = next_waiting(history, but_not=killed)
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(WorkerLostError) as error:
            running.result(timeout=60)

    assert str(error.value) == (
        "a worker died 3 times while computing the intervals of 3 agents for the hours from "
        "2026-11-21T20:00Z to 2026-11-22T00:00Z; is there enough memory?"
    )


def test_a_second_backfill_is_refused_until_the_first_has_ended(history):
    with history.connect() as conn:
        locks.lock(conn, locks.BACKFILL)

        with pytest.raises(BackfillRunningError, match="another backfill of the database postg"):
            backfill(history, SINCE, UNTIL)

    assert backfill(history, SINCE, UNTIL).written == ALL


def test_the_table_is_known_to_have_changed_if_it_has(history):
    changed_at = select(ActivityState.changed_at)
    with history.connect() as conn:
        before = conn.scalar(select(func.now()))
    backfill(history, SINCE, UNTIL)
    with history.connect() as conn:
        changed = conn.scalar(changed_at)

    assert backfill(history, SINCE, UNTIL).written == Written()
    assert changed > before
    with history.connect() as conn:
        assert conn.scalar(changed_at) == changed


def test_a_pass_of_any_length_is_waited_for(history, thread, monkeypatch, caplog):
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT", "20ms")
    told = threading.Event()
    monkeypatch.setattr(caplog.handler, "emit", lambda _record: told.set())
    with stretches_held_off(history):
        running = thread.submit(backfill, history, SINCE, UNTIL)
        assert told.wait(timeout=60)

    assert running.result(timeout=60).written == ALL


def test_what_fails_in_a_worker_fails_as_it_does_here(history):
    # Only a new connection, such as that of a worker, goes astray.
    nowhere = history.url.set(database="nowhere")
    lost = create_engine(history.url)
    lost.url = nowhere

    with pytest.raises(DatabaseUnreachableError, match='database "nowhere" does not exist'):
        backfill(lost, SINCE, UNTIL, workers=process_pool(1))


def test_errors_keep_their_words_and_facts_between_processes():
    error = pickle.loads(pickle.dumps(ParameterError("since", "x", "an instant")))

    assert type(error) is ParameterError
    assert (str(error), error.name) == ("since: 'x' is not allowed; expected an instant", "since")


@pytest.fixture
def created_at(history):
    """A host's column, an hour later than ours, until the end of the test."""
    with history.begin() as conn:
        conn.execute(text("ALTER TABLE turns ADD created_at timestamptz"))
        conn.execute(text("UPDATE turns SET created_at = timestamp + interval '1 hour'"))
    yield "created_at"
    with history.begin() as conn:
        conn.execute(text("ALTER TABLE turns DROP created_at"))


def test_a_hosts_own_columns_reach_the_workers(history, created_at):
    host = Source(turn_at_column=created_at)

    backfill(history, SINCE, UNTIL, workers=process_pool(1), source=host)

    assert {row[0] for row in table(history)} == {
        SINCE + timedelta(hours=hour) for hour in range(1, 46)
    }


# ---- Dask -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    """One worker in a process of its own."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


def test_on_a_dask_cluster_too_and_a_killed_worker_changes_nothing(
    history, thread, cluster, assert_table_equals_the_oracle
):
    workers = dask_cluster(cluster.scheduler_address)
    with stretches_held_off(history):
        running = thread.submit(backfill, history, SINCE, UNTIL, workers=workers)
        os.kill(next_waiting(history), signal.SIGKILL)

    assert running.result(timeout=60).written == ALL
    assert_table_equals_the_oracle(history, SINCE)


def test_a_dask_scheduler_that_does_not_answer_is_named(history):
    with pytest.raises(DaskUnreachableError) as error:
        backfill(history, SINCE, UNTIL, workers=dask_cluster("tcp://127.0.0.1:1"))

    assert str(error.value) == "cannot use the Dask scheduler tcp://127.0.0.1:1: Connection refused"


def test_dask_is_asked_for_by_the_name_of_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed.scheduler", None)

    with pytest.raises(DaskMissingError, match="of the extra dask; run: "):
        dask_cluster("tcp://127.0.0.1:8786")
