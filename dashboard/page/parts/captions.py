"""Small parts of the page: states, period, breadcrumb and captions.

Pure: facts in, Dash components out.
"""

from __future__ import annotations

import pandas as pd
from dash import html

from aggregator.intervals.state import COMMON, STATES
from aggregator.metrics.scope import OVERALL, Scope
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.titles import shown_period
from dashboard.labels import STATE_LABELS, unit
from dashboard.page.parts.attributes import Children


def states_now(scope: Scope, states: pd.DataFrame) -> Children:
    """List the number of agents in each state; of a scope, and say so if it is not everybody."""
    counts = state_counts(states_in(scope, states))
    if scope == OVERALL:
        return counts
    return [*counts, html.Li("in this view")]


def states_in(scope: Scope, states: pd.DataFrame) -> pd.DataFrame:
    """Return the states of the agents of a scope."""
    if scope.origin is not None:
        states = states[(states["origin"] == "") == (scope.origin == "interactive")]
    if scope.kind == "overall":
        return states
    return states[states[f"{scope.kind}_id"].isin(scope.ids)]


def state_counts(states: pd.DataFrame | None) -> list[html.Li]:
    """List the number of agents in each state; ``states`` is None before the first answer.

    Rare states are listed only if an agent is in them, by one word: all together have one row.
    """
    shown = COMMON if states is None else (*COMMON, *states["state"])
    return [
        html.Li(
            [
                html.Strong(formatting.NO_VALUE if states is None else _count_of(states, state)),
                f" {STATE_LABELS[state] if state in COMMON else state}",
            ],
            title=None if state in COMMON else STATE_LABELS[state],
            className=f"activity-state activity-state-{state}",
        )
        for state in STATES
        if state in shown
    ]


def _count_of(states: pd.DataFrame, state: str) -> str:
    return formatting.count(int((states["state"] == state).sum()))


def caption(overview: Overview, against: str) -> str:
    """Say which part of the period the numbers cover, and what their changes compare with.

    Times are estimated where Claude Code has measured none of them, as on a host that
    records turns only.
    """
    parts = []
    if overview.period.holds(overview.window.as_of) and not overview.period.end:
        parts.append("So far")
    if overview.window.since < overview.kept_since:
        retained = overview.kept_since.astimezone(overview.period.zone)
        parts.append(f"kept since {formatting.date(retained)}")
    if overview.totals.exact_share == 0:
        parts.append("times are estimated")
    if against:
        parts.append(f"compared with {against}")
    return formatting.sentence(" · ".join(parts))


def summary(overview: Overview, scope_name: str) -> str:
    """Describe the view for screen readers, and the steps of its chart if it has any."""
    totals, period = overview.totals, overview.period
    return (
        f"{scope_name}, {formatting.period_name(period)}: "
        f"{formatting.duration(totals.values['working_seconds'])} working, "
        f"{formatting.duration(totals.waiting_for_me_seconds)} waiting for you, "
        f"{formatting.counted(totals.turn_count, 'turn')}, "
        f"average gap between turns {formatting.duration(totals.avg_turn_time_seconds)}, "
        f"{formatting.counted(totals.active_agents, 'active agent')}.{_steps(overview)}"
    )


def _steps(overview: Overview) -> str:
    if overview.steps is None:
        return ""
    zoomed = overview.zoomed()
    return f" The chart is by {unit(zoomed.freq)}, {shown_period(zoomed)}."


def shares(agents: pd.DataFrame) -> str:
    """Say how unevenly turns are spread: ``3 of 20 active agents made half of the turns``.

    Empty with fewer than four active agents.
    """
    turns = agents["turn_count"]
    if (turns > 0).sum() < 4:
        return ""
    cumulative = turns.sort_values(ascending=False).cumsum()
    few = int((cumulative < turns.sum() / 2).sum()) + 1
    active = formatting.counted(int((turns > 0).sum()), "active agent")
    return f"{few} of {active} made half of the turns"


def sub_agents(overview: Overview) -> str:
    """Say how long the sub-agents of the one chosen agent worked; empty without such time."""
    if not overview.sub_agent_seconds:
        return ""
    worked = formatting.duration(overview.sub_agent_seconds)
    return f"Sub-agents: {worked}, not counted in working time"
