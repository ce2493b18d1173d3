"""Read metrics: the only query layer behind the page, the API and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, Engine

from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import Version, last_retention_days
from aggregator.database.time_limits import DATABASE_AWAY, LimitedConnections
from aggregator.metrics.periods import Period
from aggregator.metrics.scope import Scope, ScopeKind
from aggregator.metrics.spans import Span
from aggregator.metrics.totals import Totals
from aggregator.metrics.windows import retained_hours
from aggregator.query.agents.names import (
    agents_with_metrics,
    all_agents,
    all_projects,
    projects_with_metrics,
)
from aggregator.query.agents.now import in_order, read_full_version
from aggregator.query.agents.origins import resolved
from aggregator.query.agents.shared_states import SharedStates
from aggregator.query.breakdown import (
    Breakdown,
    Member,
    ScopeActivity,
    ScopeIntervals,
    read_activity,
    read_breakdown,
    read_scope_intervals,
    read_series,
)
from aggregator.query.hours import check_scope, oldest_bucket
from aggregator.query.intervals import read_timeline
from aggregator.query.monitoring import MonitoringSnapshot, read_monitoring
from aggregator.query.overview import Overview, Zoom
from aggregator.query.read_overview import read_overview
from aggregator.query.turn_log import read_log

__all__ = [
    "DATABASE_AWAY",
    "Breakdown",
    "Member",
    "MetricReader",
    "Overview",
    "ScopeActivity",
    "ScopeIntervals",
    "Totals",
    "Zoom",
]


class MetricReader:
    """Reads metrics from one database.

    Args:
        engine: The database.
        source: Columns of the turns and agents in this database.
        connections: Limits the time of each answer; None for a program that may wait.
    """

    def __init__(
        self,
        engine: Engine,
        source: Source = STANDALONE,
        connections: LimitedConnections | None = None,
    ) -> None:
        self._source = source
        self._engine = engine
        self._connections = connections
        self._states = SharedStates()

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Connection, Source]]:
        """Yield a connection that sees one state of the database, and its source.

        Every answer is read within one snapshot. A host's reader overrides this to check
        first that there is something to read.
        """
        limited = self._connections
        with limited.connection(self._engine) if limited else self._engine.connect() as conn:
            # Every answer comes from one snapshot, so its parts are consistent even while a
            # pass is writing.
            snapshot = conn.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            if limited:
                limited.limit_statements(snapshot)
            yield snapshot, self._source

    def activity(self, scope: Scope, span: Span) -> ScopeActivity:
        """Read the activity of one scope.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        with self.snapshot() as (conn, source):
            return read_activity(conn, scope, span, source)

    def breakdown(self, span: Span) -> Breakdown:
        """Read the activity of all agents, by project and by agent."""
        with self.snapshot() as (conn, source):
            return read_breakdown(conn, span, source)

    def series(self, of: ScopeKind, scope: Scope, span: Span) -> pd.DataFrame:
        """Read many series, see :func:`aggregator.query.breakdown.read_series`.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        with self.snapshot() as (conn, source):
            check_scope(conn, scope)
            return read_series(conn, of, resolved(conn, scope, source), span, source)

    def turns(self, scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
        """Read single turns, see :func:`aggregator.query.turn_log.read_log`.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        with self.snapshot() as (conn, source):
            check_scope(conn, scope)
            return read_log(conn, resolved(conn, scope, source), since, until, source)

    def intervals(self, scope: Scope, span: Span) -> ScopeIntervals:
        """Read what the agents of a scope did in a span.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        with self.snapshot() as (conn, _):
            return read_scope_intervals(conn, scope, span)

    def timeline(self, scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
        """Read intervals, see :func:`aggregator.query.intervals.read_timeline`.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        with self.snapshot() as (conn, source):
            check_scope(conn, scope)
            return read_timeline(conn, resolved(conn, scope, source), since, until)

    def everyone(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Read all projects and agents, even without metrics, in the form of :meth:`choices`."""
        with self.snapshot() as (conn, source):
            return all_projects(conn), all_agents(conn, source)

    def oldest_bucket(self) -> datetime | None:
        """Read the start of the oldest stored bucket, or None."""
        with self.snapshot() as (conn, _):
            return oldest_bucket(conn)

    def retention(self) -> timedelta | None:
        """Read the retention of the last pass, or None before the first pass."""
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
        zoom: Zoom | None = None,
    ) -> Overview:
        """Read the data of the page.

        Args:
            scope: The scope.
            period: The period.
            now: The present.
            retention: Age up to which metrics are retained.
            everyone: Whether to include agents without turns in the period.
            zoom: Requests steps, see :func:`aggregator.query.read_overview.read_overview`.

        Raises:
            UnknownScopeError: A project or an agent of the scope does not exist.
        """
        retained = retained_hours(now, retention)
        with self.snapshot() as (conn, source):
            present = self._states.read(conn, now, source)
            return read_overview(
                conn, scope, period, retained, present, source=source, everyone=everyone, zoom=zoom
            )

    def version(self, now: datetime) -> Version:
        """Read the version of what is shown, which is always fast: few rows by their keys."""
        with self.snapshot() as (conn, _):
            return read_full_version(conn, now)

    def now(self, now: datetime) -> pd.DataFrame:
        """Read the states of all present agents, see :func:`aggregator.query.agents.now.in_order`.

        What has been read of a version is not read again, here and in what follows.
        """
        with self.snapshot() as (conn, source):
            return in_order(self._states.read(conn, now, source).states, now)

    def monitoring(self, now: datetime, *, retention: timedelta) -> MonitoringSnapshot:
        """Read the numbers for monitoring systems, for all projects at one instant."""
        with self.snapshot() as (conn, source):
            present = self._states.read(conn, now, source)
            return read_monitoring(conn, retained_hours(now, retention), present.states, source)

    def choices(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Read the projects and agents to choose from: those with metrics at any time.

        Returns:
            (n, 2) frame of ``project_id`` and ``name``, by name; and (m, 3) frame of
            ``agent_id``, ``project_id`` and ``name``, newest first.
        """
        with self.snapshot() as (conn, source):
            return projects_with_metrics(conn), agents_with_metrics(conn, source)
