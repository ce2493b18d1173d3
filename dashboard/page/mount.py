"""Mount the page on a Flask server.

The page is Dash's index inside a Jinja template: our own with a header, or a host's base
template, whose header, login and navigation then surround it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dash import Dash
from dash.backends._flask import FlaskDashServer
from dash.exceptions import DependencyException, InvalidResourceError
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    make_response,
    render_template,
    request,
)
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape

from aggregator.query.reader import MetricReader
from aggregator.shipped import shipped_folder
from dashboard.compression import compressed
from dashboard.context import Clock, PageContext
from dashboard.export.routes import add_export_rules
from dashboard.page import callbacks
from dashboard.page.bundles.assets import SCRIPT_BUNDLE, STYLE_BUNDLE
from dashboard.page.bundles.dash import DashScripts, dash_scripts
from dashboard.page.bundles.icon import add_icon_rule, icon_tag
from dashboard.page.bundles.static_files import add_file_rules, dash_tag, script_tag, style_tag
from dashboard.page.callback_requests import checked
from dashboard.page.csrf import Csrf
from dashboard.page.dash_isolation import isolated_from_other_dash_apps
from dashboard.page.first_answer import layout_maker
from dashboard.page.freshness import add_version_rule
from dashboard.page.now import NowStrips, add_now_rule
from dashboard.page.shared_contents import SharedContents
from dashboard.pictures.renderer import Renderer, shared

NO_SCRIPT = Markup("<noscript>This page needs JavaScript.</noscript>")
STANDALONE_TEMPLATE = "activity/standalone.html"
PLAIN_TEMPLATE = "activity/plain.html"
PLOTLY = "plotly-activity.min.js"
PLOTLY_LOADING = ' id="activity-plotly" async fetchpriority="high"'
"""Beside Dash's scripts and not before them; ``assets/deferred-charts.js`` waits for it."""
START = '<activity-start id="_dash-renderer" hidden></activity-start>'
"""The element that starts Dash: ``assets/start.js`` defines it."""
ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def mount(
    server: Flask,
    reader: MetricReader,
    context: PageContext,
    *,
    now: Clock,
    url_prefix: str = "/activity",
    template: str | None = None,
    csrf: Csrf | None = None,
    renderer: Renderer = shared,
) -> Dash:
    """Add the page to a server, before its first request.

    Nothing of the page is inline: a ``Content-Security-Policy`` of ``default-src 'self'``
    is enough, and where it asks for a nonce, the page's scripts and style sheets carry
    the ``csp_nonce()`` of Jinja's globals, which Flask-Talisman provides.

    Args:
        server: Gets a blueprint ``activity`` with the endpoint ``activity.activity_page``,
            which is also ``request.endpoint`` while the template is rendered.
        reader: Reads the metrics.
        context: Facts for the texts on the page.
        now: The clock.
        url_prefix: Path of the page, without a slash at the end.
        template: The Jinja template around the page, or None for one with nothing else in
            it. It gets ``activity.head`` for its ``<head>`` and ``activity.body`` for the
            place of the page; ``activity.title``, ``activity.metas`` and
            ``activity.favicon`` are for a template that has none of its own.
        csrf: The CSRF tokens of the page's requests.
        renderer: Draws charts as pictures.
    """
    with isolated_from_other_dash_apps():
        app = _Page(
            __name__,
            template or PLAIN_TEMPLATE,
            csrf or Csrf(),
            backend=_Backend,
            # Mounted by init_app below, after the blueprint, whose rules then come first.
            server=False,
            assets_folder=str(shipped_folder("dashboard", "assets")),
            assets_external_path="",
            # Dash would load all of them in the order of their names; see bundles/assets.py.
            include_assets_files=False,
            title="Activity",
            update_title="",
            add_log_handler=False,
        )
        contents = SharedContents(callbacks.maker(reader, context), reader, now)
        app.layout = layout_maker(reader, contents, context, now)
        callbacks.register(app, reader, now, contents)
        blueprint = _blueprint(app, url_prefix)
        strips = NowStrips(reader, context, contents.are_being_made)
        add_version_rule(blueprint, reader, context, now, strips.digest)
        add_now_rule(blueprint, reader, strips, now)
        add_export_rules(blueprint, reader, context, now, renderer)
        server.register_blueprint(blueprint)
        # Here and not above, where Dash would mix in prefixes from the environment.
        app.init_app(
            server,
            url_base_pathname=f"{url_prefix}/",
            routes_pathname_prefix=f"{url_prefix}/",
            requests_pathname_prefix=f"{url_prefix}/",
        )
        # Dash would do this with the first request, and a second one that comes meanwhile
        # would see it half done.
        app._setup_server()  # type: ignore[no-untyped-call]
    return app


