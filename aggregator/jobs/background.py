"""Background jobs of one process: what is done once per slot, in which thread."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.job import Job as ScheduledJob
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from aggregator.forks import in_forked_children
from aggregator.jobs.retry import until_it_works
from aggregator.passes.slots import slot_at

STOP_SECONDS = 5.0
"""How long stopping waits for jobs that are at work."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work for each slot of some seconds; ``name`` is for people."""

    name: str
    seconds: int
    work: Callable[[], object]


class Schedule:
    """Jobs of this process between :meth:`start` and :meth:`stop`.

    A forked child has none until it starts its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None
        in_forked_children(self, Schedule._forget)

    def start(self, jobs: Sequence[Job]) -> None:
        """Do these jobs once, one after the other, and then each in every slot.

        Without effect when running. It stops with the process.
        """
        with self._lock:
            if self._running is None:
                self._running = _Running(jobs)
                atexit.register(self.stop)

    def stop(self) -> None:
        """Stop; without effect when stopped, or started by the process this one was forked from.

        Jobs at work get ``STOP_SECONDS`` to finish. After that they go on by
        themselves, and with the process they end: the database rolls back.
        """
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            atexit.unregister(self.stop)
            running.stop()

    def _forget(self) -> None:
        """The threads stayed in the parent, one of them perhaps with the lock."""
        self._lock = threading.Lock()
        self._running = None


class _Running:
    """One start of a schedule."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._stopping = threading.Event()
        self._threads = _Threads()
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": self._threads})
        works = [_Work(job, self._stopping) for job in jobs]
        for work in works:
            # A run that is due while the last one is at work leaves at once, see _Work.
            self._scheduler.add_job(
                work,
                _SlotStarts(work.job.seconds),
                name=work.job.name,
                max_instances=9,
                misfire_grace_time=None,
            )
        self._threads.run("start", lambda: _one_after_the_other(works))
        self._scheduler.start()
        self._scheduler._thread.name = "activity-schedule"

    def stop(self) -> None:
        self._stopping.set()
        self._scheduler.shutdown(wait=False)
        self._threads.join(STOP_SECONDS)


@dataclass(slots=True)
class _Work:
    """A job that is not begun again while it is at work, at the start or in a long slot."""

    job: Job
    stopping: threading.Event
    alone: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> None:
        if self.stopping.is_set() or not self.alone.acquire(blocking=False):
            return
        try:
            until_it_works(self.job.name, self.job.work, self.stopping)
        finally:
            self.alone.release()


def _one_after_the_other(works: Sequence[_Work]) -> None:
    for work in works:
        work()


class _SlotStarts(BaseTrigger):  # type: ignore[misc]
    """Due at the start of each slot; slots that have passed are not made up for."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        return slot_at(max(previous_fire_time or now, now), self._seconds).end


class _Threads(BaseExecutor):  # type: ignore[misc]
    """A thread for each run of a job.

    They are daemons: threads of a pool would keep the process from ending for as long
    as they work or wait for the database.
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
        """Do some work in a thread."""
        thread = threading.Thread(target=work, name=f"activity-{name}", daemon=True)
        self._started = [one for one in self._started if one.is_alive()] + [thread]
        thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the jobs at work, but no longer than some seconds."""
        deadline = time.monotonic() + seconds
        for thread in self._started:
            thread.join(max(0.0, deadline - time.monotonic()))
