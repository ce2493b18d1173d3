"""The Flask extension: one call adds the page, the API, the job and the commands to a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from flask import Flask

from dashboard import api
from dashboard.context import Clock, PageContext
from dashboard.errors import MountError
from dashboard.host.commands import commands
from dashboard.host.database import HostDatabase
from dashboard.host.engine import Given, find_engine
from dashboard.host.first_request import start_with_first_request
from dashboard.host.guards import Decorator, guarded
from dashboard.host.mounted import MountedActivity
from dashboard.host.settings import HostSettings
from dashboard.page import mount
from dashboard.page.csrf import Csrf


def utc_now() -> datetime:
    """Return the current time, in UTC."""
    return datetime.now(UTC)


class Activity:
    """The Activity page, the JSON API, the background job and ``flask activity``.

    Call ``Activity(app)``, or ``activity = Activity()`` and later
    ``activity.init_app(app)`` for any number of servers, always before a server's first
    request. ``app.extensions["activity"]`` is then the server's
    :class:`dashboard.host.mounted.MountedActivity`.

    Arguments that are None come from ``app.config``, see :mod:`dashboard.host.settings`.

    Args:
        app: The server, or None to call :meth:`init_app` later.
        engine: The host's database: an engine, a URL, Flask-SQLAlchemy's ``db``, or a
            function that returns an engine. None: ``ACTIVITY_DATABASE_URL``, or else
            Flask-SQLAlchemy's engine, or else ``SQLALCHEMY_DATABASE_URI``.
        template: Jinja template around the page, see :func:`dashboard.page.mount.mount`; None
            for a page with nothing else on it.
        url_prefix: Path of the page.
        api_prefix: Path of the API.
        decorators: Wrapped around every view of Activity, such as ``[login_required]``. A
            host that checks in ``before_request`` needs none.
        csrf: The header that the host checks, and a function that makes a token for the
            current request. None for Flask-WTF, for a host whose template holds the token
            in a ``<meta>`` element, and for a host without CSRF protection.
        context: Facts for the texts on the page.
        clock: Returns the current time, with a time zone.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        engine: Given | None = None,
        template: str | None = None,
        url_prefix: str | None = None,
        api_prefix: str | None = None,
        decorators: Sequence[Decorator] = (),
        csrf: tuple[str, Callable[[], str]] | None = None,
        context: PageContext | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._given = {"template": template, "url_prefix": url_prefix, "api_prefix": api_prefix}
        self._decorators = decorators
        self._csrf = csrf
        self._context = context
        self._clock = clock
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add everything to a server.

        Raises:
            MountError: The server has Activity already, has already answered a request,
                uses one of our paths or blueprint names or ``host_matching``, or no database
                is known.
            SettingError: A key of ``app.config`` or an argument has a value that is not
                allowed.
        """
        settings = HostSettings.load(app.config, self._given)
        _check_server(app, settings)
        database = HostDatabase(
            find_engine(app, self._engine, settings.database_url),
            turn_at=settings.turn_at_column,
            agent_name=settings.agent_name_column,
        )
        activity = MountedActivity(database, settings.aggregator, self._clock)
        with guarded(app, self._decorators):
            self._mount(app, settings, activity)
        app.cli.add_command(commands)
        if settings.jobs:
            start_with_first_request(app, activity)
        app.extensions["activity"] = activity

    def _mount(self, app: Flask, settings: HostSettings, activity: MountedActivity) -> None:
        header, make_token = self._csrf or (settings.csrf_header, None)
        context = self._context or PageContext(
            retention_days=settings.aggregator.retention_days,
            interval_seconds=settings.aggregator.interval_seconds,
        )
        retention = timedelta(days=context.retention_days)
        app.register_blueprint(
            api.blueprint(activity.reader, self._clock, retention, settings.api_prefix)
        )
        mount.mount(
            app,
            activity.reader,
            context,
            now=self._clock,
            url_prefix=settings.url_prefix,
            template=settings.template,
            csrf=Csrf(header, settings.csrf_meta, make_token),
        )


def _check_server(app: Flask, settings: HostSettings) -> None:
    """Refuse a server on which Activity would be incomplete or hidden."""
    if "activity" in app.extensions:
        raise MountError(app.name, "it already has Activity; add it only once")
    # Flask has no public name for this, and would fail halfway.
    if app._got_first_request:
        raise MountError(app.name, "it has already answered a request; add Activity earlier")
    if app.url_map.host_matching:
        # Rules would each need a host, and Dash's have none.
        reason = "it has host_matching; mount Activity on a server of its own beside it"
        raise MountError(app.name, reason)
    for name in ("activity", "activity_api"):
        if name in app.blueprints:
            raise MountError(app.name, f"it has a blueprint {name!r}, and Activity needs this name")
    places = {
        settings.url_prefix: "another url_prefix",
        f"{settings.api_prefix}/overall": "another api_prefix",
    }
    for rule in app.url_map.iter_rules():
        place = rule.rule.rstrip("/")
        if place in places:
            reason = f"{place} belongs to its endpoint {rule.endpoint!r}; choose {places[place]}"
            raise MountError(app.name, reason)
