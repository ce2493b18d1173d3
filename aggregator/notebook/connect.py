"""Open a database for reading: the embedded one, the user's own, or a host's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from aggregator.database.engine import DRIVERS, connect, display_url, server_message
from aggregator.errors import DatabaseUnreachableError, NotMigratedError, ParameterError
from aggregator.query.reader import MetricReader
from aggregator.schema.host import find_source
from aggregator.schema.migrate import current_revision
from aggregator.settings import Settings
from aggregator.standalone.database import open_database

Database = Engine | URL | str | None
DEMO = "demo"
"""Name of the database with the demo data of ``serve --demo``."""


@contextmanager
def open_reader(database: Database) -> Iterator[MetricReader]:
    """Connect to a database for reading, and release it at the end.

    Args:
        database: An engine or a URL of PostgreSQL, possibly a host's; :data:`DEMO`;
            None for ``ACTIVITY_DATABASE_URL``, or else the embedded database, which is
            started if it is not running.

    Raises:
        ParameterError: ``database`` is none of these.
        SettingError: The text is not a URL of PostgreSQL.
        DatabaseUnreachableError: The database does not answer.
        EmbeddedPostgresError: The embedded database cannot be started.
        HostSchemaError: The tables that metrics are computed from are missing.
        NotMigratedError: The tables of metrics are missing.
    """
    settings = Settings.load()
    if database is None:
        database = settings.database_url
    if database is None or database == DEMO:
        with open_database(settings, purpose="notebook", demo=database == DEMO) as engine:
            yield MetricReader(engine)
    elif isinstance(database, Engine) and database.dialect.driver in DRIVERS:
        yield _reader(database)
    elif not isinstance(database, Engine | URL | str):
        raise ParameterError("database", database, 'an engine or a URL of PostgreSQL, or "demo"')
    else:
        # Rows are read with COPY, so an engine with a driver that has none is replaced.
        address = database.url if isinstance(database, Engine) else database
        engine = connect(_as_text(address), purpose="notebook")
        try:
            yield _reader(engine)
        finally:
            engine.dispose()


def _as_text(address: URL | str) -> str:
    return address if isinstance(address, str) else address.render_as_string(hide_password=False)


def _reader(engine: Engine) -> MetricReader:
    try:
        with engine.connect() as conn:
            source = find_source(conn)
            if current_revision(conn, "activity") is None:
                raise NotMigratedError(None)
    except (OperationalError, InterfaceError) as failure:
        raise DatabaseUnreachableError(
            display_url(engine.url), server_message(failure)
        ) from failure
    return MetricReader(engine, source)
