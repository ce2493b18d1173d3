"""The list of projects and their agents below the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from dash import dcc, html
from dash.development.base_component import Component

from aggregator.read import Activity
from aggregator.states import IDLE, STATES, WAITING, WORKING
from dashboard import words
from dashboard.components import aria
from dashboard.view import View

FEW_AGENTS = 12
"""Up to so many agents are shown at once; more stay folded below their projects."""

COLUMNS = ("State", "Turns", "Turns/h", "Avg. turn time", "Share of turns")
STATE_WORDS = {WORKING: "working", WAITING: "waiting", IDLE: "idle"}

Row = Mapping[Any, Any]


def project_list(activity: Activity, view: View) -> list[Component]:
    """Every active project with its active agents, most turns first."""
    if activity.hours.empty:
        return []
    states = activity.states.set_index("agent_id")["state"]
    projects = _measured(activity.projects, activity)
    agents = _measured(activity.agents, activity)
    agents["state"] = agents["agent_id"].map(states)
    unfolded = activity.scope.kind != "overall" or len(agents) <= FEW_AGENTS
    return [
        _header(),
        *(
            _project(row, agents[agents["project_id"] == row["project_id"]], view, unfolded)
            for row in projects.to_dict("records")
        ),
    ]


def _measured(rows: pd.DataFrame, activity: Activity) -> pd.DataFrame:
    """Add the rate, the whole of which a row is a share, and the length of its bar.

    Bars are relative to the busiest project, those of agents too: one scale for all.
    """
    turns, of_projects = rows["turn_count"], activity.projects["turn_count"]
    return rows.assign(
        rate=turns / activity.window.elapsed_hours,
        whole=of_projects.sum(),
        bar=turns / of_projects.max(),
    )


def _header() -> Component:
    return html.Div(
        [html.Span("Project / agent"), *(html.Span(name) for name in COLUMNS)],
        className="activity-row activity-row-head",
        # Each table below has these as its own head, unseen.
        **aria(hidden="true"),
    )


def _project(row: Row, agents: pd.DataFrame, view: View, unfolded: bool) -> Component:
    return html.Details(
        [_project_row(row, agents), _agent_table(row["name"], agents, view)],
        # An id keeps a folded project folded when the order changes.
        id=f"project-{row['project_id']}",
        className="activity-project",
        open=unfolded,
    )


def _project_row(row: Row, agents: pd.DataFrame) -> Component:
    name = [
        html.Span(row["name"], className="activity-name-text", title=row["name"]),
        html.Span(words.counted(len(agents), "agent"), className="activity-aside"),
    ]
    turns, rate, average, share = _texts(row)
    return html.Summary(
        [
            html.Span(name, className="activity-name"),
            html.Span(_state_counts(agents["state"]), className="activity-states-cell"),
            _spoken(turns, "turns"),
            _spoken(rate, "turns per hour"),
            _spoken(average, "average turn time"),
            html.Span(share, className="activity-share", style=_bar(row)),
        ],
        className="activity-row",
    )


def _spoken(text: str, unit: str) -> Component:
    """A number whose unit stands in the head of the column, where only eyes find it."""
    return html.Span(
        [text, html.Span(f" {unit}", className="activity-unseen")], className="activity-number"
    )


def _state_counts(states: pd.Series) -> Sequence[Component]:
    counts = states.value_counts()
    return [
        html.Span(
            f"{counts[state]} {STATE_WORDS[state]}",
            className=f"activity-state activity-state-{state}",
        )
        for state in STATES
        if state in counts
    ]


def _agent_table(project: str, agents: pd.DataFrame, view: View) -> Component:
    head = html.Tr([html.Th(name, scope="col") for name in ("Agent", *COLUMNS)])
    return html.Table(
        [
            html.Caption(f"Agents of {project}", className="activity-unseen"),
            html.Thead(head, className="activity-unseen"),
            html.Tbody([_agent_row(row, view) for row in agents.to_dict("records")]),
        ]
    )


def _agent_row(row: Row, view: View) -> Component:
    turns, rate, average, share = _texts(row)
    only_this = replace(view, agent=row["agent_id"]).address
    return html.Tr(
        [
            html.Th(dcc.Link(row["name"], href=only_this), scope="row", className="activity-name"),
            html.Td(_state(row["state"]), className="activity-states-cell"),
            html.Td(turns, className="activity-number"),
            html.Td(rate, className="activity-number"),
            html.Td(average, className="activity-number"),
            html.Td(share, className="activity-share", style=_bar(row)),
        ],
        className="activity-row",
    )


def _state(state: Any) -> Component | None:
    # Ended, or silent for a day: it has no state, which is no fourth state.
    if pd.isna(state):
        return None
    return html.Span(STATE_WORDS[state], className=f"activity-state activity-state-{state}")


def _texts(row: Row) -> tuple[str, str, str, str]:
    return (
        words.count(row["turn_count"]),
        words.rate(row["rate"]),
        words.duration(row["avg_turn_time_seconds"]),
        words.share(row["turn_count"], row["whole"]),
    )


def _bar(row: Row) -> dict[str, str]:
    return {"--part": f"{row['bar']:.1%}"}
