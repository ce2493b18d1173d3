"""The standalone Flask server, which mounts Activity as any other host does."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

from flask import Flask, redirect, render_template, request, url_for
from sqlalchemy import Engine
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from aggregator.jobs.live_import import LiveImport
from aggregator.jobs.scheduler import ActivityAggregator
from aggregator.settings import Settings
from aggregator.standalone.database import open_database
from aggregator.standalone.demo import continue_demo
from dashboard.access.control import control_access
from dashboard.access.token import AccessToken, is_loopback
from dashboard.context import PageContext
from dashboard.heaps import limit_heaps
from dashboard.host.extension import Activity
from dashboard.host.first_request import start_with_first_request
from dashboard.page import mount


def build_server(engine: Engine, settings: Settings, *, demo: bool = False) -> Flask:
    """Build a Flask server with the page, the API, and ``/``, which redirects to the page."""
    app = Flask("dashboard")
    # The callers start their own jobs, which also import transcripts.
    app.config["ACTIVITY_JOBS"] = False
    app.config["ACTIVITY_RETENTION_DAYS"] = settings.retention_days
    context = PageContext(
        retention_days=settings.retention_days,
        looked_in=settings.transcripts,
        demo=demo,
        interval_seconds=settings.interval_seconds,
    )
    Activity(app, engine=engine, context=context, template=mount.STANDALONE_TEMPLATE)

    @app.get("/")
    def home() -> Response:
        return redirect(url_for("activity.activity_page"))

    @app.errorhandler(404)
    def nothing_here(_: NotFound) -> tuple[str, int]:
        return render_template("activity/not_found.html"), 404

    return app


def build_jobs(engine: Engine, settings: Settings, *, demo: bool = False) -> ActivityAggregator:
    """Build the background jobs of a standalone process, without starting them.

    The jobs are the passes, and the import of transcripts or the turns of a demo.
    """
    jobs = ActivityAggregator(engine, settings)
    if demo:
        jobs.every(settings.import_interval_seconds, "demo", demo_job(engine))
    else:
        live = LiveImport(engine, settings, jobs.aggregate_once)
        jobs.every(settings.import_interval_seconds, "import", live.poll)
        jobs.alongside("live-import", live.run)
    return jobs


def demo_job(engine: Engine) -> Callable[[], None]:
    """Return a job that makes up the activity since its last run."""

    def run() -> None:
        now = datetime.now(UTC)
        continue_demo(engine, now, now.astimezone().tzinfo or UTC)

    return run


def _comes_from_elsewhere() -> bool:
    """Return whether the current request may come from another machine.

    The application does not know the address that its WSGI server listens on, but servers
    say it with each request. One of a proxy on this machine comes from this machine.
    """
    environ = request.environ
    return not (
        is_loopback(environ.get("SERVER_NAME", "")) and is_loopback(environ.get("REMOTE_ADDR", ""))
    )


def create_app() -> Flask:
    """Build the application for a WSGI server: ``gunicorn "dashboard.server:create_app()"``.

    Settings come from the environment. Requests from other machines need the access token,
    unless ``ACTIVITY_INSECURE`` is ``yes``. The database runs as long as a process that has
    the application; import and passes begin with the first request, in each process that
    answers one. It does not matter whether the server forks before or after this call.
    """
    limit_heaps()
    settings = Settings.load()
    stack = ExitStack()
    atexit.register(stack.close)
    engine = stack.enter_context(open_database(settings, purpose="serve"))
    app = build_server(engine, settings)
    token = None if settings.insecure else AccessToken.load(settings.home)
    control_access(app, token, settings.allowed_hosts, needs_token=_comes_from_elsewhere)
    start_with_first_request(app, build_jobs(engine, settings))
    return app
