"""Run background jobs of one process, each once per slot, in daemon threads."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.job import Job as ScheduledJob
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from aggregator.forks import in_forked_children
from aggregator.jobs.retry import run_with_retries
from aggregator.passes.slots import slot_at

STOP_SECONDS = 2.0
"""Seconds that stopping waits for running jobs."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work to do once per slot of ``seconds``; ``name`` is for people."""

    name: str
    seconds: int
    work: Callable[[], object]


class Schedule:
    """The background jobs of this process, between :meth:`start` and :meth:`stop`.

    A forked child has none until it starts its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None
        in_forked_children(self, Schedule._forget)

    def start(
        self,
        jobs: Sequence[Job],
        alongside: Mapping[str, Callable[[threading.Event], None]] | None = None,
    ) -> None:
        """Run these jobs once, one after the other, and then each in every slot.

        What runs alongside, by its name, runs all the time until its argument is set. Does
        nothing if already started. The schedule stops with the process.
        """
        with self._lock:
            if self._running is None:
                self._running = _Running(jobs, alongside or {})
                atexit.register(self.stop)

    def stop(self) -> None:
        """Stop the jobs that this process has started, if there are any.

        Running jobs get ``STOP_SECONDS`` to finish. After that they are left running
        and end with the process: the database then rolls back.
        """
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            atexit.unregister(self.stop)
            running.stop()

    def _forget(self) -> None:
        """Start afresh in a forked child.

        The threads stayed in the parent, and one of them may have held the lock.
        """
        self._lock = threading.Lock()
        self._running = None


class _Running:
    """A schedule that has been started."""

    def __init__(
        self, jobs: Sequence[Job], alongside: Mapping[str, Callable[[threading.Event], None]]
    ) -> None:
        self._stopping = threading.Event()
        self._threads = _Threads()
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": self._threads})
        runners = [_Runner(job, self._stopping) for job in jobs]
        for runner in runners:
            # A run that is due while the last one is still running returns at once, see _Runner.
            self._scheduler.add_job(
                runner,
                _SlotStarts(runner.job.seconds),
                name=runner.job.name,
                max_instances=9,
                misfire_grace_time=None,
            )
        self._threads.run("start", lambda: _run_sequentially(runners))
        for name, work in alongside.items():
            self._threads.run(name, partial(work, self._stopping))
        self._scheduler.start()
        self._scheduler._thread.name = "activity-schedule"

    def stop(self) -> None:
        self._stopping.set()
        self._scheduler.shutdown(wait=False)
        self._threads.join(STOP_SECONDS)


@dataclass(slots=True)
class _Runner:
    """Runs a job with retries, but never twice at the same time."""

    job: Job
    stopping: threading.Event
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> None:
        if self.stopping.is_set() or not self.lock.acquire(blocking=False):
            return
        try:
            run_with_retries(self.job.name, self.job.work, self.stopping)
        finally:
            self.lock.release()


def _run_sequentially(runners: Sequence[_Runner]) -> None:
    for run in runners:
        run()


class _SlotStarts(BaseTrigger):  # type: ignore[misc]
    """Trigger at the start of each slot; missed slots are not made up for."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return slot_at(max(previous_fire_time or now, now), self._seconds).end


class _Threads(BaseExecutor):  # type: ignore[misc]
    """Executor that runs each job in a new daemon thread.

    The threads of a pool would keep the process from ending while they work or wait
    for the database.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started: list[threading.Thread] = []

    def _do_submit_job(self, job: ScheduledJob, run_times: list[datetime]) -> None:
        def run() -> None:
            events = run_job(job, job._jobstore_alias, run_times, self._logger.name)
            self._run_job_success(job.id, events)

        self.run(job.name, run)

    def run(self, name: str, work: Callable[[], object]) -> None:
        """Do some work in a new thread."""
        thread = threading.Thread(target=work, name=f"activity-{name}", daemon=True)
        self._started = [other for other in self._started if other.is_alive()] + [thread]
        thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the running jobs, but no longer than some seconds."""
        deadline = time.monotonic() + seconds
        for thread in self._started:
            thread.join(max(0.0, deadline - time.monotonic()))
