"""When: the background jobs of a process."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from aggregator.errors import ActivityError
from aggregator.passes import PassReport, make_pass, prune
from aggregator.read import DATABASE_AWAY
from aggregator.settings import Settings
from aggregator.source import STANDALONE, Source
from aggregator.windows import floor_hour

log = logging.getLogger(__name__)


class ActivityAggregator:
    """Turns into hourly metrics, once or every few minutes.

    Args:
        engine: The database with turns and metrics.
        settings: ``interval_seconds`` and ``retention_days`` are used.
        source: Where the database keeps its turns.
        clock: Gives the present, with a time zone.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        *,
        source: Source = STANDALONE,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._source = source
        self._interval = settings.interval_seconds
        self._retention = timedelta(days=settings.retention_days)
        self._clock = clock
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self.every(self._interval, "aggregate", self.aggregate_once)

    def every(self, seconds: int, name: str, job: Callable[[], object]) -> None:
        """Add a job to the schedule, first due one interval after :meth:`start`.

        A run that is due while the last one still works is left out; runs missed
        while the machine slept become one.
        """
        self._scheduler.add_job(
            _surviving(name, job),
            "interval",
            seconds=seconds,
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def start(self) -> None:
        """Start the schedule in a background thread; without effect when running."""
        if not self._scheduler.running:
            self._scheduler.start()

    def stop(self) -> None:
        """Stop the schedule, after the job that is running; without effect when stopped."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def aggregate_once(self, now: datetime | None = None) -> PassReport | None:
        """Make one pass now; None when another process is making one."""
        return make_pass(self._engine, now or self._clock(), self._retention, self._source)

    def prune(self, now: datetime | None = None) -> int:
        """Delete rows older than the retention; return how many went."""
        return prune(self._engine, floor_hour((now or self._clock()) - self._retention))


def _surviving(name: str, job: Callable[[], object]) -> Callable[[], None]:
    """Wrap a job so that a database that is away costs one line, not a traceback.

    Any other error is a defect: APScheduler logs its traceback. Either way the next
    run comes.
    """

    def run() -> None:
        try:
            job()
        except (ActivityError, *DATABASE_AWAY) as failure:
            log.warning("%s: %s; trying again at the next run", name, str(failure).split("\n")[0])

    return run
