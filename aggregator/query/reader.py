"""Reading metrics: the one query layer behind the page, the API and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import Version, last_retention_days, read_version
from aggregator.metrics.periods import Period
from aggregator.metrics.scope import Scope, ScopeKind
from aggregator.metrics.spans import Span
from aggregator.metrics.totals import Totals
from aggregator.metrics.windows import retained_hours
from aggregator.query.breakdown import (
    Breakdown,
    Member,
    ScopeActivity,
    read_activity,
    read_breakdown,
    read_series,
)
from aggregator.query.hours import check_scope, oldest_bucket
from aggregator.query.monitoring import MonitoringSnapshot, read_monitoring
from aggregator.query.names import (
    agents_with_metrics,
    all_agents,
    all_projects,
    projects_with_metrics,
)
from aggregator.query.overview import Overview
from aggregator.query.read_overview import read_overview
from aggregator.query.turn_log import read_log

__all__ = [
    "DATABASE_AWAY",
    "Breakdown",
    "Member",
    "MetricReader",
    "Overview",
    "ScopeActivity",
    "Totals",
]

DATABASE_AWAY = (OperationalError, InterfaceError)
"""What any use of a database raises while it does not answer."""


class MetricReader:
    """Answers questions about metrics from one database.

    Args:
        engine: The database.
        source: Where it keeps what metrics are made from.
    """

    def __init__(self, engine: Engine, source: Source = STANDALONE) -> None:
        self._source = source
        # Every answer is one snapshot, so that its parts agree with each other
        # even while a pass is writing.
        self._engine = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Connection, Source]]:
        """A connection that sees one state of the database, and where that keeps what.

        Every answer is read in one. A host's reader makes sure here that there is
        something to read.
        """
        with self._engine.connect() as conn:
            yield conn, self._source

    def activity(self, scope: Scope, span: Span) -> ScopeActivity:
        """Read what one scope did.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        with self.snapshot() as (conn, _):
            return read_activity(conn, scope, span)

    def breakdown(self, span: Span) -> Breakdown:
        """Read what everybody did, by project and by agent."""
        with self.snapshot() as (conn, source):
            return read_breakdown(conn, span, source)

    def series(self, of: ScopeKind, scope: Scope, span: Span) -> pd.DataFrame:
        """Read many series, see :func:`aggregator.query.breakdown.read_series`.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        with self.snapshot() as (conn, source):
            check_scope(conn, scope)
            return read_series(conn, of, scope, span, source)

    def turns(self, scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
        """Read turns themselves, see :func:`aggregator.query.turn_log.read_log`.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        with self.snapshot() as (conn, source):
            check_scope(conn, scope)
            return read_log(conn, scope, since, until, source)

    def everyone(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """All projects and agents, also those without metrics, like :meth:`choices`."""
        with self.snapshot() as (conn, source):
            return all_projects(conn), all_agents(conn, source)

    def oldest_bucket(self) -> datetime | None:
        """Start of the oldest bucket that is stored, or None."""
        with self.snapshot() as (conn, _):
            return oldest_bucket(conn)

    def retention(self) -> timedelta | None:
        """For how long the last pass kept metrics, or None before the first."""
        with self.snapshot() as (conn, _):
            days = last_retention_days(conn)
        return None if days is None else timedelta(days=days)

    def overview(
        self,
        scope: Scope,
        period: Period,
        now: datetime,
        *,
        retention: timedelta,
        everyone: bool = False,
    ) -> Overview:
        """Read what the page shows.

        Args:
            scope: Whose metrics.
            period: Over which days.
            now: The present.
            retention: How long metrics are kept.
            everyone: Whether to list agents, too, that did nothing in the period.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        retained = retained_hours(now, retention)
        with self.snapshot() as (conn, source):
            return read_overview(conn, scope, period, retained, source, everyone=everyone)

    def version(self, now: datetime) -> Version:
        """Read how fresh the metrics are: one row by its key, whatever else there is."""
        with self.snapshot() as (conn, _):
            return read_version(conn, now)

    def monitoring(self, now: datetime, *, retention: timedelta) -> MonitoringSnapshot:
        """Read what monitoring systems ask for, for every project at one moment."""
        with self.snapshot() as (conn, source):
            return read_monitoring(conn, retained_hours(now, retention), source)

    def choices(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What can be chosen: projects and agents that have metrics at any time.

        Returns:
            (n, 2) ``project_id``, ``name`` by name; and (m, 3) ``agent_id``,
            ``project_id``, ``name`` by id, newest first.
        """
        with self.snapshot() as (conn, source):
            return projects_with_metrics(conn), agents_with_metrics(conn, source)
