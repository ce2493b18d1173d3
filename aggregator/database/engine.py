"""Engines: how this project reaches a PostgreSQL database."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError

from aggregator.errors import DatabaseUnreachableError, SettingError
from aggregator.forks import in_forked_children

OLDEST_POSTGRES = 15
"""First major version with ``UNIQUE NULLS NOT DISTINCT``, which one scope per bucket needs."""


def parse_url(raw: str, name: str = "database-url") -> URL:
    """Read a PostgreSQL URL and choose psycopg2 for it.

    SQLAlchemy 2.1 would take psycopg 3 for a plain ``postgresql://``; ``postgres://``
    is what many hosting services hand out.

    Args:
        raw: The URL.
        name: What the user calls it.

    Raises:
        SettingError: It is no URL, or one of another database.
    """
    allowed = "postgresql://user:password@host:port/name"
    # The text may hold a password: where it is unclear which part, none is shown.
    try:
        url = make_url(raw)
    except (ArgumentError, ValueError):
        raise SettingError(name, "…", allowed) from None
    if "@" in (url.host or ""):
        raise SettingError(name, "…", f"{allowed}, an @ in the password written %40")
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise SettingError(name, f"{url.drivername}://…", allowed)
    return url.set(drivername="postgresql+psycopg2")


def connect(raw_url: str | URL, *, purpose: str) -> Engine:
    """Make an engine as :func:`make_engine` does, and prove that it answers.

    Raises:
        SettingError: The URL is malformed.
        DatabaseUnreachableError: No PostgreSQL of a supported version answers there.
    """
    url = parse_url(raw_url) if isinstance(raw_url, str) else raw_url
    engine = make_engine(url, purpose=purpose)
    try:
        with engine.connect() as conn:
            version = conn.connection.dbapi_connection.server_version // 10_000  # type: ignore[union-attr]
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
    """Make an engine, which connects when it is first used.

    Sessions speak UTC. Other programs see who is connected: the application name
    is ``headspace-activity <purpose> (pid)``. A forked child gets connections of its own.
    """
    engine = create_engine(
        url,
        pool_pre_ping=True,
        executemany_mode="values_plus_batch",
        connect_args={
            # Options of the user's own, such as a search_path, are kept.
            "options": f"{url.query.get('options', '')} -c timezone=UTC".strip(),
            "connect_timeout": 10,
        },
    )
    _tell_who_connects(engine, purpose)
    renew_in_forked_children(engine)
    return engine


def _tell_who_connects(engine: Engine, purpose: str) -> None:
    @event.listens_for(engine, "do_connect")
    def name_process(
        dialect: Any,  # noqa: ARG001 - the event's signature
        record: Any,  # noqa: ARG001
        arguments: Any,  # noqa: ARG001
        parameters: dict[str, Any],
    ) -> None:
        # Now, not when the engine was made: this may be a forked child.
        parameters["application_name"] = f"headspace-activity {purpose} ({os.getpid()})"


def renew_in_forked_children(engine: Engine) -> None:
    """Let forked children open connections of their own; the parent keeps its own."""
    in_forked_children(engine, lambda inherited: inherited.dispose(close=False))


def display_url(url: URL) -> str:
    """An address without its password and parameters, for people."""
    address = url.set(drivername="postgresql", query={})
    return address.render_as_string(hide_password=True)


def server_message(failure: DBAPIError) -> str:
    """What the database said, without the statement it was about."""
    return " ".join(str(failure.orig).split())