def _blueprint(app: _Page, url_prefix: str) -> Blueprint:
    blueprint = Blueprint(
        "activity", "dashboard", url_prefix=url_prefix, template_folder="templates"
    )

    @blueprint.get("")
    @blueprint.get("/")
    def activity_page() -> Response:
        response = make_response(app.index())  # type: ignore[no-untyped-call]
        # It may contain a token, and is fetched again for a new one.
        response.cache_control.no_store = True
        return response

    add_file_rules(blueprint, app, app.dash_bundle)
    add_icon_rule(blueprint)
    blueprint.after_request(compressed)

    @blueprint.route("/<path:_>", methods=ALL_METHODS)
    def nothing_here(_: str) -> Any:
        abort(404)

    return blueprint


class _Backend(FlaskDashServer):
    """Dash's adapter to Flask, without error handlers for the whole server."""

    def register_error_handlers(self) -> None:
        """Add none, so that the host's stay in place; see :func:`_renamed`."""


def _renamed(view: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a view of Dash under a name of our own.

    A host that exempts Dash's callbacks from its CSRF protection by the name
    ``dash.dash.dispatch`` means its own Dash, whose page sends no token.
    """

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        try:
            return compressed(make_response(view(*args, **kwargs)))
        except (DependencyException, InvalidResourceError):
            # No such script. Dash's own handlers are gone, so the host answers 404.
            abort(404)

    answer.__module__ = __name__
    return answer


class _Page(Dash):
    """Dash with its index rendered by Jinja."""

    def __init__(self, name: str, template: str, csrf: Csrf, **options: Any) -> None:
        super().__init__(name, **options)
        self._template = template
        self._csrf = csrf
        self._scripts: DashScripts | None = None

    def _add_url(self, name: str, view_func: Callable[..., Any], methods: Any = ("GET",)) -> None:
        # The blueprint answers for the index and for unknown paths.
        if name in ("", "<path:path>"):
            return
        if "POST" in methods:
            view_func = checked(view_func, lambda: self.callback_map)
        super()._add_url(name, _renamed(view_func), methods)

    def dash_bundle(self) -> bytes:
        """Return the content of Dash's scripts, once the page is mounted."""
        assert self._scripts
        return self._scripts.bundle

    def _generate_scripts_html(self) -> str:
        # Once: later it would include scripts that belong to a host's own Dash.
        if self._scripts is None:
            tags = super()._generate_scripts_html()
            self._scripts = dash_scripts(tags, Path(self.config.assets_folder))
        return f"{dash_tag(self._scripts.bundle, self)}\n{self._scripts.others}"

    def _generate_renderer(self) -> str:
        # Not inline, as in Dash, because a Content-Security-Policy would forbid it.
        return START

    # Dash calls this with keywords only.
    def interpolate_index(self, **parts: str) -> str:  # type: ignore[override]
        """Put the parts of Dash's index into the template."""
        own = [style_tag(STYLE_BUNDLE, self), script_tag(SCRIPT_BUNDLE, self)]
        parts["favicon"] = icon_tag(self)
        parts["css"] = "\n".join([*own, parts["css"]])
        parts["scripts"] = "\n".join([script_tag(PLOTLY, self, PLOTLY_LOADING), parts["scripts"]])
        # Dash has escaped its own parts; none of them contains anything from a visitor.
        safe = {name: Markup(self._for_request(part)) for name, part in parts.items()}  # noqa: S704
        facts = htmlsafe_json_dumps({"csrf": self._csrf.facts()})
        activity = {
            "title": parts["title"],
            "metas": safe["metas"],
            "favicon": safe["favicon"],
            "head": safe["css"],
            "body": Markup("\n").join(
                [
                    NO_SCRIPT,
                    Markup('<script id="activity-host" type="application/json">{}</script>').format(
                        facts
                    ),
                    Markup(
                        '<script id="activity-callbacks" type="application/json">{}</script>'
                    ).format(htmlsafe_json_dumps(self._callback_list)),
                    *(safe[name] for name in ("app_entry", "config", "scripts", "renderer")),
                ]
            ),
        }
        return render_template(self._template, activity=activity)

    def _for_request(self, part: str) -> str:
        """Add to a part of the index what only a request knows: the root and the nonce.

        The root is the path at which a proxy or a dispatcher has mounted the server; Dash
        knows only its prefix below it.
        """
        prefix, root = self.config.requests_pathname_prefix, quote(request.script_root)
        for slash in ("/", r"\u002f"):  # In attributes, and in Dash's JSON.
            written = prefix.replace("/", slash)
            part = part.replace(f'"{written}', f'"{root}{written}')
        nonce = _nonce()
        if nonce:
            for tag in ("<script ", '<link rel="stylesheet" '):
                part = part.replace(tag, f'{tag}nonce="{escape(nonce)}" ')
        return part


def _nonce() -> str:
    """Return the current request's nonce for the Content-Security-Policy, or an empty text."""
    make: Any = current_app.jinja_env.globals.get("csp_nonce")
    return str(make()) if callable(make) else ""
