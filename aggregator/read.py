"""Reading metrics: the one query layer behind the page, the API and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import InterfaceError, OperationalError

from aggregator.models import ActivityState
from aggregator.overview import Overview, Version
from aggregator.periods import Kept, Period
from aggregator.queries import (
    agents_with_metrics,
    check_scope,
    newest_bucket,
    newest_turn,
    projects_with_metrics,
    read_agents,
    read_hours,
    read_projects,
)
from aggregator.scope import Scope
from aggregator.snapshot import read_overview, read_version
from aggregator.source import STANDALONE, Source
from aggregator.states import agent_states
from aggregator.totals import Totals, add_up
from aggregator.windows import Window, floor_hour

__all__ = ["DATABASE_AWAY", "Activity", "MetricReader", "Overview", "Totals"]

DATABASE_AWAY = (OperationalError, InterfaceError)
"""What any use of a database raises while it does not answer."""


@dataclass(frozen=True, slots=True)
class Activity:
    """All that one view of a scope and a window needs, from one snapshot.

    Attributes:
        scope: Whose metrics.
        window: Over which time.
        totals: The scope over the window.
        hours: (n, 4) ``bucket_start`` (UTC), ``turn_count`` (int64),
            ``avg_turn_time_seconds`` (float64, NaN without a gap), ``active_agents``
            (Int64, NA for an agent); only hours with turns, oldest first.
        projects: (n, 6) ``project_id``, ``name``, ``turn_count``,
            ``avg_turn_time_seconds``, ``active_agents``, ``active_hours`` of the
            scope's projects that were active, most turns first.
        agents: (n, 6) ``agent_id``, ``project_id``, ``name``, ``turn_count``,
            ``avg_turn_time_seconds``, ``active_hours`` of the scope's agents that
            were active, most turns first.
        states: All present agents, see :func:`aggregator.states.agent_states`.
        newest_bucket: Start of the scope's newest bucket at any time, or None.
        newest_turn_at: Instant of the scope's newest turn, kept longer than its
            metrics, or None; only looked up where the window is empty.
        last_pass_at: When the table was last brought up to date, or None.
    """

    scope: Scope
    window: Window
    totals: Totals
    hours: pd.DataFrame
    projects: pd.DataFrame
    agents: pd.DataFrame
    states: pd.DataFrame
    newest_bucket: datetime | None
    newest_turn_at: datetime | None
    last_pass_at: datetime | None


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

    def activity(self, scope: Scope, window: Window) -> Activity:
        """Read one view.

        Raises:
            UnknownScopeError: The project or agent does not exist.
        """
        with self.snapshot() as (conn, source):
            check_scope(conn, scope)
            hours = read_hours(conn, scope, window.since, window.until)
            agents = read_agents(conn, scope, window, source)
            return Activity(
                scope=scope,
                window=window,
                totals=add_up(hours, len(agents), window.elapsed_hours),
                hours=hours,
                projects=read_projects(conn, scope, window, agents),
                agents=agents,
                states=agent_states(conn, window.as_of, source),
                newest_bucket=newest_bucket(conn, scope),
                newest_turn_at=newest_turn(conn, scope, source) if hours.empty else None,
                last_pass_at=conn.scalar(select(ActivityState.last_pass_at)),
            )

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
        kept = Kept(floor_hour(now - retention), now.astimezone(UTC))
        with self.snapshot() as (conn, source):
            return read_overview(conn, scope, period, kept, source, everyone=everyone)

    def version(self, now: datetime) -> Version:
        """Read how fresh the metrics are: one row by its key, whatever else there is."""
        with self.snapshot() as (conn, _):
            return read_version(conn, now)

    def choices(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What can be chosen: projects and agents that have metrics at any time.

        Returns:
            (n, 2) ``project_id``, ``name`` by name; and (m, 3) ``agent_id``,
            ``project_id``, ``name`` by id, newest first.
        """
        with self.snapshot() as (conn, source):
            return projects_with_metrics(conn), agents_with_metrics(conn, source)
