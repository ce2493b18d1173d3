"""The settings of a host in ``app.config``: names, meanings and allowed values.

An argument of :class:`dashboard.host.extension.Activity` overrides the key of its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aggregator.database.engine import parse_url
from aggregator.errors import SettingError
from aggregator.settings import OPTIONS, PREFIX, Option, Settings

SHARED = ("interval_seconds", "retention_days")
"""Settings of the aggregator that a host has as well."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """The settings of Activity on one server.

    Attributes:
        aggregator: The aggregator's own settings.
        database_url: PostgreSQL with the host's tables, or None.
        url_prefix: Path of the page.
        api_prefix: Path of the JSON API.
        template: Jinja template around the page, or None.
        jobs: Whether the process that serves also makes the passes.
        csrf_header: Header that carries the host's CSRF token, or None for the usual ones.
        csrf_meta: Name of the ``<meta>`` element that holds the token.
        turn_at_column: Column of ``turns`` with the instant, or None to look for it.
        agent_name_column: Column of ``agents`` with the name, or None to look for it.
    """

    aggregator: Settings
    database_url: str | None = None
    url_prefix: str = "/activity"
    api_prefix: str = "/api/metrics"
    template: str | None = None
    jobs: bool = True
    csrf_header: str | None = None
    csrf_meta: str = "csrf-token"
    turn_at_column: str | None = None
    agent_name_column: str | None = None

    @classmethod
    def load(
        cls, config: Mapping[str, Any], given: Mapping[str, Any] | None = None
    ) -> HostSettings:
        """Merge arguments over a server's configuration over the defaults.

        Args:
            config: ``app.config``; the keys are in capitals and begin with ``ACTIVITY_``.
            given: Arguments by name; None counts as not given.

        Raises:
            SettingError: A value is not allowed.
        """
        given = given or {}
        values: dict[str, Any] = {}
        for option in HOST_OPTIONS:
            name, raw = option.name, given.get(option.name)
            if raw is None:
                name, raw = option.variable, config.get(option.variable)
            if raw is None or raw == "":
                continue
            try:
                values[option.name] = option.parse(raw)
            except ValueError as allowed:
                raise SettingError(name, raw, str(allowed)) from None
        # Errors of Settings name the environment variables, which are the same keys.
        keys = [PREFIX + name.upper() for name in SHARED]
        shared = {key: str(config[key]) for key in keys if config.get(key) is not None}
        return cls(Settings.load(environ=shared), **values)


def _url(raw: Any) -> str:
    parse_url(raw, f"{PREFIX}DATABASE_URL")
    return str(raw)


def _matching(pattern: str, allowed: str) -> Callable[[Any], str]:
    def parse(raw: Any) -> str:
        if not isinstance(raw, str) or not re.fullmatch(pattern, raw):
            raise ValueError(allowed)
        return raw

    return parse


def _flag(raw: Any) -> bool:
    word = str(raw).lower()
    if word not in ("true", "1", "yes", "on", "false", "0", "no", "off"):
        raise ValueError("True or False")
    return word in ("true", "1", "yes", "on")


_path = _matching(r"(/[\w.~-]+)+", "a path such as /activity, without a slash at its end")
_text = _matching(r"[^\n]+", "a text")
_column = _matching(r"[^\n]+", "the name of a column")

HOST_OPTIONS: tuple[Option, ...] = (
    Option(
        "database_url",
        "URL",
        "PostgreSQL with the host's tables: postgresql://user:password@host/name.",
        "Flask-SQLAlchemy's engine, or else SQLALCHEMY_DATABASE_URI",
        _url,
    ),
    Option("url_prefix", "PATH", "Path of the page.", "/activity", _path),
    Option("api_prefix", "PATH", "Path of the JSON API.", "/api/metrics", _path),
    Option(
        "template",
        "NAME",
        "The host's Jinja template around the page.",
        "a plain page of its own",
        _text,
    ),
    Option(
        "jobs",
        "BOOL",
        "Make the passes in the process that serves, starting with its first request. "
        "False if the host runs `flask activity aggregate` itself. Never under TESTING.",
        "True",
        _flag,
    ),
    Option(
        "csrf_header",
        "NAME",
        "Header in which the host expects its CSRF token.",
        "Flask-WTF's if the host uses it, else X-CSRF-Token and X-CSRFToken",
        _matching(r"[A-Za-z0-9-]+", "the name of a header, such as X-CSRF-Token"),
    ),
    Option(
        "csrf_meta",
        "NAME",
        "Name of the <meta> element of the host's template that holds the token.",
        "csrf-token",
        _text,
    ),
    Option(
        "turn_at_column",
        "NAME",
        "Column of turns that holds the instant.",
        "timestamp, or else created_at",
        _column,
    ),
    Option(
        "agent_name_column",
        "NAME",
        "Column of agents that holds their names.",
        "name, or else a session id, shortened",
        _column,
    ),
)
"""Options of hosts only; two more come from :data:`aggregator.settings.OPTIONS`:
``ACTIVITY_INTERVAL_SECONDS`` and ``ACTIVITY_RETENTION_DAYS``."""

ALL_OPTIONS = (*HOST_OPTIONS, *(option for option in OPTIONS if option.name in SHARED))
"""Every setting of a host, for documentation."""
