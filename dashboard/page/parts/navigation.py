"""Links to other periods and to wider scopes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from aggregator.metrics.periods import ROLLING_DAYS, Period, rolling_period
from aggregator.metrics.periods import today as local_day
from aggregator.metrics.windows import HOUR
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.page import ids
from dashboard.page.parts.attributes import Children, aria
from dashboard.selection.address import CUSTOM
from dashboard.selection.choices import Choices
from dashboard.selection.view import WITH_STEPS, View


def range_picker(view: View, overview: Overview) -> list[Component]:
    """Return a picker for days, and a menu of ranges; empty for other periods."""
    if view.window != CUSTOM and view.window not in ROLLING_DAYS:
        return []
    return [_picker(overview), _range_menu(view, overview)]


def _picker(overview: Overview) -> Component:
    period = overview.period
    today = local_day(overview.window.as_of, period.zone)
    first_retained = overview.kept_since.astimezone(period.zone).date()
    return dcc.DatePickerRange(
        id=ids.RANGE,
        start_date=period.first.isoformat(),
        end_date=period.last.isoformat(),
        min_date_allowed=min(first_retained, period.first).isoformat(),
        max_date_allowed=max(today, period.last).isoformat(),
        display_format="D MMM",
        first_day_of_week=1,
        minimum_nights=0,
    )


def _range_menu(view: View, overview: Overview) -> Component:
    """Return the menu of ranges that end today; ``assets/menu.js`` closes it."""
    as_of, zone = overview.window.as_of, overview.period.zone
    links = [
        dcc.Link(
            f"Last {days} days",
            href=view.during(rolling_period(name, as_of, zone), as_of).address,
            className="is-chosen" * (name == view.window),
        )
        for name, days in ROLLING_DAYS.items()
    ]
    today = dcc.Link("Today", href=_present(replace(view, window=CUSTOM)).address)
    return html.Details(
        [
            html.Summary(className="activity-menu-button", title="Ranges", **aria(label="Ranges")),
            html.Div([*links, today], className="activity-menu-content"),
        ],
        className="activity-menu activity-range-menu",
    )


def period_links(view: View, period: Period, now: datetime) -> Children:
    """Return the period's name between links to the periods before and after it."""
    current = period.first <= local_day(now, period.zone) <= period.last
    if period.end:
        current = period.end > now
    return [
        _step("earlier", "‹", view.during(period.earlier(), now), "Earlier"),
        html.Strong(formatting.short_period_name(period), title=formatting.period_name(period)),
        _step("later", "›", view.during(period.later(), now), "Later", off=current),
        dcc.Link(
            "Now" if period.end else "Today",
            id="today",
            href=_present(view).address,
            className="activity-today" + " is-off" * current,
        ),
    ]


def _present(view: View) -> View:
    """Return the view over the present period; instead of a custom one over today."""
    window = "day" if view.window == CUSTOM else view.window
    return replace(view, window=window, on=None, until=None, first=None, last=None)


def _step(step_id: str, arrow: str, view: View, label: str, *, off: bool = False) -> Component:
    return dcc.Link(
        html.Span(arrow, **aria(hidden="true")),
        id=step_id,
        href=view.address,
        title=label,
        className="activity-step" + " is-off" * off,
    )


def hour_links(view: View, overview: Overview) -> Children:
    """Return links to the hours before and after the shown one, and to the whole period.

    If the chart shows the whole period, there is a link to its last active hour.
    """
    if view.hour is None:
        return _last_hour(view, overview)
    zone, as_of = overview.period.zone, overview.window.as_of
    start, end = (at.astimezone(zone) for at in (view.hour, view.hour + HOUR))
    before, after = view.hour - HOUR, view.hour + HOUR
    holds = overview.period.holds
    return [
        _step("hour-before", "‹", replace(view, hour=before), "Hour before", off=not holds(before)),
        html.Strong(f"{formatting.clock(start)}–{formatting.clock(end)}"),
        _step(
            "hour-after",
            "›",
            replace(view, hour=after),
            "Hour after",
            off=not holds(after) or after > as_of,
        ),
        dcc.Link(
            "24 hours" if overview.period.end else "Whole day",
            id="whole-period",
            href=replace(view, hour=None).address,
            className="activity-tool",
        ),
    ]


def _last_hour(view: View, overview: Overview) -> Children:
    active = overview.hours["bucket_start"]
    if view.window not in WITH_STEPS or active.empty:
        return []
    return [
        dcc.Link(
            "Minutes",
            id="minutes",
            href=replace(view, hour=active.max().to_pydatetime()).address,
            title="Minutes of the last active hour; click on the chart for those of another",
            className="activity-tool",
        )
    ]


def crumbs(view: View, choices: Choices) -> Children:
    """Return links to wider scopes: ``All projects › atlas › 5f717a88``."""
    levels = [("All projects", replace(view, projects=(), agents=(), origin=None))]
    if view.origin and not view.agents:
        name = f"{view.origin.capitalize()} agents"
        levels.append((name, replace(view, projects=(), agents=())))
    if view.projects:
        name = _joined(view.projects, choices.project_names, "project")
        levels.append((name, replace(view, agents=())))
    if view.agents:
        levels.append((_joined(view.agents, choices.agent_names, "agent"), view))
    links = [dcc.Link(name, href=wider.address) for name, wider in levels[:-1]]
    # It takes the focus when one of the links that lead here is gone, see assets/focus.js.
    current = html.H2(levels[-1][0], tabIndex="-1", **aria(current="page"))
    parts = [part for link in links for part in (link, html.Span(" › ", **aria(hidden="true")))]
    # The browser cuts a line that is too long.
    return [html.Span([*parts, current], title=" › ".join(name for name, _ in levels))]


def _joined(chosen: tuple[int, ...], names: dict[int, str], noun: str) -> str:
    if len(chosen) > 2:
        return formatting.counted(len(chosen), noun)
    return ", ".join(names.get(member, f"{noun} {member}") for member in chosen)
