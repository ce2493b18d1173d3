"""The table of projects and their agents below the chart."""

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
from dashboard.view import View

MOST_AGENTS = 50
"""Agents shown of one project: Dash takes seconds to draw a row for each of 200."""

FEW_AGENTS = 30
"""Up to so many agents in all, every project is unfolded until the viewer folds it."""

COLUMNS = ("Project / agent", "State", "Turns", "Turns/h", "Avg. turn time", "Share of turns")
STATE_WORDS = {WORKING: "working", WAITING: "waiting", IDLE: "idle"}

Row = Mapping[Any, Any]


def project_list(activity: Activity, view: View) -> Component | None:
    """Every active project, most turns first, with the agents of those that are unfolded.

    Only an unfolded project has its agents in the page.
    """
    if activity.hours.empty:
        return None
    projects = _measured(activity.projects, activity)
    agents = _measured(activity.agents, activity).assign(state=_states(activity))
    unfolded = _unfolded(activity, view)
    head = html.Tr([html.Th(name, scope="col") for name in COLUMNS], className="activity-row")
    return html.Table(
        [
            html.Thead(head),
            *(
                _project(
                    row,
                    agents[agents["project_id"] == row["project_id"]],
                    view,
                    unfolded,
                    alone=len(projects) == 1,
                )
                for row in projects.to_dict("records")
            ),
        ]
    )


def _unfolded(activity: Activity, view: View) -> frozenset[int]:
    """What the viewer chose; else all projects of few agents, and none of many."""
    if view.unfolded is not None:
        return frozenset(view.unfolded)
    few = len(activity.agents) <= FEW_AGENTS
    return frozenset(activity.projects["project_id"]) if few else frozenset()


def _states(activity: Activity) -> pd.Series:
    states: pd.Series = activity.states.set_index("agent_id")["state"]
    return activity.agents["agent_id"].map(states)


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


def _project(
    row: Row, agents: pd.DataFrame, view: View, unfolded: frozenset[int], *, alone: bool
) -> Component:
    listed = alone or row["project_id"] in unfolded
    if view.agent is None:
        whose, states = words.counted(len(agents), "agent"), _state_counts(agents["state"])
    else:
        # The numbers are the whole project's, for comparison; one agent is listed.
        whose, states = "all agents", []
    name = [
        _project_name(row, view, unfolded, alone=alone),
        html.Span(whose, className="activity-aside"),
    ]
    own = html.Tr(
        [
            html.Th(name, scope="rowgroup", className="activity-name"),
            html.Td(states, className="activity-states-cell"),
            *_numbers(row),
        ],
        className="activity-row activity-project-row",
    )
    return html.Tbody([own, *(_agent_rows(agents, view) if listed else [])])


def _project_name(row: Row, view: View, unfolded: frozenset[int], *, alone: bool) -> Component:
    project = row["project_id"]
    if alone:
        return html.Span(row["name"], className="activity-name-text", title=row["name"])
    other = replace(view, unfolded=tuple(sorted(unfolded ^ {project})))
    return dcc.Link(
        row["name"],
        href=other.address,
        id=f"project-{project}",
        className="activity-name-text activity-fold" + (" is-unfolded" * (project in unfolded)),
        title=f"{row['name']}: {'hide' if project in unfolded else 'show'} its agents",
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


def _agent_rows(agents: pd.DataFrame, view: View) -> list[Component]:
    rows = [_agent_row(row, view) for row in agents.head(MOST_AGENTS).to_dict("records")]
    if hidden := len(agents) - len(rows):
        more = f"{words.counted(hidden, 'more agent')} with fewer turns: choose one above"
        rows.append(html.Tr(html.Td(more, colSpan=len(COLUMNS)), className="activity-more"))
    return rows


def _agent_row(row: Row, view: View) -> Component:
    only_this = replace(view, agent=row["agent_id"]).address
    link = dcc.Link(row["name"], href=only_this, id=f"agent-{row['agent_id']}")
    return html.Tr(
        [
            html.Th(link, scope="row", className="activity-name"),
            html.Td(_state(row["state"]), className="activity-states-cell"),
            *_numbers(row),
        ],
        className="activity-row",
    )


def _state(state: Any) -> Component | None:
    # Ended, or silent for a day: it has no state, which is no fourth state.
    if pd.isna(state):
        return None
    return html.Span(STATE_WORDS[state], className=f"activity-state activity-state-{state}")


def _numbers(row: Row) -> list[Component]:
    return [
        html.Td(words.count(row["turn_count"]), className="activity-number"),
        html.Td(words.rate(row["rate"]), className="activity-number"),
        html.Td(words.duration(row["avg_turn_time_seconds"]), className="activity-number"),
        html.Td(
            words.share(row["turn_count"], row["whole"]),
            className="activity-share",
            style={"--part": f"{row['bar']:.1%}"},
        ),
    ]
