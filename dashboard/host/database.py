"""A host's database: its tables, and whether it is ready for Activity."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Connection, Engine

from aggregator.database.source import Source
from aggregator.database.time_limits import LimitedConnections
from aggregator.errors import NotMigratedError
from aggregator.query.agents.shared_states import SharedStates
from aggregator.query.reader import MetricReader
from aggregator.schema.host import find_source
from aggregator.schema.migrate import check_rights, current_revision, newest_revision, upgrade


class HostDatabase:
    """The database of one server, first inspected when it is needed.

    Not earlier, because a host's own migrations start with the same server, before there
    is any table, and because connections do not survive a fork.

    Args:
        find: Returns the engine.
        turn_at: Column of ``turns`` with the instant, or None to look for it.
        agent_name: Column of ``agents`` with the name, or None to look for it.
    """

    def __init__(
        self,
        find: Callable[[], Engine],
        *,
        turn_at: str | None = None,
        agent_name: str | None = None,
    ) -> None:
        self._find = find
        self._turn_at = turn_at
        self._agent_name = agent_name
        self._source: Source | None = None

    @cached_property
    def engine(self) -> Engine:
        """The engine."""
        return self._find()

    def source(self, connections: LimitedConnections | None = None) -> Source:
        """Return the tables and columns that hold turns, once everything is ready.

        Args:
            connections: Limits the time that looking takes, for a request.

        Raises:
            HostSchemaError: The host's tables lack something.
            NotMigratedError: Our tables are missing or out of date.
            RightsMissingError: The role may not read our tables.
        """
        if self._source is None:
            connect = connections.connection if connections else Engine.connect
            with connect(self.engine) as conn:
                source = self._find_source(conn)
                check_rights(conn)
                current = current_revision(conn, "activity")
            # A newer version belongs to newer workers, which take over one by one.
            if current is None or current < newest_revision("activity"):
                raise NotMigratedError(current)
            self._source = source
        return self._source

    def migrate(self) -> str:
        """Upgrade our tables to the newest version; return its name.

        Raises:
            HostSchemaError: The host's tables, which ours refer to, lack something.
        """
        with self.engine.connect() as conn:
            self._find_source(conn)
        upgrade(self.engine, "activity")
        return newest_revision("activity")

    def _find_source(self, conn: Connection) -> Source:
        return find_source(conn, turn_at=self._turn_at, agent_name=self._agent_name)


class HostReader(MetricReader):
    """A reader of a host's metrics for requests, which says what the database lacks.

    Any method may raise HostSchemaError, NotMigratedError or RightsMissingError.
    """

    def __init__(self, database: HostDatabase) -> None:
        # Its engine and source are found with the first snapshot.
        self._states = SharedStates()
        self._database = database
        self._limited = LimitedConnections()

    @contextmanager
    def snapshot(self) -> Iterator[tuple[Connection, Source]]:
        """See :meth:`aggregator.query.reader.MetricReader.snapshot`."""
        with self._reader.snapshot() as found:
            yield found

    @cached_property
    def _reader(self) -> MetricReader:
        source = self._database.source(self._limited)
        return MetricReader(self._database.engine, source, self._limited)
