"""A database for a process without a host: the embedded one, or the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Any

import psycopg2
from sqlalchemy import Engine, event, inspect
from sqlalchemy.exc import DBAPIError

from aggregator.database.engine import connect, display_url, server_message
from aggregator.database.models import STANDALONE_TABLES
from aggregator.errors import (
    ConflictingParametersError,
    DatabaseRefusedError,
    EmbeddedPostgresError,
    ForeignTablesError,
)
from aggregator.forks import in_forked_children
from aggregator.schema import capture
from aggregator.schema.migrate import VERSION_TABLES, upgrade
from aggregator.settings import Settings
from aggregator.standalone.embedded import EmbeddedPostgres

DATABASE = "activity"
DEMO_DATABASE = "activity_demo"


@contextmanager
def open_database(settings: Settings, *, purpose: str, demo: bool = False) -> Iterator[Engine]:
    """Reach the database, bring its tables up to date, and let go of it at the end.

    A forked child has it too, and has to let go of it on its own: the embedded server
    stays until the last one has.

    Args:
        settings: ``database_url``, or else ``home`` for the embedded PostgreSQL.
        purpose: What other programs see this process is doing, such as ``serve``.
        demo: Use a database of its own for made-up activity, which only the
            embedded PostgreSQL offers.

    Raises:
        ConflictingParametersError: ``demo`` with a database of the user's.
        SettingError: The URL is not one of PostgreSQL.
        DatabaseUnreachableError: The user's database does not answer.
        DatabaseRefusedError: It answers, and fails at something later on.
        EmbeddedPostgresError: The embedded one cannot be started.
        ForeignTablesError: The database has tables of these names from elsewhere.
    """
    if demo and settings.database_url:
        raise ConflictingParametersError("--demo", "--database-url or ACTIVITY_DATABASE_URL")
    with ExitStack() as stack:
        if settings.database_url:
            engine = connect(settings.database_url, purpose=purpose)
        else:
            server = stack.enter_context(EmbeddedPostgres(settings.home))
            database = DEMO_DATABASE if demo else DATABASE
            engine = connect(server.url(database), purpose=purpose)
            event.listen(
                engine, "do_connect", _RestartOnConnect(server, database).before_connecting
            )
        stack.callback(engine.dispose)
        try:
            _check_tables(engine)
            upgrade(engine, "standalone")
            upgrade(engine, "activity")
            with engine.begin() as conn:
                capture.install(conn)
            yield engine
        except DBAPIError as failure:
            raise DatabaseRefusedError(
                display_url(engine.url), server_message(failure)
            ) from failure


class _RestartOnConnect:
    """Starts the server again when a connection is wanted and somebody has killed it.

    Out of memory, the kernel likes to choose a database.
    """

    def __init__(self, server: EmbeddedPostgres, database: str) -> None:
        self._server = server
        self._database = database
        self._one_at_a_time = Lock()
        in_forked_children(self, _RestartOnConnect._forget_holder)

    def before_connecting(
        self,
        dialect: Any,  # noqa: ARG002 - the event's signature
        record: Any,  # noqa: ARG002
        arguments: Any,  # noqa: ARG002
        parameters: dict[str, Any],
    ) -> None:
        try:
            with self._one_at_a_time:
                parameters["port"] = self._server.url(self._database).port
        except EmbeddedPostgresError as failure:
            # To whoever wanted the connection, this is a database that is away.
            raise psycopg2.OperationalError(str(failure)) from failure

    def _forget_holder(self) -> None:
        """A thread that held the lock is not there in a forked child."""
        self._one_at_a_time = Lock()


def _check_tables(engine: Engine) -> None:
    """Refuse to mix our tables with a host's of the same names."""
    present = set(inspect(engine).get_table_names())
    if VERSION_TABLES["standalone"] not in present and present & STANDALONE_TABLES:
        raise ForeignTablesError(display_url(engine.url), sorted(present & STANDALONE_TABLES))
