"""The standalone Flask server, which mounts Activity as any other host does."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

from flask import Flask, abort, redirect, render_template, request, url_for
from sqlalchemy import Engine
from werkzeug.exceptions import NotFound
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wrappers import Response

from aggregator.jobs.live_import import LiveImport
from aggregator.jobs.scheduler import ActivityAggregator
from aggregator.settings import Settings
from aggregator.standalone.database import open_database
from aggregator.standalone.demo import continue_demo
from dashboard.context import PageContext
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


def answer_only_hosts(server: Flask, names: list[str]) -> None:
    """Refuse requests for other host names with 400.

    Otherwise another web site could point its own host name at this server and read along.
    """

    @server.before_request
    def check_host() -> None:
        # Flask's setting TRUSTED_HOSTS does the same, but only since 3.1.
        if not host_is_trusted(request.host, names):
            abort(400)


def create_app() -> Flask:
    """Build the application for a WSGI server: ``gunicorn "dashboard.server:create_app()"``.

    Settings come from the environment. The database runs as long as a process that has
    the application; import and passes begin with the first request, in each process that
    answers one. It does not matter whether the server forks before or after this call.
    """
    settings = Settings.load()
    stack = ExitStack()
    atexit.register(stack.close)
    engine = stack.enter_context(open_database(settings, purpose="serve"))
    app = build_server(engine, settings)
    start_with_first_request(app, build_jobs(engine, settings))
    return app
