"""Create engines for PostgreSQL databases."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from aggregator.errors import DatabaseUnreachableError, DriverMissingError, SettingError
from aggregator.forks import in_forked_children

DRIVERS = ("psycopg2", "psycopg")
"""Drivers that we can work with: psycopg2, and psycopg 3."""

OLDEST_POSTGRES = 15
"""First major version with ``UNIQUE NULLS NOT DISTINCT``, used by the key of the metrics."""


def parse_url(raw: str, name: str = "database-url") -> URL:
    """Parse a PostgreSQL URL and select its driver: one of :data:`DRIVERS`.

    A URL that names one of them keeps it. For any other, the first that is installed is
    used: what SQLAlchemy selects for a plain ``postgresql://`` depends on its version.
    Many hosting services hand out ``postgres://``, which is accepted too.

    Args:
        raw: The URL.
        name: Name of the setting, for the error.

    Raises:
        SettingError: The text is not a URL, or not one of a PostgreSQL database.
        DriverMissingError: None of the drivers is installed.
    """
    allowed = "postgresql://user:password@host:port/name"
    # The text may contain a password. Unless its place is certain, show nothing.
    try:
        url = make_url(raw)
    except (ArgumentError, ValueError):
        raise SettingError(name, "…", allowed) from None
    if "@" in (url.host or ""):
        raise SettingError(name, "…", f"{allowed}, an @ in the password written %40")
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingError(name, f"{url.drivername}://…", allowed)
    named = url.drivername.partition("+")[2]
    return url.set(drivername=f"postgresql+{named if named in DRIVERS else installed_driver()}")


def installed_driver() -> str:
    """Return the first of :data:`DRIVERS` that is installed.

    Raises:
        DriverMissingError: None is.
    """
    for driver in DRIVERS:
        if find_spec(driver) is not None:
            return driver
    raise DriverMissingError


def connect(raw_url: str | URL, *, purpose: str) -> Engine:
    """Create an engine with :func:`make_engine` and check that the database answers.

    Raises:
        SettingError: The URL is malformed.
        DatabaseUnreachableError: No PostgreSQL of a supported version answers there.
    """
    url = parse_url(raw_url) if isinstance(raw_url, str) else raw_url
    engine = make_engine(url, purpose=purpose)
    try:
        with engine.connect() as conn:
            version = int((conn.dialect.server_version_info or (0,))[0])
    except DBAPIError as failure:
        engine.dispose()
        raise DatabaseUnreachableError(display_url(url), server_message(failure)) from None
    if version < OLDEST_POSTGRES:
        engine.dispose()
        raise DatabaseUnreachableError(
            display_url(url), f"it is PostgreSQL {version}; {OLDEST_POSTGRES} or newer is needed"
        )
    return engine


def make_engine(url: URL, *, purpose: str) -> Engine:
    """Create an engine, which connects on first use.

    Sessions use UTC. The application name, ``headspace-activity <purpose> (pid)``, shows
    other programs who is connected. A forked child gets connections of its own.
    """
    engine = create_engine(
        url,
        pool_pre_ping=True,
        # Errors must not carry the values of a statement into a log.
        hide_parameters=True,
        # Statements with many rows are sent at once; psycopg 3 does so by itself.
        **({"executemany_mode": "values_plus_batch"} if url.drivername.endswith("2") else {}),
        connect_args={
            # Keep the user's own options, such as a search_path.
            "options": f"{url.query.get('options', '')} -c timezone=UTC".strip(),
            # In seconds; a network that swallows packets is noticed, too.
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        },
    )
    _set_application_name(engine, purpose)
    renew_in_forked_children(engine)
    return engine


def _set_application_name(engine: Engine, purpose: str) -> None:
    @event.listens_for(engine, "do_connect")
    def add_name(
        dialect: Any,  # noqa: ARG001 - the event's signature
        record: Any,  # noqa: ARG001
        arguments: Any,  # noqa: ARG001
        parameters: dict[str, Any],
    ) -> None:
        # Computed for each connection: this may be a forked child with another pid.
        parameters["application_name"] = f"headspace-activity {purpose} ({os.getpid()})"


def renew_in_forked_children(engine: Engine) -> None:
    """Give forked children connections of their own; the parent keeps its connections."""
    in_forked_children(engine, lambda inherited: inherited.dispose(close=False))


def display_url(url: URL) -> str:
    """Format a URL for people, without its password and parameters."""
    address = url.set(drivername="postgresql", query={})
    return address.render_as_string(hide_password=True)


def server_message(failure: DBAPIError) -> str:
    """Message of the database, without the statement that failed."""
    return " ".join(str(failure.orig).split())
