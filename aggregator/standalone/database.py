"""Open the database of a process without a host: the embedded one, or the user's own."""

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
    """Connect to the database, migrate its tables, and release it at the end.

    A forked child uses the database too and has to release it by itself: the embedded
    server runs until the last user has left.

    Args:
        settings: ``database_url``, or else ``home`` for the embedded PostgreSQL.
        purpose: Activity of this process shown to other programs, such as ``serve``.
        demo: Use a separate database for demo data, which only the embedded PostgreSQL
            offers.

    Raises:
        ConflictingParametersError: ``demo`` is combined with the user's own database.
        SettingError: The URL is not one of PostgreSQL.
        DatabaseUnreachableError: The user's database does not answer.
        DatabaseRefusedError: It answers, but fails later on.
        EmbeddedPostgresError: The embedded PostgreSQL cannot be started.
        ForeignTablesError: The database has tables of the same names from elsewhere.
    """
    if demo and settings.database_url:
        raise ConflictingParametersError("--demo", "--database-url or ACTIVITY_DATABASE_URL")
    with ExitStack() as stack:
        if settings.database_url:
            engine = connect(settings.database_url, purpose=purpose)
        else:
            server = stack.enter_context(EmbeddedPostgres(settings.home))
            database = DEMO_DATABASE if demo else DATABASE
            engine = connect(server.application_url(database), purpose=purpose)
            event.listen(engine, "do_connect", _RestartOnConnect(server).before_connecting)
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
    """Restart the embedded server before connecting, if it was killed.

    When memory runs out, the kernel likes to kill a database.
    """

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._lock = Lock()
        in_forked_children(self, _RestartOnConnect._renew_lock)

    def before_connecting(
        self,
        dialect: Any,  # noqa: ARG002 - the event's signature
        record: Any,  # noqa: ARG002
        arguments: Any,  # noqa: ARG002
        parameters: dict[str, Any],
    ) -> None:
        try:
            with self._lock:
                parameters["port"] = self._server.start()
        except EmbeddedPostgresError as failure:
            # Callers see this as a lost connection.
            raise psycopg2.OperationalError(str(failure)) from failure

    def _renew_lock(self) -> None:
        """Replace the lock in a forked child, where a thread that held it does not exist."""
        self._lock = Lock()


def _check_tables(engine: Engine) -> None:
    """Refuse a database that has a host's tables of the same names."""
    present = set(inspect(engine).get_table_names())
    if VERSION_TABLES["standalone"] not in present and present & STANDALONE_TABLES:
        raise ForeignTablesError(display_url(engine.url), sorted(present & STANDALONE_TABLES))
