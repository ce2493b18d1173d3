"""Schedule the passes and other jobs of one process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

from sqlalchemy import Engine

from aggregator.database.engine import renew_in_forked_children
from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import last_pass_at
from aggregator.jobs.background import Job, Schedule
from aggregator.jobs.retry import NotYetError
from aggregator.jobs.soon import Soon
from aggregator.metrics.windows import floor_hour
from aggregator.passes.rebuild import rebuild, rebuild_due
from aggregator.passes.retention import prune
from aggregator.passes.run import PassReport, make_pass
from aggregator.passes.slots import slot_at
from aggregator.settings import Settings

REBUILD_EVERY_SECONDS = 86_400
"""Once a day."""


class ActivityAggregator:
    """Aggregate turns into hourly metrics, once or at regular intervals.

    Any number of processes may run one on the same database: together they make one
    pass per interval.

    Args:
        engine: The database with turns and metrics. A forked child gets connections of
            its own.
        settings: Only ``interval_seconds`` and ``retention_days`` are used.
        source: Columns of the turns and agents in this database.
        clock: Returns the present, with a time zone.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        source: Source = STANDALONE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        renew_in_forked_children(engine)
        self._engine = engine
        self._source = source
        self._interval = settings.interval_seconds
        self._retention = timedelta(days=settings.retention_days)
        self._clock = clock
        self._extra_jobs: list[Job] = []
        self._alongside: dict[str, Callable[[Event], None]] = {}
        self._schedule = Schedule()
        self._soon = Soon("pass", self._make_pass)

    def source(self) -> Source:
        """Return the columns of the turns and agents in this database."""
        return self._source

    def every(self, seconds: int, name: str, work: Callable[[], object]) -> None:
        """Add a job that runs at the start, before the first pass, and then every few seconds.

        A run that is due while the last one is still running is skipped; runs missed
        while the machine slept become one.
        """
        self._extra_jobs.append(Job(name, seconds, work))

    def alongside(self, name: str, work: Callable[[Event], None]) -> None:
        """Add work that runs as long as the jobs do, in a thread of its own.

        Its argument is set when it has to end.
        """
        self._alongside[name] = work

    def start(self) -> None:
        """Start the jobs of this process in background threads, unless they are running.

        First they run one after the other: the added jobs; the pass, unless another
        process has made the one of this interval; and a rebuild of all retained hours,
        which is repeated once a day. They stop with the process. After a fork, the child
        may start its own.
        """
        self._schedule.start(
            [
                *self._extra_jobs,
                Job("pass", self._interval, self._make_due_pass),
                Job("rebuild", REBUILD_EVERY_SECONDS, self._rebuild),
            ],
            self._alongside,
        )

    def stop(self) -> None:
        """Stop the jobs of this process, if there are any.

        Running jobs get a few seconds to finish. The aggregator may be started again.
        """
        self._schedule.stop()

    def changed(self) -> None:
        """Have a pass made soon, because turns have changed; returns at once.

        The pass is made in the background, and is one for all calls of a second.
        """
        self._soon.ask()

    def next_pass_at(self, now: datetime | None = None) -> datetime:
        """Return the instant at which the next pass is due."""
        return slot_at(now or self._clock(), self._interval).end

    def aggregate_once(self, now: datetime | None = None) -> PassReport | None:
        """Make one pass now; return None if another process is making one."""
        return make_pass(self._engine, now or self._clock(), self._retention, self.source())

    def prune(self, now: datetime | None = None) -> int:
        """Delete rows older than the retention; return how many were deleted."""
        return prune(self._engine, floor_hour((now or self._clock()) - self._retention))

    def _make_pass(self) -> None:
        if self.aggregate_once() is None:
            # What has changed may be too late for the pass that another process is making.
            raise NotYetError

    def _make_due_pass(self) -> None:
        """Make the pass of this slot, unless another process makes it."""
        now = self._clock()
        slot = slot_at(now, self._interval)
        report = make_pass(self._engine, now, self._retention, self.source(), unless_made_in=slot)
        if report is None:
            with self._engine.connect() as conn:
                made_by_another = slot.is_done(last_pass_at(conn))
            # That process may still be killed, or may hold the lock for another reason.
            if not made_by_another:
                raise NotYetError

    def _rebuild(self) -> None:
        """Recompute all retained hours, unless this was just done or another process does it."""
        now = self._clock()
        with self._engine.connect() as conn:
            is_due = rebuild_due(conn, now, every=timedelta(seconds=self._interval))
        if is_due:
            rebuild(self._engine, now, self._retention, self.source())
