"""Choose the database of a host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flask import Flask
from sqlalchemy import URL, Engine

from aggregator.database.engine import DRIVERS, make_engine, parse_url
from aggregator.errors import SettingError
from dashboard.errors import MountError


class HasEngine(Protocol):
    """Flask-SQLAlchemy's ``SQLAlchemy``, as far as we use it: in an application context."""

    @property
    def engine(self) -> Engine:
        """The engine of the current application."""


Given = Engine | str | URL | HasEngine | Callable[[], Engine]
ENGINE_KINDS = "an Engine, a URL, Flask-SQLAlchemy's db, or a function that returns an Engine"


def find_engine(app: Flask, given: Given | None, url: str | None) -> Callable[[], Engine]:
    """Choose a server's database; nothing connects yet.

    Args:
        app: The server.
        given: The ``engine`` argument of ``Activity``, or None. It takes precedence.
        url: ``ACTIVITY_DATABASE_URL``, if set. Otherwise Flask-SQLAlchemy's engine is
            used, or else ``SQLALCHEMY_DATABASE_URI``.

    Returns:
        A function that returns the engine. Call it when the engine is first needed, which
        is after a preloading server has forked.

    Raises:
        MountError: There is no database.
        SettingError: The value is not an engine or a URL, or not PostgreSQL.
    """
    candidates: dict[str, Any] = {
        "engine": given,
        "ACTIVITY_DATABASE_URL": url,
        "Flask-SQLAlchemy": app.extensions.get("sqlalchemy"),
        "SQLALCHEMY_DATABASE_URI": app.config.get("SQLALCHEMY_DATABASE_URI"),
    }
    name = next((name for name, value in candidates.items() if value is not None), None)
    if name is None:
        raise MountError(
            app.name,
            "it names no database; expected Activity(engine=…), ACTIVITY_DATABASE_URL, "
            "Flask-SQLAlchemy set up before, or SQLALCHEMY_DATABASE_URI",
        )
    chosen = candidates[name]
    if isinstance(chosen, str | URL):
        parsed = parse_url(_text(chosen), name)
        return lambda: make_engine(parsed, purpose="host")
    if isinstance(chosen, Engine):
        return _returning(_usable(chosen))
    if hasattr(type(chosen), "engine"):
        if "sqlalchemy" in app.extensions:
            return _returning(_usable(_in_context(app, chosen)))
        # Flask-SQLAlchemy may be set up later, after us.
        return lambda: _usable(_in_context(app, chosen))
    if callable(chosen):
        return lambda: _usable(chosen())
    raise SettingError(name, chosen, ENGINE_KINDS)


def _text(url: str | URL) -> str:
    return url if isinstance(url, str) else url.render_as_string(hide_password=False)


def _returning(engine: Engine) -> Callable[[], Engine]:
    return lambda: engine


def _in_context(app: Flask, database: HasEngine) -> Engine:
    try:
        with app.app_context():
            return database.engine
    except RuntimeError as failure:
        raise MountError(app.name, f"engine: {str(failure).splitlines()[0]}") from failure


def _usable(engine: Any) -> Engine:
    """Adapt the host's engine to our needs: a driver with COPY, and real transactions.

    Raises:
        SettingError: It is not an engine for PostgreSQL.
    """
    if not isinstance(engine, Engine):
        raise SettingError("engine", engine, ENGINE_KINDS)
    if engine.dialect.driver not in DRIVERS:
        # Metrics are written with COPY, for which other drivers have no interface.
        return make_engine(parse_url(_text(engine.url), "engine"), purpose="host")
    # The host's engine may autocommit; a pass is one transaction.
    return engine.execution_options(isolation_level="READ COMMITTED")
