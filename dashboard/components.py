"""Small parts of the page: states, period, breadcrumb and captions.

Pure: facts in, Dash components out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from aggregator.overview import Overview
from aggregator.periods import Period
from aggregator.states import IDLE, STATES, WAITING, WORKING
from dashboard import words
from dashboard.choices import Choices
from dashboard.view import View

Children = Sequence[Component | str]

STATE_WORDS = {WORKING: "working", WAITING: "waiting for input", IDLE: "idle"}


def aria(**attributes: str) -> dict[str, Any]:
    """ARIA attributes, whose hyphen Python's keywords cannot have."""
    return {f"aria-{name}": value for name, value in attributes.items()}


def data(**attributes: str) -> dict[str, Any]:
    """Data attributes by which our scripts find an element: ``data-activity-…``."""
    return {f"data-activity-{name}": value for name, value in attributes.items()}


def state_counts(states: pd.DataFrame | None) -> Children:
    """How many agents are in each state; None before the first answer."""
    return [
        html.Li(
            [
                html.Strong(words.NOTHING if states is None else _count_of(states, state)),
                f" {STATE_WORDS[state]}",
            ],
            className=f"activity-state activity-state-{state}",
        )
        for state in STATES
    ]


def _count_of(states: pd.DataFrame, state: str) -> str:
    return words.count(int((states["state"] == state).sum()))


def period_links(view: View, period: Period, today: date) -> Children:
    """The period's name between the ways to the one before and the one after."""
    current = period.first <= today <= period.last
    return [
        _step("earlier", "‹", view.during(period.earlier(), today), "Earlier"),
        html.Strong(words.period_name(period.name, period.first, period.last)),
        _step("later", "›", view.during(period.later(), today), "Later", off=current),
        dcc.Link(
            "Today",
            id="today",
            href=replace(view, window=_calendar(view), on=None, first=None, last=None).address,
            className="activity-today" + " is-off" * current,
        ),
    ]


def _calendar(view: View) -> str:
    return "day" if view.window == "custom" else view.window


def _step(step_id: str, sign: str, view: View, label: str, *, off: bool = False) -> Component:
    return dcc.Link(
        html.Span(sign, **aria(hidden="true")),
        id=step_id,
        href=view.address,
        title=label,
        className="activity-step" + " is-off" * off,
    )


def crumbs(view: View, choices: Choices) -> Children:
    """The way back to wider scopes: ``All projects › atlas › 5f717a88``."""
    wider = [("All projects", replace(view, projects=(), agents=()))]
    if view.projects:
        name = _joined(view.projects, choices.project_names, "project")
        wider.append((name, replace(view, agents=())))
    if view.agents:
        wider.append((_joined(view.agents, choices.agent_names, "agent"), view))
    links = [dcc.Link(name, href=there.address) for name, there in wider[:-1]]
    here = html.Span(wider[-1][0], **aria(current="page"))
    return [part for link in links for part in (link, html.Span(" › ", **aria(hidden="true")))] + [
        here
    ]


def _joined(chosen: tuple[int, ...], names: dict[int, str], noun: str) -> str:
    if len(chosen) > 2:
        return words.counted(len(chosen), noun)
    return ", ".join(names.get(one, f"{noun} {one}") for one in chosen)


def caption(overview: Overview, against: str) -> str:
    """What the numbers cover, and what their changes are against."""
    parts = []
    if overview.period.holds(overview.window.as_of):
        parts.append("So far")
    if overview.window.since < overview.kept_since:
        kept = overview.kept_since.astimezone(overview.period.zone)
        parts.append(f"kept since {words.date(kept)}")
    if against:
        parts.append(f"changes against {against}")
    return words.sentence(" · ".join(parts))


def summary(overview: Overview, scope_name: str) -> str:
    """The view in one sentence, for those who hear the page instead of seeing it."""
    totals, period = overview.totals, overview.period
    return (
        f"{scope_name}, {words.period_name(period.name, period.first, period.last)}: "
        f"{words.counted(totals.turn_count, 'turn')}, "
        f"average turn time {words.duration(totals.avg_turn_time_seconds)}, "
        f"{words.counted(totals.active_agents, 'active agent')}."
    )


def shares(agents: pd.DataFrame) -> str:
    """How unevenly the work is spread: ``3 of 20 agents made half of all turns``."""
    turns = agents["turn_count"]
    if (turns > 0).sum() < 4:
        return ""
    cumulated = turns.sort_values(ascending=False).cumsum()
    few = int((cumulated < turns.sum() / 2).sum()) + 1
    return (
        f"{few} of {words.counted(int((turns > 0).sum()), 'active agent')} made half of the turns"
    )
