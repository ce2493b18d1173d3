"""From a wanted view to everything the page shows: read once, then draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aggregator.errors import UnknownScopeError
from aggregator.metrics.periods import today as local_day
from aggregator.query.overview import Overview
from aggregator.query.reader import MetricReader
from dashboard import formatting
from dashboard.context import PageContext
from dashboard.selection.choices import Choices
from dashboard.selection.view import View


@dataclass(frozen=True, slots=True)
class Viewer:
    """What the browser told about the person in front of it."""

    zone: ZoneInfo
    scheme: str

    @classmethod
    def of(cls, data: Mapping[str, str] | None) -> Viewer:
        """Trust nothing: an unknown zone is UTC, an unknown scheme is light."""
        given = data or {}
        try:
            zone = ZoneInfo(str(given.get("zone", "UTC")))
        except (KeyError, ValueError, OSError):
            # No such zone, or a name that is no name; both exist in the wild.
            zone = ZoneInfo("UTC")
        return cls(zone, str(given.get("scheme", "light")))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the database says to a view.

    Attributes:
        view: What is shown, which differs from what was asked where that does not exist.
        overview: Its metrics.
        choices: What the dropdowns offer.
        problems: What was asked for and does not exist, in sentences.
    """

    view: View
    overview: Overview
    choices: Choices
    problems: tuple[str, ...]


def read_answer(
    reader: MetricReader, asked: View, viewer: Viewer, now: datetime, context: PageContext
) -> Answer:
    """Read a view; without those of its agents and projects that are unknown."""
    zone = ZoneInfo(asked.zone) if asked.zone else viewer.zone
    today = local_day(now, zone)
    choices = Choices(*reader.choices())
    view = choices.consistent(asked)
    period = view.period(zone, today)
    problems: list[str] = []
    while True:
        try:
            overview = reader.overview(
                view.scope,
                period,
                now,
                retention=timedelta(days=context.retention_days),
                everyone=view.everyone,
            )
        except UnknownScopeError as unknown:
            problems.append(formatting.sentence(f"{unknown}."))
            view = view.without(unknown.kind, unknown.scope_id)
        else:
            return Answer(view.during(period, today), overview, choices, tuple(problems))
