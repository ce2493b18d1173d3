"""Links to other periods and to wider scopes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from dash import dcc, html
from dash.development.base_component import Component

from aggregator.metrics.periods import Period
from aggregator.metrics.periods import today as local_day
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.page import ids
from dashboard.page.parts.attributes import Children, aria
from dashboard.selection.choices import Choices
from dashboard.selection.view import View


def range_picker(view: View, overview: Overview) -> list[Component]:
    """Return a picker for the days of a custom period; empty for other periods."""
    if view.window != "custom":
        return []
    period = overview.period
    today = local_day(overview.window.as_of, period.zone)
    first_retained = overview.kept_since.astimezone(period.zone).date()
    return [
        dcc.DatePickerRange(
            id=ids.RANGE,
            start_date=period.first.isoformat(),
            end_date=period.last.isoformat(),
            min_date_allowed=min(first_retained, period.first).isoformat(),
            max_date_allowed=max(today, period.last).isoformat(),
            display_format="D MMM YYYY",
            first_day_of_week=1,
            minimum_nights=0,
        )
    ]


def period_links(view: View, period: Period, today: date) -> Children:
    """Return the period's name between links to the periods before and after it."""
    current = period.first <= today <= period.last
    return [
        _step("earlier", "‹", view.during(period.earlier(), today), "Earlier"),
        html.Strong(formatting.period_name(period.name, period.first, period.last)),
        _step("later", "›", view.during(period.later(), today), "Later", off=current),
        dcc.Link(
            "Today",
            id="today",
            href=replace(
                view, window=_calendar_window(view), on=None, first=None, last=None
            ).address,
            className="activity-today" + " is-off" * current,
        ),
    ]


def _calendar_window(view: View) -> str:
    return "day" if view.window == "custom" else view.window


def _step(step_id: str, arrow: str, view: View, label: str, *, off: bool = False) -> Component:
    return dcc.Link(
        html.Span(arrow, **aria(hidden="true")),
        id=step_id,
        href=view.address,
        title=label,
        className="activity-step" + " is-off" * off,
    )


def crumbs(view: View, choices: Choices) -> Children:
    """Return links to wider scopes: ``All projects › atlas › 5f717a88``."""
    levels = [("All projects", replace(view, projects=(), agents=()))]
    if view.projects:
        name = _joined(view.projects, choices.project_names, "project")
        levels.append((name, replace(view, agents=())))
    if view.agents:
        levels.append((_joined(view.agents, choices.agent_names, "agent"), view))
    links = [dcc.Link(name, href=wider.address) for name, wider in levels[:-1]]
    # It takes the focus when one of the links that lead here is gone, see assets/focus.js.
    current = html.H2(levels[-1][0], tabIndex="-1", **aria(current="page"))
    return [part for link in links for part in (link, html.Span(" › ", **aria(hidden="true")))] + [
        current
    ]


def _joined(chosen: tuple[int, ...], names: dict[int, str], noun: str) -> str:
    if len(chosen) > 2:
        return formatting.counted(len(chosen), noun)
    return ", ".join(names.get(member, f"{noun} {member}") for member in chosen)
