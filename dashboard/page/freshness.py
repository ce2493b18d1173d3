"""The freshness of the shown numbers, and the route that says if there are newer ones.

The page asks every second, and reads its numbers again only when a pass, or time alone, has
changed them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from aggregator.database.state import Version
from aggregator.metrics.freqs import STEPS
from aggregator.metrics.windows import HOUR, floor_hour
from aggregator.query.agents.states import next_change
from aggregator.query.overview import Overview
from aggregator.query.reader import MetricReader
from dashboard.context import Clock, PageContext
from dashboard.http_responses import ANSWERED, error_response, json_response
from dashboard.single_flight import SingleFlight

SHARED_FOR = 0.2
"""Seconds for which pages that ask get the same reading of the database."""


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

    Then the hour ends, perhaps with its day, or a step of it, or an agent has been silent
    for long enough to be in another state, or to be gone.
    """
    change = next_change(overview.states, overview.window.as_of)
    end = _end_of_step(overview)
    return min(end, change) if change else end


def _end_of_step(overview: Overview) -> datetime:
    as_of = overview.window.as_of
    hour = floor_hour(as_of)
    first, end = overview.zoomed().shown
    if overview.steps is None or not first <= as_of < end:
        return hour + HOUR
    step = STEPS[overview.steps.zoom.step]
    return hour + ((as_of - hour) // step + 1) * step


def add_version_rule(
    blueprint: Blueprint,
    reader: MetricReader,
    context: PageContext,
    now: Clock,
    digest: Callable[[Version], str],
) -> None:
    """Add the route ``/version`` below the page: few rows of the database, never cached.

    Pages that ask at almost the same time share one reading. The ETag changes with what is
    told, and with the minute: an answer of 304 tells no time, and clocks may be set.

    Args:
        blueprint: Gets the route.
        reader: Reads the version.
        context: Facts about the server.
        now: The clock.
        digest: Returns the digest of what agents do now, as ``now`` of the answer.
    """
    shared = _Shared(reader)

    @blueprint.get("/version")
    def version() -> Response:
        try:
            found = shared.version(now())
            answer = _answer(found, digest(found), context)
        except ANSWERED as error:
            answer = error_response(error)
        answer.headers["Cache-Control"] = "no-store"
        return answer


class _Shared:
    """The last reading of the version, for those who ask soon after it."""

    def __init__(self, reader: MetricReader) -> None:
        self._reader = reader
        self._flights = SingleFlight()
        self._last: tuple[float, Version] | None = None

    def version(self, as_of: datetime) -> Version:
        asked = time.monotonic()
        if self._last is not None:
            read, known = self._last
            if asked - read < SHARED_FOR:
                return replace(known, as_of=as_of)
        found = self._flights.do("version", lambda: self._read(as_of, asked))
        return replace(found, as_of=as_of)

    def _read(self, as_of: datetime, asked: float) -> Version:
        found = self._reader.version(as_of)
        # From before the reading: what changes during it is not in it.
        self._last = asked, found
        return found


def _answer(version: Version, states: str, context: PageContext) -> Response:
    as_of = version.as_of
    told = {
        **_passes(version.changed_at, version.last_pass_at, as_of, context),
        "now": states,
        "live": version.live,
        "live_reason": version.live_reason,
    }
    answer = json_response(told)
    same = {**told, "as_of": as_of.replace(second=0, microsecond=0)}
    answer.set_etag(blake2b(repr(same).encode(), digest_size=8).hexdigest(), weak=True)
    return answer.make_conditional(request)


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
