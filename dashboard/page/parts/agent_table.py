"""The table of projects and their agents, as HTML.

Dash takes seconds to draw a component for each cell of 200 agents; a browser parses the
same rows as HTML in milliseconds and lays out only the visible ones (``content-visibility``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from aggregator.intervals.state import STATES
from aggregator.metrics.buckets import spark_edges
from aggregator.metrics.measures import TURN_MEASURES
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.labels import (
    EXPLANATIONS,
    ORIGIN_TEXTS,
    RATE_EXPLANATION,
    TIME_EXPLANATIONS,
    TURN_TIME,
    TURNS,
)
from dashboard.selection.view import View

FEW_AGENTS = 30
"""Maximum number of agents with which every project is unfolded by default."""

TABLE_COLUMNS = (
    # Heading, sort key of a click on it, first direction, style, explanation
    ("Name", "name", "+", "name", "The project, or the agent: one session."),
    (
        "State",
        "state",
        "+",
        "state",
        "What an agent does now. Sorted by it, the longest waits come first.",
    ),
    ("Working", "working", "-", "working", TIME_EXPLANATIONS["working"]),
    ("Waiting for me", "waiting", "-", "waiting", TIME_EXPLANATIONS["waiting"]),
    ("Responses", "responses", "-", "responses", TIME_EXPLANATIONS["responses"]),
    ("p50", "response-time", "-", "response", TIME_EXPLANATIONS["response-time"]),
    ("Turns", "turns", "-", "turns", EXPLANATIONS[TURNS]),
    ("Turns/h", None, "", "rate", RATE_EXPLANATION),
    ("Avg. gap", "turn-time", "-", "time", EXPLANATIONS[TURN_TIME]),
    ("Last turn", "last", "-", "last", "The age of the newest turn in the period."),
    ("Trend", None, "", "trend", "Turns over the whole period; each row has its own scale."),
    ("Share of turns", None, "", "share", "Part of all turns in the period."),
)
_SORT_COLUMNS = {
    "working": "working_seconds",
    "waiting": "waiting_for_me",
    "responses": "responses",
    "response-time": "response_p50_seconds",
    **{measure.name: measure.column for measure in TURN_MEASURES if measure.in_agent_rows},
    "last": "last_active_at",
    "name": "sort_name",
    "state": "rank",
}
_RANKS = {state: rank for rank, state in enumerate((*STATES, ""))}

TableRecord = Mapping[Any, Any]


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a column; ``order`` is ``ascending``, ``descending`` or None."""

    text: str
    about: str
    style: str
    href: str | None
    order: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a project or an agent."""

    kind: str
    id: int
    name: str
    title: str
    href: str | None
    """Link to this project or agent alone; None if it is already alone."""
    fold: str
    """``folded``, ``unfolded``, or empty if there is nothing to fold."""
    fold_href: str
    aside: str
    mark: str
    """Says that a program started the agent; empty otherwise."""
    states: Sequence[tuple[str, str]]
    working: str
    waiting: str
    responses: str
    response: str
    turns: str
    rate: str
    time: str
    last_at: str
    last: str
    trend_path: str
    bar: str
    share: str


def project_list(overview: Overview, view: View) -> str:
    """Render every listed project and agent as rows of HTML, in the order of the view.

    Only unfolded projects have their agents in the page.
    """
    projects = _ordered(_measured(overview.projects, overview), view.sort)
    agents = _ordered(_measured(overview.agents, overview), view.sort)
    names = dict(zip(projects["project_id"], projects["name"], strict=True))
    if view.people == "agents":
        rows = [_agent(row, view, overview, names) for row in agents.to_dict("records")]
    else:
        rows = list(_by_project(projects, agents, view, overview))
    return _template().render(
        headings=_headings(view),
        rows=rows,
        by_project=replace(view, people="projects").address,
        alone=replace(view, people="agents").address,
        listed=view.people,
    )


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("dashboard")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("activity/agent_table.html")


def _measured(rows: pd.DataFrame, overview: Overview) -> pd.DataFrame:
    """Add the columns that rows need: sums, state, sort keys, share and trend."""
    turns, of_projects = rows["turn_count"], overview.projects["turn_count"]
    states = overview.states.set_index("agent_id")["state"]
    state = rows["agent_id"].map(states) if "agent_id" in rows else pd.Series("", rows.index)
    totals, edges = overview.totals, spark_edges(overview.period)
    per_turn = totals.turn_rate / totals.turn_count if totals.turn_count else 0.0
    return rows.assign(
        rate=turns * per_turn,
        waiting_for_me=rows["blocked_seconds"] + rows["waiting_seconds"],
        state=state.astype("object").where(state.notna(), ""),
        rank=_ranks(rows, overview),
        sort_name=rows["name"].astype("str").str.lower(),
        whole=int(of_projects.sum()),
        columns=len(edges) - 1,
        # Trends begin with the retained hours.
        gone=int((edges[1:] <= pd.Timestamp(overview.kept_since)).sum()),
    )


def _ranks(rows: pd.DataFrame, overview: Overview) -> pd.Series:
    """Rank rows by state, and in a state by how long it lasts, the longest first.

    Agents without a state come last; a project has its agents' best rank.
    """
    states = overview.states
    rank = states["state"].map(_RANKS) + states["since"].rank(pct=True) / 2
    of_agents, key = states.assign(rank=rank), "agent_id" if "agent_id" in rows else "project_id"
    return rows[key].map(of_agents.groupby(key)["rank"].min()).fillna(len(STATES))


def _ordered(rows: pd.DataFrame, sort: str) -> pd.DataFrame:
    column = _SORT_COLUMNS[sort[1:]]
    # Stable, so that ties stay in the order of most turns; missing values come last.
    return rows.sort_values(column, ascending=sort[0] == "+", kind="stable", na_position="last")


def _headings(view: View) -> list[Heading]:
    headings = []
    for text, key, first, style, about in TABLE_COLUMNS:
        sorted_here = key is not None and view.sort[1:] == key
        way = {"-": "+", "+": "-"}[view.sort[0]] if sorted_here else first
        headings.append(
            Heading(
                text,
                about,
                style,
                replace(view, sort=f"{way}{key}").address if key else None,
                {"+": "ascending", "-": "descending"}[view.sort[0]] if sorted_here else None,
            )
        )
    return headings


def _by_project(
    projects: pd.DataFrame, agents: pd.DataFrame, view: View, overview: Overview
) -> Iterator[Row]:
    unfolded = _unfolded(overview, view)
    alone = len(projects) == 1
    members: defaultdict[int, list[TableRecord]] = defaultdict(list)
    for agent in agents.to_dict("records"):
        members[agent["project_id"]].append(agent)
    for project in projects.to_dict("records"):
        own = members[project["project_id"]]
        listed = alone or project["project_id"] in unfolded
        yield _project(project, own, view, overview, unfolded, alone=alone)
        if listed:
            yield from (_agent(agent, view, overview, {}) for agent in own)


def _unfolded(overview: Overview, view: View) -> frozenset[int]:
    """Return the projects that the viewer unfolded; by default all, or none with many agents."""
    if view.unfolded is not None:
        return frozenset(view.unfolded)
    few = len(overview.agents) <= FEW_AGENTS
    return frozenset(overview.projects["project_id"]) if few else frozenset()


def _project(
    row: TableRecord,
    agents: Sequence[TableRecord],
    view: View,
    overview: Overview,
    unfolded: frozenset[int],
    *,
    alone: bool,
) -> Row:
    project = row["project_id"]
    is_open = alone or project in unfolded
    fold = replace(view, unfolded=tuple(sorted(unfolded ^ {project}))).address
    only = replace(view, projects=(project,), agents=())
    counts = Counter(agent["state"] for agent in agents)
    return Row(
        kind="project",
        id=project,
        name=row["name"],
        title=f"Only project {row['name']}",
        href=None if view.projects == (project,) else only.address,
        fold="" if alone else "unfolded" if is_open else "folded",
        fold_href=fold,
        aside=formatting.counted(len(agents), "agent"),
        mark="",
        states=[(state, f"{counts[state]} {state}") for state in STATES if state in counts],
        **_numbers(row, overview),
    )


def _agent(row: TableRecord, view: View, overview: Overview, projects: Mapping[int, str]) -> Row:
    only = replace(view, agents=(row["agent_id"],))
    return Row(
        kind="agent",
        id=row["agent_id"],
        name=row["name"],
        title=f"Only agent {row['name']}",
        href=None if view.agents == (row["agent_id"],) else only.address,
        fold="",
        fold_href="",
        aside=projects.get(row["project_id"], ""),
        mark=ORIGIN_TEXTS[row["origin"]],
        # An agent that has ended or been silent for a day has no state.
        states=[(row["state"], row["state"])] if row["state"] else [],
        **_numbers(row, overview),
    )


def _numbers(row: TableRecord, overview: Overview) -> dict[str, str]:
    last = row["last_active_at"]
    known = not pd.isna(last)

    return {
        "working": formatting.duration(row["working_seconds"]),
        "waiting": formatting.duration(row["waiting_for_me"]),
        "responses": formatting.count(row["responses"]),
        "response": formatting.duration(row["response_p50_seconds"]),
        "turns": formatting.count(row["turn_count"]),
        "rate": formatting.rate(row["rate"]),
        "time": formatting.duration(row["avg_turn_time_seconds"]),
        "last_at": last.isoformat() if known else "",
        "last": formatting.ago(last, overview.window.as_of) if known else formatting.NO_VALUE,
        "trend_path": trend_path(row["spark"], row["columns"], row["gone"]),
        # As long as the number says: a full bar is all turns.
        "bar": f"{100 * row['turn_count'] / max(row['whole'], 1):.1f}",
        "share": formatting.share(row["turn_count"], row["whole"]),
    }


def trend_path(values: Sequence[int], columns: int, gone: int = 0) -> str:
    """Return the data of an SVG path in a box of 100 × 20; the highest value fills it.

    Args:
        values: One for each column, from the first retained one up to now.
        columns: Columns of the whole period.
        gone: Columns at its beginning that are outside the retention.
    """
    highest = max(values, default=0)
    if not highest:
        return ""
    width = 100 / columns
    heights = np.asarray(values) * 20 / highest
    return "".join(
        f"M{place * width:.4g} 20v-{height:.3g}h{width:.4g}v{height:.3g}"
        for place, height in enumerate(heights, start=gone)
        if height
    )
