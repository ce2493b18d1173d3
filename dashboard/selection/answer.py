"""Answer a view: read everything that the page shows, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aggregator.errors import ParameterError, UnknownScopeError
from aggregator.parameters import parse_zone
from aggregator.query.overview import Overview
from aggregator.query.reader import MetricReader
from dashboard import formatting
from dashboard.context import PageContext
from dashboard.selection.choices import Choices
from dashboard.selection.view import View


@dataclass(frozen=True, slots=True)
class Viewer:
    """The viewer's time zone and colour scheme, as the browser reports them."""

    zone: ZoneInfo
    scheme: str

    @classmethod
    def of(cls, data: Mapping[str, str] | None) -> Viewer:
        """Read what the browser sent, without trusting it: an unknown zone becomes UTC."""
        given = data or {}
        try:
            zone = parse_zone(given.get("zone", "UTC"))
        except ParameterError:
            # Browsers send "Etc/Unknown" and names that are none.
            zone = ZoneInfo("UTC")
        return cls(zone, str(given.get("scheme", "light")))


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of the database to a view.

    Attributes:
        view: The view that is shown: the requested one without what does not exist.
        overview: Its metrics.
        choices: Projects and agents for the dropdowns.
        problems: Sentences about requested things that do not exist.
    """

    view: View
    overview: Overview
    choices: Choices
    problems: tuple[str, ...]


def read_answer(
    reader: MetricReader, requested: View, viewer: Viewer, now: datetime, context: PageContext
) -> Answer:
    """Read a view, without its unknown agents and projects."""
    zone = ZoneInfo(requested.zone) if requested.zone else viewer.zone
    choices = Choices(*reader.choices())
    view = choices.consistent(requested)
    period = view.period(zone, now)
    view = view.during(period, now)
    problems: list[str] = []
    while True:
        try:
            overview = reader.overview(
                view.scope,
                period,
                now,
                retention=timedelta(days=context.retention_days),
                everyone=view.everyone,
                zoom=view.zoom,
            )
        except UnknownScopeError as unknown:
            problems.append(formatting.sentence(f"{unknown}."))
            view = view.without(unknown.kind, unknown.scope_ids)
        else:
            return Answer(view, overview, choices, tuple(problems))
