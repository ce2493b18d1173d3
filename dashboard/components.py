"""Small parts of the page: states, cards, caption and notices.

Pure: facts in, Dash components out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from aggregator.read import Activity, Totals
from aggregator.states import IDLE, STATES, WAITING, WORKING
from dashboard import ids, words
from dashboard.view import View

Children = Sequence[Component | str]

STATE_WORDS = {WORKING: "working", WAITING: "waiting for input", IDLE: "idle"}
CARD_LABELS = {
    ids.CARD_TURNS: "Turns",
    ids.CARD_TURN_RATE: "Turns per hour",
    ids.CARD_TURN_TIME: "Average turn time",
    ids.CARD_ACTIVE_AGENTS: "Active agents",
}
SPAN_WORDS = {"day": "24 hours", "week": "7 days", "month": "30 days"}


def aria(**attributes: str) -> dict[str, Any]:
    """ARIA attributes, whose hyphen Python's keywords cannot have."""
    return {f"aria-{name}": value for name, value in attributes.items()}


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


def cards(totals: Totals | None, projects: int = 0) -> Children:
    """The four numbers of a view, without numbers before the first answer.

    Args:
        totals: The scope over the window, or None.
        projects: How many projects the active agents belong to.
    """
    if totals is None:
        return [_card(name, words.NOTHING, "") for name in CARD_LABELS]
    values = (
        words.count(totals.turn_count),
        words.rate(totals.turn_rate),
        words.duration(totals.avg_turn_time_seconds),
        words.count(totals.active_agents),
    )
    details = (
        f"in {words.counted(totals.active_hours, 'active hour')}",
        f"{words.rate(totals.turns_per_active_hour)} per active hour",
        "between two turns",
        f"in {words.counted(projects, 'project')}",
    )
    return [
        _card(name, value, detail if totals.turn_count else "")
        for name, value, detail in zip(CARD_LABELS, values, details, strict=True)
    ]


def _card(card_id: str, value: str, detail: str) -> Component:
    return html.Div(
        [
            html.Dt(CARD_LABELS[card_id], className="activity-card-label"),
            html.Dd(value, id=card_id, className="activity-card-value"),
            html.Dd(detail, className="activity-card-detail"),
        ],
        className="activity-card",
    )


def caption(activity: Activity, view: View, zone: ZoneInfo) -> Children:
    """Which time the page covers, in whose zone, and a way back where that is not now."""
    until = activity.window.until.astimezone(zone)
    span = SPAN_WORDS[view.window]
    if view.until is None:
        covered: list[Component | str] = [f"Last {span}, to {words.clock(until)} · {zone.key}"]
    else:
        now = replace(view, until=None).address
        covered = [
            f"{span} to {words.date(until)}, {words.clock(until)} · {zone.key}",
            dcc.Link("Back to now", href=now),
        ]
    return [html.Span(covered), html.Span(_freshness(activity))]


def _freshness(activity: Activity) -> str:
    """When the numbers were last brought up to date."""
    if activity.last_pass_at is None:
        return ""
    return f"Updated {words.ago(activity.last_pass_at, activity.window.as_of)}"


def summary(activity: Activity, view: View, scope_name: str) -> str:
    """The view in one sentence, for those who hear the page instead of seeing it."""
    totals = activity.totals
    span = "the last " if view.until is None else "a window of "
    return (
        f"{scope_name}, {span}{SPAN_WORDS[view.window]}: "
        f"{words.counted(totals.turn_count, 'turn')}, "
        f"average turn time {words.duration(totals.avg_turn_time_seconds)}, "
        f"{words.counted(totals.active_agents, 'active agent')}."
    )


def chart_summary(buckets: pd.DataFrame, zone: ZoneInfo) -> str:
    """What the chart shows, in one sentence."""
    highest = buckets.iloc[int(buckets["turn_count"].argmax())]
    if highest["turn_count"] == 0:
        return "Chart: no turns in this window."
    period = words.period(highest["start"].tz_convert(zone), highest["end"].tz_convert(zone))
    return (
        f"Chart of turns and average turn time over {len(buckets)} periods, "
        f"{int((buckets['turn_count'] > 0).sum())} of them with turns. "
        f"Most in one period: {words.counted(int(highest['turn_count']), 'turn')}, {period}."
    )
