"""The strip of what agents do now, as the page asks for it between its larger answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
from flask import Blueprint
from werkzeug.wrappers import Response

from aggregator.database.state import Version
from aggregator.query.reader import MetricReader
from dashboard.context import Clock, PageContext
from dashboard.http_responses import ANSWERED, error_response, json_response
from dashboard.page.parts.now_strip import now_strip


class NowStrips:
    """The newest strip, read anew only when facts have changed or time has changed a state.

    Args:
        reader: Reads the states.
        context: Facts about the server.
    """

    def __init__(self, reader: MetricReader, context: PageContext) -> None:
        self._reader = reader
        self._resumable = context.is_resumable
        self._last: tuple[Any, datetime, datetime | None, dict[str, Any]] | None = None

    def at(self, version: Version) -> dict[str, Any]:
        """Return the strip of a version, at the instant at which that was read."""
        facts = version.facts
        if self._last is not None:
            known, read_at, changes_at, strip = self._last
            is_same = known == facts and read_at <= version.as_of
            if is_same and (changes_at is None or version.as_of < changes_at):
                return strip
        states = self._reader.now(version.as_of)
        strip = now_strip(states, resumable=self._resumable)
        # Several threads may do this at once; each leaves something that is right.
        self._last = facts, version.as_of, _next_change(states), strip
        return strip


def _next_change(states: pd.DataFrame) -> datetime | None:
    changes_at = states["changes_at"].min()
    return None if pd.isna(changes_at) else changes_at.to_pydatetime()


def add_now_rule(blueprint: Blueprint, reader: MetricReader, strips: NowStrips, now: Clock) -> None:
    """Add the route ``/now`` below the page: the strip, and the number of those who wait."""

    @blueprint.get("/now")
    def agents_now() -> Response:
        try:
            strip = strips.at(reader.version(now()))
        except ANSWERED as error:
            answer: Response = error_response(error)
        else:
            answer = json_response(strip)
        answer.headers["Cache-Control"] = "no-store"
        return answer
