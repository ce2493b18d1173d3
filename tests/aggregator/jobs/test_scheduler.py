from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError

import aggregator
from aggregator.database import locks
from aggregator.database.models import ActivityMetric
from aggregator.database.state import last_pass_at
from aggregator.jobs.retry import NotYetError
from aggregator.jobs.scheduler import ActivityAggregator
from aggregator.passes.run import make_pass
from aggregator.passes.slots import slot_at
from aggregator.settings import Settings

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
SETTINGS = replace(Settings.load(environ={}), interval_seconds=300)


@pytest.fixture
def history(empty_engine, record):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [NOW, NOW - timedelta(days=3)])
    return empty_engine


class Runs:
    """A job that reports each run, and never waits."""

    def __init__(self) -> None:
        self._happened: SimpleQueue[str] = SimpleQueue()

    def __call__(self) -> None:
        self._happened.put(threading.current_thread().name)

    def next(self) -> str:
        """The thread of the next run."""
        return self._happened.get(timeout=30)

    def count(self) -> int:
        """The number of runs that :meth:`next` has not returned yet."""
        return self._happened.qsize()


class StartsWith(str):
    """A text that equals every text that begins with it."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other.startswith(str(self))


@pytest.fixture
def jobs(history):
    jobs = ActivityAggregator(history, SETTINGS, clock=lambda: NOW)
    yield jobs
    jobs.stop()


def job_threads() -> list[str]:
    return sorted(one.name for one in threading.enumerate() if one.name.startswith("activity-"))


def messages(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_the_package_offers_the_aggregator_and_the_model():
    assert aggregator.ActivityAggregator is ActivityAggregator
    assert aggregator.ActivityMetric is ActivityMetric


def test_one_pass_and_pruning_can_be_asked_for(history):
    aggregator = ActivityAggregator(history, SETTINGS, clock=lambda: NOW)

    assert aggregator.aggregate_once().written.overall == 2
    assert aggregator.aggregate_once(now=NOW).written.overall == 0
    assert aggregator.prune() == 0
    assert aggregator.prune(now=NOW + timedelta(days=61)) == 3


def test_the_next_pass_is_due_at_a_multiple_of_the_interval(jobs):
    assert jobs.next_pass_at() == NOW + timedelta(minutes=5)
    assert jobs.next_pass_at(NOW - timedelta(seconds=1)) == NOW


def test_at_the_start_other_jobs_come_first_and_then_the_pass_that_is_due(history, jobs):
    found, passed = [], threading.Event()

    def look() -> None:
        with history.connect() as conn:
            found.append(conn.scalar(select(func.count(ActivityMetric.id))))
            if found[-1]:
                passed.set()

    jobs.every(1, "look", look)
    jobs.start()
    assert passed.wait(timeout=30)

    assert (found[0], found[-1]) == (0, 6)


def test_a_pass_of_the_same_slot_is_not_made_again(history):
    slot = slot_at(NOW + timedelta(minutes=1), 300)
    retention = timedelta(days=30)

    def make(at: datetime) -> bool:
        return make_pass(history, at, retention, unless_made_in=slot) is not None

    assert make(slot.start - timedelta(seconds=1))
    assert make(slot.start)
    assert not make(slot.start + timedelta(seconds=299))
    # One that was held up finds the pass of the next slot.
    make_pass(history, slot.end, retention)
    assert not make(slot.start + timedelta(seconds=299))
    # A clock that was ahead once must not stop the passes until it is right.
    make_pass(history, slot.end + timedelta(days=365), retention)
    assert make(slot.start)


def test_a_due_pass_waits_for_who_is_passing_and_leaves_when_that_was_it(history, jobs):
    with history.begin() as other:
        locks.lock(other, locks.PASS)
        # It may still be killed; then the pass of this slot is ours.
        with pytest.raises(NotYetError):
            jobs._make_due_pass()

    jobs._make_due_pass()
    with history.begin() as other:
        locks.lock(other, locks.PASS)
        jobs._make_due_pass()

    with history.connect() as conn:
        assert last_pass_at(conn) == NOW


def test_jobs_run_in_daemon_threads_that_say_what_they_do(jobs):
    runs = Runs()
    jobs.every(1, "look", runs)
    before = job_threads()

    jobs.start()
    assert [runs.next(), runs.next()] == ["activity-start", "activity-look"]
    threads = [one for one in threading.enumerate() if one.name.startswith("activity-")]
    jobs.stop()

    assert "activity-schedule" in [one.name for one in threads]
    assert all(one.daemon for one in threads)
    assert job_threads() == before


def test_starting_twice_is_starting_once_and_what_was_stopped_can_be_started_again(jobs):
    runs = Runs()
    jobs.every(86_400, "look", runs)

    jobs.stop()
    jobs.start()
    jobs.start()
    runs.next()
    jobs.stop()
    jobs.stop()
    assert runs.count() == 0

    jobs.start()
    assert runs.next() == "activity-start"


def test_a_job_is_not_begun_again_while_it_is_at_work(jobs, caplog):
    runs, others, go_on = Runs(), Runs(), threading.Event()

    def slow() -> None:
        runs()
        go_on.wait(30)

    jobs.every(1, "other", others)
    jobs.every(1, "slow", slow)
    jobs.start()
    for _ in range(3):
        others.next()
    begun = runs.count()
    go_on.set()

    assert begun == 1
    assert messages(caplog) == []


def test_a_database_that_is_away_costs_one_line_when_it_goes_and_one_when_it_is_back(
    jobs, engine, caplog
):
    away, tries = [True] * 4, Runs()

    def work() -> None:
        tries()
        if away:
            away.pop()
            with engine.connect() as conn:
                conn.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    jobs.every(86_400, "work", work)
    jobs.start()
    for _ in range(5):
        tries.next()
    jobs.stop()

    lines = messages(caplog)
    assert lines == [
        "work: server closed the connection unexpectedly; trying again until it works",
        StartsWith("work works again after "),
    ]


def test_a_connection_from_before_a_restart_costs_nothing(jobs, engine, caplog):
    stale, tries = [True], Runs()

    def work() -> None:
        tries()
        if stale:
            stale.pop()
            raise OperationalError("SELECT 1", {}, Exception("server closed the connection"))

    jobs.every(86_400, "work", work)
    jobs.start()
    tries.next()
    tries.next()
    jobs.stop()

    assert messages(caplog) == []


def test_a_defect_keeps_its_traceback_and_stops_neither_the_job_nor_others(jobs, caplog):
    runs, others = Runs(), Runs()

    def defect() -> None:
        runs()
        raise ZeroDivisionError

    jobs.every(1, "defect", defect)
    jobs.every(1, "other", others)
    jobs.start()
    assert others.next() == "activity-start"
    runs.next()
    assert runs.next() == "activity-defect"
    jobs.stop()

    failed = caplog.records[0]
    assert (failed.getMessage(), failed.exc_info[0]) == ("defect failed", ZeroDivisionError)


def test_a_job_that_never_ends_does_not_keep_the_process_from_ending():
    code = """
import threading
from aggregator.jobs import background as jobs
jobs.STOP_SECONDS = 0.1
begun = threading.Event()
schedule = jobs.Schedule()
schedule.start([jobs.Job("stuck", 1, lambda: (begun.set(), threading.Event().wait()))])
begun.wait()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_forked_child_has_no_jobs_until_it_starts_its_own():
    code = """
import os, threading
from queue import SimpleQueue
from aggregator.jobs.background import Job, Schedule

runs, schedule = SimpleQueue(), Schedule()
jobs = [Job("tell", 86_400, lambda: runs.put(os.getpid()))]
schedule.start(jobs)
assert runs.get(timeout=30) == os.getpid()
child = os.fork()
schedule.stop()
if not child:
    schedule.start(jobs)
    assert runs.get(timeout=30) == os.getpid()
else:
    assert os.waitpid(child, 0)[1] == 0
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
