"""The endpoints of the API: parse a request, read once, answer.

Errors are JSON, ``{"error": "…"}``; they name the wrong value and the allowed ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask import send_from_directory as send
from werkzeug.wrappers import Response as AnyResponse

from aggregator.metrics.scope import OVERALL, Scope
from aggregator.metrics.spans import Span
from aggregator.query.reader import DATABASE_AWAY, MetricReader
from aggregator.shipped import shipped_folder
from dashboard.api.caching import Shared, conditional
from dashboard.api.csv_answers import activity_csv, breakdown_csv, intervals_csv
from dashboard.api.json_answers import activity_json, breakdown_json, intervals_json, now_json
from dashboard.api.openapi import openapi
from dashboard.api.parameters import (
    OF_SCOPE,
    PARAMETERS,
    WITHOUT_BUCKETS,
    Parameter,
    check_size,
    parse_origin,
    parse_scope,
    parse_span,
)
from dashboard.api.prometheus import add_prometheus_rule
from dashboard.compression import compressed
from dashboard.context import API_STYLE, Clock
from dashboard.http_responses import STATUS, error_response, json_error, json_response

ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ALLOWED_METHODS = "GET, HEAD, OPTIONS"
CSV = ".csv"
ENDPOINTS = (
    "overall, projects/<id>, agents/<id>, agents/<id>/intervals, activity, now, "
    "prometheus and openapi.json"
)
KNOWN_PATHS = (
    rf"(overall|activity|(projects|agents)/[^/]+|agents/[^/]+/intervals)(\{CSV})?"
    r"|now|prometheus|openapi\.json|api\.css|"
)
"""Paths that exist, for GET only."""
PAGE = "activity.activity_page"


def blueprint(
    reader: MetricReader, now: Clock, retention: timedelta, url_prefix: str = "/api/metrics"
) -> Blueprint:
    """Make the blueprint of all endpoints.

    Args:
        reader: Reads the metrics.
        now: The clock.
        retention: Time for which metrics are retained.
        url_prefix: Path of the API.
    """
    api = Blueprint("activity_api", "dashboard", url_prefix=url_prefix, template_folder="templates")

    def span(allowed: Mapping[str, Parameter] = PARAMETERS) -> Span:
        given = request.args.to_dict(flat=False)
        return parse_span(given, now(), retention, allowed)

    shared = Shared()

    def answer_scope(scope: Scope, *, as_csv: bool) -> Response:
        parsed = span(PARAMETERS if scope.kind == "agent" else OF_SCOPE)
        origin = parse_origin(request.args)
        found = reader.activity(replace(scope, origin=origin), parsed)
        return _answer(partial(activity_json, found), partial(activity_csv, found), as_csv=as_csv)

    def answer_breakdown(*, as_csv: bool) -> Response:
        parsed = span()
        check_size(parsed)
        found = reader.breakdown(parsed)
        return _answer(partial(breakdown_json, found), partial(breakdown_csv, found), as_csv=as_csv)

    @api.get("/overall")
    @shared
    def overall() -> Response:
        return answer_scope(OVERALL, as_csv=False)

    @api.get(f"/overall{CSV}")
    @shared
    def overall_as_csv() -> Response:
        return answer_scope(OVERALL, as_csv=True)

    @api.get("/projects/<project_id>")
    @shared
    def project(project_id: str) -> Response:
        scope = parse_scope("project", project_id.removesuffix(CSV))
        return answer_scope(scope, as_csv=project_id.endswith(CSV))

    @api.get("/agents/<agent_id>")
    @shared
    def agent(agent_id: str) -> Response:
        scope = parse_scope("agent", agent_id.removesuffix(CSV))
        return answer_scope(scope, as_csv=agent_id.endswith(CSV))

    @api.get("/activity")
    @shared
    def activity() -> Response:
        return answer_breakdown(as_csv=False)

    @api.get(f"/activity{CSV}")
    @shared
    def activity_as_csv() -> Response:
        return answer_breakdown(as_csv=True)

    _add_now_rule(api, reader, now, shared)
    _answer_intervals(api, reader, partial(span, WITHOUT_BUCKETS), shared)
    add_prometheus_rule(api, reader, now, retention, shared.batches)
    _describe(api)
    _answer_errors(api)
    api.after_request(compressed)
    return api


def _add_now_rule(api: Blueprint, reader: MetricReader, now: Clock, shared: Shared) -> None:
    @api.get("/now")
    @shared
    def agents_now() -> Response:
        as_of = now()
        return json_response(now_json(reader.now(as_of), as_of))


def _answer_intervals(
    api: Blueprint, reader: MetricReader, span: Callable[[], Span], shared: Shared
) -> None:
    """Answer what one agent did with its time."""

    def answer(agent_id: str, *, as_csv: bool) -> Response:
        found = reader.intervals(parse_scope("agent", agent_id), span())
        return _answer(partial(intervals_json, found), partial(intervals_csv, found), as_csv=as_csv)

    @api.get("/agents/<agent_id>/intervals")
    @shared
    def intervals(agent_id: str) -> Response:
        return answer(agent_id, as_csv=False)

    @api.get(f"/agents/<agent_id>/intervals{CSV}")
    @shared
    def intervals_as_csv(agent_id: str) -> Response:
        return answer(agent_id, as_csv=True)


def _answer(
    to_json: Callable[[], Mapping[str, Any]], to_csv: Callable[[], str], *, as_csv: bool
) -> Response:
    """Answer in the format that the address or else the Accept header requests."""
    # For Werkzeug, a parameter such as charset makes another type.
    csv_types = ["text/csv", "text/csv; charset=utf-8"]
    accepted = request.accept_mimetypes.best_match(["application/json", *csv_types])
    if as_csv or accepted in csv_types:
        return Response(to_csv(), mimetype="text/csv")
    return json_response(to_json())


def _describe(api: Blueprint) -> None:
    """Add the OpenAPI document, and a page that shows it to people."""

    def document() -> dict[str, Any]:
        return openapi(f"{request.script_root}{api.url_prefix}")

    @api.get("/openapi.json")
    def openapi_json() -> AnyResponse:
        return conditional(json_response(document()))

    @api.get("/")
    def readable() -> str:
        # A host may have the API without the page.
        page = PAGE in current_app.view_functions and url_for(PAGE)
        return render_template("activity/api.html", document=document(), page=page)

    @api.get(f"/{API_STYLE}")
    def style() -> AnyResponse:
        return send(shipped_folder("dashboard", "assets"), API_STYLE, mimetype="text/css")


def _answer_errors(api: Blueprint) -> None:
    """Answer in JSON for unknown paths, wrong methods and errors."""

    @api.route("/", defaults={"path": ""}, methods=ALL_METHODS[1:])
    @api.route("/<path:path>", methods=ALL_METHODS)
    def unknown(path: str) -> Response:
        if request.method not in ("GET", "HEAD") and re.fullmatch(KNOWN_PATHS, path):
            error = f"{request.method} is not allowed; expected GET"
            return json_error(error, 405, {"Allow": ALLOWED_METHODS})
        error = f"there is no {api.url_prefix}/{path}; there are {ENDPOINTS}"
        return json_error(error, 404)

    @api.after_request
    def only_for_reading(answer: Response) -> Response:
        if request.method == "OPTIONS":
            # Flask would include the methods that exist only to be refused.
            answer.headers["Allow"] = ALLOWED_METHODS
        return answer

    def answered(error: Exception) -> Response:
        answer = error_response(error)
        # An outage is logged once, where connections are made.
        if answer.status_code >= 500 and not isinstance(error, DATABASE_AWAY):
            current_app.logger.warning("API: %s", str(error).split("\n", 1)[0])
        return answer

    for kind in STATUS:
        api.register_error_handler(kind, answered)
