"""Activity on one server: its database, its settings and its background job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Engine

from aggregator.database.source import Source
from aggregator.jobs.scheduler import ActivityAggregator
from aggregator.passes.backfill import BackfillReport, backfill
from aggregator.passes.run import PassReport
from aggregator.passes.workers import Workers
from aggregator.query.status import read_status
from aggregator.schema.capture import install, is_installed, remove
from aggregator.settings import Settings
from dashboard.context import Clock
from dashboard.host.database import HostDatabase, HostReader


class MountedActivity:
    """The object behind ``app.extensions["activity"]``.

    Attributes:
        database: The host's database.
        settings: Only ``interval_seconds`` and ``retention_days`` are used.
        reader: Reads the metrics.
    """

    def __init__(self, database: HostDatabase, settings: Settings, clock: Clock) -> None:
        self.database = database
        self.settings = settings
        self.reader = HostReader(database)
        self._clock = clock
        self._jobs: ActivityAggregator | None = None
        self._passes: ActivityAggregator | None = None
        self._starting = Lock()

    @property
    def engine(self) -> Engine:
        """The engine of the host's database."""
        return self.database.engine

    def now(self) -> datetime:
        """Return the current time by the server's clock."""
        return self._clock()

    def start(self) -> None:
        """Start making passes in a background thread, unless this process already does.

        The server calls this itself with its first request, unless ``ACTIVITY_JOBS`` is
        False. A call before the server forks has no effect on its workers.
        """
        with self._starting:
            if self._jobs is None:
                self._jobs = self._aggregator()
            self._jobs.start()

    def stop(self) -> None:
        """Stop the background thread, after the running pass if there is one."""
        with self._starting:
            if self._jobs is not None:
                self._jobs.stop()
                self._jobs = None

    def aggregate_once(self, now: datetime | None = None) -> PassReport | None:
        """Make one pass now; return None if another process is making one.

        Raises:
            HostSchemaError: The host's tables lack something.
            NotMigratedError: Our tables are missing or out of date.
        """
        return self._aggregator().aggregate_once(now)

    def changed(self) -> None:
        """Show at once what has changed in the host's tables: have a pass made soon.

        Call it after a commit that wrote turns or states of tasks. It returns at once; the
        pass is made in the background, and is one for all calls of a second.
        """
        with self._starting:
            if self._passes is None:
                self._passes = self._aggregator()
        self._passes.changed()

    def prune(self, now: datetime | None = None) -> int:
        """Delete rows older than the retention; return their number.

        Raises:
            HostSchemaError: The host's tables lack something.
            NotMigratedError: Our tables are missing or out of date.
        """
        self.database.source()
        return self._aggregator().prune(now)

    def backfill(
        self,
        since: datetime,
        until: datetime,
        *,
        workers: Workers | None = None,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> BackfillReport:
        """Recompute a range of hours, see :func:`aggregator.passes.backfill.backfill`.

        Raises:
            HostSchemaError: The host's tables lack something.
            NotMigratedError: Our tables are missing or out of date.
        """
        source = self.database.source()
        return backfill(
            self.engine, since, until, source=source, workers=workers, progress=progress
        )

    def capture(self, *, on: bool) -> None:
        """Turn change capture on or off: triggers on the host's tables. The default is off.

        See :mod:`aggregator.schema.capture`.

        Raises:
            HostSchemaError: The host's tables lack something.
            NotMigratedError: Our tables are missing or out of date.
            TablesBusyError: Other connections keep the tables locked.
        """
        source = self.database.source()
        with self.engine.begin() as conn:
            if on:
                install(conn, source)
            else:
                remove(conn, source)

    def captures(self) -> bool:
        """Return whether triggers record the changes of the host's tables.

        Raises:
            HostSchemaError: The host's tables lack something.
            NotMigratedError: Our tables are missing or out of date.
        """
        source = self.database.source()
        with self.engine.connect() as conn:
            return is_installed(conn, source)

    def status(self) -> dict[str, Any]:
        """Return facts about the database, see :func:`aggregator.query.status.read_status`.

        Raises:
            HostSchemaError: The host's tables lack something.
            NotMigratedError: Our tables are missing or out of date.
        """
        source = self.database.source()
        with self.engine.connect() as conn:
            return read_status(conn, self._clock(), source)

    def _aggregator(self) -> ActivityAggregator:
        return HostAggregator(self.database, self.settings, self._clock)


class HostAggregator(ActivityAggregator):
    """An aggregator that checks the host's tables before each pass until they are ready.

    So a server may start before its migrations; until then each pass logs one line.
    """

    def __init__(self, database: HostDatabase, settings: Settings, clock: Clock) -> None:
        super().__init__(database.engine, settings, clock=clock)
        self._database = database

    def source(self) -> Source:
        """Return the tables and columns that hold turns, once everything is ready.

        Raises:
            HostSchemaError: The host's tables lack something.
            NotMigratedError: Our tables are missing or out of date.
        """
        return self._database.source()
