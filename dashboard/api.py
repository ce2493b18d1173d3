"""The JSON API: hourly metrics of a scope over a window.

All instants are ISO 8601 in UTC. Errors are ``{"error": "…"}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from flask import Blueprint, Response, current_app, jsonify, request

from aggregator.errors import (
    HostSchemaError,
    NaiveTimestampError,
    NotMigratedError,
    ParameterError,
    UnknownScopeError,
)
from aggregator.read import DATABASE_AWAY, Activity, MetricReader
from aggregator.scope import OVERALL, Scope, ScopeKind
from aggregator.windows import Window, custom_window, rolling_window
from dashboard.context import Clock

PARAMETERS = ("window", "since", "until")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
THERE = "overall|(projects|agents)/[^/]+"
"""Paths that exist, though for GET only."""
INSTANTS = "an ISO 8601 instant with a time zone, such as 2026-11-22T14:00:00Z"
IDS = "a whole number"


def blueprint(reader: MetricReader, now: Clock, url_prefix: str = "/api/metrics") -> Blueprint:
    """The endpoints below ``url_prefix``, reading from ``reader`` at ``now()``."""
    api = Blueprint("activity_api", __name__, url_prefix=url_prefix)

    def answer(scope: Scope) -> Response:
        window = parse_window(request.args.to_dict(flat=False), now())
        return jsonify(to_json(reader.activity(scope, window)))

    @api.get("/overall")
    def overall() -> Response:
        return answer(OVERALL)

    @api.get("/projects/<project_id>")
    def project(project_id: str) -> Response:
        return answer(parse_scope("project", project_id))

    @api.get("/agents/<agent_id>")
    def agent(agent_id: str) -> Response:
        return answer(parse_scope("agent", agent_id))

    _answer_errors(api)
    return api


def _answer_errors(api: Blueprint) -> None:
    """Answer in JSON whatever is wrong with a request, or with us."""

    @api.route("/", defaults={"path": ""}, methods=METHODS)
    @api.route("/<path:path>", methods=METHODS)
    def unknown(path: str) -> tuple[Response, int]:
        if request.method not in ("GET", "HEAD") and re.fullmatch(THERE, path):
            return jsonify(error=f"{request.method} is not allowed; expected GET"), 405
        allowed = "overall, projects/<id> and agents/<id>"
        return jsonify(error=f"there is no {api.url_prefix}/{path}; there are {allowed}"), 404

    @api.errorhandler(ParameterError)
    @api.errorhandler(NaiveTimestampError)
    def bad_parameter(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    def database_away(error: Exception) -> tuple[Response, int]:
        current_app.logger.warning("API: %s", str(error).split("\n", 1)[0])
        return jsonify(error="the database does not answer; try again later"), 503

    for failure in DATABASE_AWAY:
        api.register_error_handler(failure, database_away)

    @api.errorhandler(HostSchemaError)
    @api.errorhandler(NotMigratedError)
    def not_ready(error: Exception) -> tuple[Response, int]:
        current_app.logger.warning("API: %s", error)
        return jsonify(error=str(error)), 503

    @api.errorhandler(UnknownScopeError)
    def unknown_scope(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 404


def parse_scope(kind: ScopeKind, raw: str) -> Scope:
    """Read an id from a path.

    Raises:
        ParameterError: It is no whole number.
    """
    if not re.fullmatch("[0-9]{1,100}", raw):
        raise ParameterError(f"{kind}_id", raw, IDS)
    return Scope(kind, (int(raw),))


def parse_window(args: Mapping[str, list[str]], now: datetime) -> Window:
    """Read the window of a request.

    ``window`` alone is rolling, up to now, or up to ``until``; ``since`` starts a
    custom one, up to ``until`` or now.

    Raises:
        ParameterError: A parameter is unknown, repeated, malformed, or contradicts
            another.
        NaiveTimestampError: An instant has no time zone.
    """
    for name, values in args.items():
        if name not in PARAMETERS:
            raise ParameterError(name, values[0], f"one of the parameters {', '.join(PARAMETERS)}")
        if len(values) > 1:
            raise ParameterError(name, ", ".join(values), "one value")
    given = {name: values[0] for name, values in args.items()}
    until = _instant("until", given["until"]) if "until" in given else None
    if "since" not in given:
        return rolling_window(given.get("window", "day"), now, until)
    if "window" in given:
        raise ParameterError("window", given["window"], "no window beside since")
    return custom_window(_instant("since", given["since"]), until or now, now)


def _instant(name: str, raw: str) -> datetime:
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        raise ParameterError(name, raw, INSTANTS) from None
    # The years keep a month before it, and any zone, inside what datetime can hold.
    if at.tzinfo is None or not 1970 < at.year < 9999:
        raise ParameterError(name, raw, INSTANTS)
    return at.astimezone(UTC)


def to_json(activity: Activity) -> dict[str, Any]:
    """One answer: the window, its hours oldest first, and its totals.

    ``current`` is the running bucket, which is also the last of ``history``; it is
    null outside the window and as long as it has no turns.
    """
    history = [_bucket(row) for row in activity.hours.to_dict("records")]
    running = activity.window.running_bucket
    current = [bucket for bucket in history if running and bucket["bucket_start"] == _iso(running)]
    totals = activity.totals
    return {
        **_scope_id(activity.scope),
        "window": activity.window.name,
        "since": _iso(activity.window.since),
        "until": _iso(activity.window.until),
        "as_of": _iso(activity.window.as_of),
        "last_pass_at": _iso(activity.last_pass_at),
        "current": current[0] if current else None,
        "history": history,
        "totals": {
            "turn_count": totals.turn_count,
            "avg_turn_time_seconds": totals.avg_turn_time_seconds,
            "active_agents": totals.active_agents,
            "active_hours": totals.active_hours,
            "turn_rate": totals.turn_rate,
            "turns_per_active_hour": totals.turns_per_active_hour,
        },
    }


def _scope_id(scope: Scope) -> dict[str, int | None]:
    return {} if scope.kind == "overall" else {f"{scope.kind}_id": scope.ids[0]}


def _bucket(row: Mapping[Any, Any]) -> dict[str, Any]:
    average, agents = row["avg_turn_time_seconds"], row["active_agents"]
    return {
        "bucket_start": _iso(row["bucket_start"]),
        "turn_count": row["turn_count"],
        "avg_turn_time_seconds": None if pd.isna(average) else average,
        "active_agents": None if pd.isna(agents) else int(agents),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
