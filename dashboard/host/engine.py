"""Which database a host means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from flask import Flask
from sqlalchemy import URL, Engine

from aggregator.database.engine import make_engine, parse_url
from aggregator.errors import SettingError
from dashboard.errors import MountError


class HasEngine(Protocol):
    """What Flask-SQLAlchemy's ``SQLAlchemy`` is to us; inside an application context only."""

    @property
    def engine(self) -> Engine:
        """The engine of the present application."""


Given = Engine | str | URL | HasEngine | Callable[[], Engine]
ENGINE_KINDS = "an Engine, a URL, Flask-SQLAlchemy's db, or a function that returns an Engine"


def find_engine(app: Flask, given: Given | None, url: str | None) -> Callable[[], Engine]:
    """Choose a server's database; nothing connects yet.

    Args:
        app: The server.
        given: What it was told, if anything; then ``url`` does not matter.
        url: ``ACTIVITY_DATABASE_URL``, if set; else Flask-SQLAlchemy's engine is taken,
            else ``SQLALCHEMY_DATABASE_URI``.

    Returns:
        A function that gives the engine. To be called when it is needed first, which is
        after a preloading server has forked.

    Raises:
        MountError: There is none.
        SettingError: It cannot be one, or is not PostgreSQL.
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
            "there is no database; expected Activity(engine=…), ACTIVITY_DATABASE_URL, "
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
        # It may still be set up, after us.
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
    """The host's engine as we need it: psycopg2, and transactions.

    Raises:
        SettingError: It is no engine of PostgreSQL.
    """
    if not isinstance(engine, Engine):
        raise SettingError("engine", engine, ENGINE_KINDS)
    if engine.dialect.driver != "psycopg2":
        # Metrics are written with COPY, which is psycopg2's own.
        return make_engine(parse_url(_text(engine.url), "engine"), purpose="host")
    # A host may commit by itself; a pass is one transaction.
    return engine.execution_options(isolation_level="READ COMMITTED")
