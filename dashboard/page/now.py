"""The strip of what agents do now, as the page asks for it between its larger answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pandas as pd
from flask import Blueprint, request
from plotly.utils import PlotlyJSONEncoder
from werkzeug.wrappers import Response

from aggregator.database.state import Version
from aggregator.query.agents.states import next_change
from aggregator.query.reader import MetricReader
from dashboard.context import Clock, PageContext
from dashboard.http_responses import ANSWERED, error_response, json_response
from dashboard.page.parts.captions import states_now
from dashboard.page.parts.now_strip import now_strip
from dashboard.selection.view import View
from dashboard.single_flight import SingleFlight

LATE = timedelta(seconds=5)
"""Age up to which an earlier strip is told by a busy server, or while another one is read."""


class Now(NamedTuple):
    """The strip, see :func:`now_strip`, and the frame of states that it shows."""

    strip: dict[str, Any]
    states: pd.DataFrame


class NowStrips:
    """The newest strip, read anew only when facts have changed or time has changed a state.

    Args:
        reader: Reads the states.
        context: Facts about the server.
        is_busy: Returns whether the server makes larger answers at this moment. Then a strip
            of the last seconds will do.
    """

    def __init__(
        self, reader: MetricReader, context: PageContext, is_busy: Callable[[], bool]
    ) -> None:
        self._reader = reader
        self._is_busy = is_busy
        self._resumable = context.is_resumable
        self._flights = SingleFlight()
        self._last: tuple[Any, datetime, datetime | None, Now] | None = None

    def digest(self, version: Version) -> str:
        """Return the digest of the strip of a version."""
        return str(self.at(version).strip["digest"])

    def at(self, version: Version) -> Now:
        """Return the strip of a version, at the instant at which that was read."""
        facts = version.facts
        if self._last is not None:
            known, read_at, changes_at, found = self._last
            is_later = read_at <= version.as_of
            is_recent = is_later and version.as_of - read_at < LATE
            is_true = is_later and known == facts
            if changes_at is not None:
                is_true = is_true and version.as_of < changes_at
            # Pages ask again in a second.
            if is_true or (is_recent and (self._is_busy() or self._flights.is_running("strip"))):
                return found
        return self._flights.do("strip", lambda: self._read(facts, version.as_of))

    def _read(self, facts: Any, as_of: datetime) -> Now:
        states = self._reader.now(as_of)
        found = Now(now_strip(states, resumable=self._resumable), states)
        self._last = facts, as_of, next_change(states, as_of), found
        return found


def add_now_rule(blueprint: Blueprint, reader: MetricReader, strips: NowStrips, now: Clock) -> None:
    """Add the route ``/now`` below the page: the strip, and the number of those who wait.

    With them come the counts of states for the head of a view, whose address the query is, so
    that both always are of one moment.
    """

    @blueprint.get("/now")
    def agents_now() -> Response:
        try:
            found = strips.at(reader.version(now()))
        except ANSWERED as error:
            answer: Response = error_response(error)
        else:
            view, _ = View.parse(request.query_string.decode("latin-1"))
            counts = json.dumps(states_now(view.scope, found.states), cls=PlotlyJSONEncoder)
            answer = json_response({**found.strip, "states": json.loads(counts)})
        answer.headers["Cache-Control"] = "no-store"
        return answer
