"""The freshness of the shown numbers, and the route that says if there are newer ones.

The page asks every few seconds, and reads its numbers again only when a pass, or time
alone, has changed them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from flask import Blueprint, Response

from aggregator.database.state import Version
from aggregator.metrics.windows import HOUR, floor_hour
from aggregator.query.agents.states import PRESENT_FOR
from aggregator.query.overview import Overview
from aggregator.query.reader import MetricReader
from dashboard.context import Clock, PageContext
from dashboard.http_responses import ANSWERED, error_response, json_response


def freshness(overview: Overview, context: PageContext) -> dict[str, str | None]:
    """Describe the age of an answer for the browser.

    Returns:
        Instants in ISO 8601 or None: ``changed_at``, when a pass last changed a number;
        ``last_pass_at``; ``next_pass_at``; ``as_of``, when the answer was read;
        ``stale_at``, when it will be out of date even if no pass changes anything. And
        ``zone``, the time zone of the page.
    """
    as_of = overview.window.as_of
    passes = _passes(overview.changed_at, overview.last_pass_at, as_of, context)
    zone = overview.period.zone.key
    return {**passes, "stale_at": stale_at(overview).isoformat(), "zone": zone}


def stale_at(overview: Overview) -> datetime:
    """Return the instant at which time alone will change what is shown.

    Then the hour ends, perhaps with its day, or an agent has been silent for long enough
    to be in another state, or to be gone.
    """
    as_of = overview.window.as_of
    silences = overview.states["last_turn_at"]
    edges = pd.concat([overview.states["changes_at"].dropna(), silences + PRESENT_FOR])
    ahead: list[datetime] = pd.DatetimeIndex(edges[edges > as_of]).to_pydatetime().tolist()
    return min([floor_hour(as_of) + HOUR, *ahead])


def add_version_rule(
    blueprint: Blueprint,
    reader: MetricReader,
    context: PageContext,
    now: Clock,
    digest: Callable[[Version], str],
) -> None:
    """Add the route ``/version`` below the page: few rows of the database, never cached.

    Args:
        blueprint: Gets the route.
        reader: Reads the version.
        context: Facts about the server.
        now: The clock.
        digest: Returns the digest of what agents do now, as ``now`` of the answer.
    """

    @blueprint.get("/version")
    def version() -> Response:
        as_of = now()
        try:
            found = reader.version(as_of)
            states = digest(found)
        except ANSWERED as error:
            answer = error_response(error)
        else:
            passes = _passes(found.changed_at, found.last_pass_at, as_of, context)
            answer = json_response({**passes, "now": states})
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _passes(
    changed_at: datetime | None,
    last_pass_at: datetime | None,
    as_of: datetime,
    context: PageContext,
) -> dict[str, str | None]:
    interval = timedelta(seconds=context.interval_seconds)
    instants: dict[str, Any] = {
        "changed_at": changed_at,
        "last_pass_at": last_pass_at,
        "next_pass_at": last_pass_at and last_pass_at + interval,
        "as_of": as_of,
    }
    return {name: at and at.isoformat() for name, at in instants.items()}
