"""The Flask extension: one call adds the page and the API to a server."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from sqlalchemy import Engine

from aggregator.read import MetricReader
from dashboard import api, page
from dashboard.context import Clock, PageContext


def utc_now() -> datetime:
    """The present."""
    return datetime.now(UTC)


class Activity:
    """The Activity page and the JSON API on a Flask server.

    Either ``Activity(app, engine=engine)``, or ``activity = Activity(engine=engine)``
    and later ``activity.init_app(app)``; in both cases before the server's first request.

    Args:
        app: The server, or None to call :meth:`init_app` later.
        engine: The database with turns and metrics.
        context: Facts for the words on the page.
        template: Jinja template around the page, see :func:`dashboard.page.mount`; None
            for a page with nothing else on it.
        clock: Gives the present, with a time zone.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        engine: Engine,
        context: PageContext,
        template: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._reader = MetricReader(engine)
        self._context = context
        self._template = template
        self._clock = clock
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add ``/activity`` and ``/api/metrics`` to a server."""
        app.extensions["activity"] = self
        app.register_blueprint(api.blueprint(self._reader, self._clock))
        page.mount(app, self._reader, self._context, now=self._clock, template=self._template)
