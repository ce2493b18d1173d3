"""From a wanted view to everything the page shows: read once, then draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.errors import UnknownScopeError
from aggregator.overview import Overview
from aggregator.periods import today as local_day
from aggregator.read import MetricReader
from dashboard import components, titles, words
from dashboard.cards import cards, compared_with
from dashboard.choices import Choices
from dashboard.clicks import clicked_bar
from dashboard.context import PageContext
from dashboard.empty import empty_state
from dashboard.figures import chart_of
from dashboard.heatmap import heatmap_of
from dashboard.picker import range_picker
from dashboard.projects import project_list
from dashboard.tables import downloads
from dashboard.version import freshness
from dashboard.view import View


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
            problems.append(words.sentence(f"{unknown}."))
            view = view.without(unknown.kind, unknown.scope_id)
        else:
            return Answer(view.during(period, today), overview, choices, tuple(problems))


def draw(answer: Answer, viewer: Viewer, context: PageContext) -> dict[str, Any]:
    """The content of every element, by the names of the callback's outputs."""
    view, overview, choices = answer.view, answer.overview, answer.choices
    period, names = overview.period, choices.project_names
    today = local_day(overview.window.as_of, period.zone)
    name = choices.scope_name(view)
    empty = empty_state(overview, view, context, name)
    chart = chart_of(overview, names, view.metric, viewer.scheme)
    pattern = heatmap_of(overview, view.metric, viewer.scheme)
    return {
        **_controls(view, overview, choices),
        "period": components.period_links(view, period, today),
        "range": range_picker(view, overview),
        "crumbs": components.crumbs(view, choices),
        "states": components.state_counts(overview.states),
        "caption": components.caption(overview, compared_with(overview.compared)),
        "cards": cards(overview),
        "figure": chart,
        "chart_title": titles.chart_title(overview, view.metric),
        "chart_summary": chart["layout"]["meta"]["summary"],
        "clicked": None,
        "pattern": pattern,
        "pattern_title": titles.pattern_title(overview, view.metric),
        "pattern_summary": pattern["layout"]["meta"]["summary"],
        "people": project_list(overview, view),
        "shares": components.shares(overview.agents),
        "downloads": downloads(overview, names, view.metric, name, chart=chart, pattern=pattern),
        "version": freshness(overview, context),
        "empty": empty,
        "view": "activity-view is-empty" if empty else "activity-view",
        "announcement": components.summary(overview, name),
    }


def _controls(view: View, overview: Overview, choices: Choices) -> dict[str, Any]:
    return {
        "window": view.window,
        "project": list(view.projects),
        "project_options": choices.project_options(view),
        "agent": list(view.agents),
        "agent_options": choices.agent_options(view),
        "metric": view.metric,
        "active_only": [] if view.everyone else ["active"],
        "zone": overview.period.zone.key,
    }


def notice(problems: tuple[str, ...], shown: str) -> str:
    """What is wrong with what was asked for, and what is shown instead."""
    return " ".join([*problems, f"Showing {shown[0].lower()}{shown[1:]}."]) if problems else ""


def narrowed(view: View, click: Mapping[str, Any] | None, zone: ZoneInfo) -> View:
    """The view that a click on a bar asks for: its day, or in a day its project."""
    bar = clicked_bar(click)
    if bar is None:
        return view
    project, start = bar
    if view.window != "day":
        return replace(view, window="day", on=start.astimezone(zone).date(), first=None, last=None)
    if project is not None and not view.agents:
        return replace(view, projects=(project,))
    return view
