"""From a wanted view to everything the page shows: read once, then draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.errors import UnknownScopeError
from aggregator.read import Activity, MetricReader
from aggregator.windows import rolling_window
from dashboard import components
from dashboard.buckets import chart_buckets
from dashboard.choices import Choices
from dashboard.context import PageContext
from dashboard.empty import empty_state
from dashboard.figures import activity_chart
from dashboard.layout import chart_config
from dashboard.projects import project_list
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
        activity: Its metrics.
        choices: What the dropdowns offer.
        problems: What was asked for and does not exist, in sentences.
    """

    view: View
    activity: Activity
    choices: Choices
    problems: tuple[str, ...]


def read_answer(reader: MetricReader, asked: View, now: datetime) -> Answer:
    """Read a view; where its agent or project is unknown, the next wider one."""
    choices = Choices(*reader.choices())
    view = choices.consistent(asked)
    if view.until is not None and view.until >= now:
        view = replace(view, until=None)
    window = rolling_window(view.window, now, view.until)
    problems: list[str] = []
    while True:
        try:
            activity = reader.activity(view.scope, window)
        except UnknownScopeError as unknown:
            problems.append(str(unknown))
            view = view.wider
        else:
            return Answer(view, activity, choices, tuple(problems))


def draw(answer: Answer, viewer: Viewer, context: PageContext) -> dict[str, Any]:
    """The content of every element, by the names of the callback's outputs."""
    view, activity, zone = answer.view, answer.activity, viewer.zone
    name = answer.choices.scope_name(view)
    empty = empty_state(activity, view, zone, context, name)
    return {
        "window": view.window,
        "project": view.project,
        "project_options": answer.choices.project_options(view),
        "agent": view.agent,
        "agent_options": answer.choices.agent_options(view),
        "states": components.state_counts(activity.states),
        "notice": _notice(answer.problems, name),
        "caption": components.caption(activity, view, zone),
        "cards": components.cards(activity.totals, activity.agents["project_id"].nunique()),
        "figure": activity_chart(activity, zone, viewer.scheme),
        "config": chart_config(_filename(activity, view, zone)),
        "chart_summary": components.chart_summary(chart_buckets(activity, zone), zone),
        "projects": project_list(activity, view),
        "empty": empty,
        "view": "activity-view is-empty" if empty else "activity-view",
        "announcement": components.summary(activity, view, name),
    }


def _notice(problems: tuple[str, ...], shown: str) -> str:
    sentences = [f"{problem[0].upper()}{problem[1:]}." for problem in problems]
    return " ".join([*sentences, f"Showing {shown[0].lower()}{shown[1:]}."]) if problems else ""


def _filename(activity: Activity, view: View, zone: ZoneInfo) -> str:
    return f"activity-turns-{view.window}-{activity.window.until.astimezone(zone):%Y-%m-%d}"
