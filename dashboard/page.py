"""Mounting the page on a Flask server.

The page is Dash's index inside a Jinja template: ours with a header of its own, or a
host's base template, whose header, login and navigation then surround it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dash import Dash
from flask import Blueprint, Flask, abort, render_template, request
from markupsafe import Markup

from aggregator.read import MetricReader
from aggregator.shipped import shipped_folder
from dashboard import callbacks
from dashboard.context import Clock, PageContext
from dashboard.layout import build_layout

NO_SCRIPT = Markup("<noscript>This page needs JavaScript.</noscript>")
STANDALONE = "activity/standalone.html"
PLAIN = "activity/plain.html"


def mount(
    server: Flask,
    reader: MetricReader,
    context: PageContext,
    *,
    now: Clock,
    url_prefix: str = "/activity",
    template: str | None = None,
) -> Dash:
    """Add the page to a server, before its first request.

    Args:
        server: Gets a blueprint ``activity`` with the endpoint ``activity.activity_page``.
        reader: Where the metrics come from.
        context: Facts for the words on the page.
        now: The clock.
        url_prefix: Where the page is, without a slash at the end.
        template: The Jinja template around the page, or None for one with nothing
            else in it. It gets ``activity.head`` for its ``<head>`` and
            ``activity.body`` for where the page is to be; ``activity.title``,
            ``activity.metas`` and ``activity.favicon`` are there for a template that
            has none of its own.
    """
    app = _Page(
        __name__,
        template or PLAIN,
        # Mounted by init_app below, after the blueprint, whose rules then come first.
        server=False,
        url_base_pathname=f"{url_prefix}/",
        assets_folder=str(shipped_folder("dashboard", "assets")),
        title="Activity",
        update_title="",
        add_log_handler=False,
    )
    app.layout = build_layout(context)
    callbacks.register(app, reader, context, now)
    server.register_blueprint(_blueprint(app, url_prefix))
    app.init_app(server)
    return app


def _blueprint(app: Dash, url_prefix: str) -> Blueprint:
    blueprint = Blueprint("activity", __name__, url_prefix=url_prefix, template_folder="templates")

    @blueprint.get("")
    @blueprint.get("/")
    def activity_page() -> Any:
        return app.index()

    @blueprint.get("/<path:unknown>")
    def nothing_here(unknown: str) -> Any:
        # Dash would answer any path with the page and 200.
        abort(404, f"There is no page {unknown}.")

    return blueprint


class _Page(Dash):
    """Dash with its index rendered by Jinja."""

    def __init__(self, name: str, template: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._template = template

    # Dash calls it with keywords only.
    def interpolate_index(self, **parts: str) -> str:  # type: ignore[override]
        """Put the parts of Dash's index into the template."""
        # Dash has escaped its own parts; none of them holds anything a visitor sent.
        safe = {name: Markup(self._below_script_root(part)) for name, part in parts.items()}  # noqa: S704
        activity = {
            "title": parts["title"],
            "metas": safe["metas"],
            "favicon": safe["favicon"],
            "head": safe["css"],
            "body": Markup("\n").join(
                [
                    NO_SCRIPT,
                    *(safe[name] for name in ("app_entry", "config", "scripts", "renderer")),
                ]
            ),
        }
        return render_template(self._template, activity=activity)

    def _below_script_root(self, part: str) -> str:
        """Move Dash's addresses below where a proxy or a dispatcher has mounted the server.

        Dash knows its prefix when it is made; the root is known by request only.
        """
        prefix, root = self.config.requests_pathname_prefix, quote(request.script_root)
        for slash in ("/", r"\u002f"):  # In attributes, and in Dash's JSON.
            spelled = prefix.replace("/", slash)
            part = part.replace(f'"{spelled}', f'"{root}{spelled}')
        return part
