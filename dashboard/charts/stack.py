"""The stacked series of bars: the busiest projects, and all others as one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from aggregator.query.overview import Overview
from dashboard import formatting

MOST_PROJECTS = 6
"""Projects with a series of their own, limited by the colours that can be told apart."""


@dataclass(frozen=True, slots=True)
class StackedSeries:
    """The turns of one project in stacked bars, or of all small projects together.

    Attributes:
        name: Name of the project; ``14 others``.
        project_id: Id of the project; None for several.
        slot: Number of its colour, from 0; None for the colour of the others.
        turns: (n,) int64 turns by start of the bucket (UTC), only buckets with turns.
    """

    name: str
    project_id: int | None
    slot: int | None
    turns: pd.Series


def stack_projects(overview: Overview, names: Mapping[int, str]) -> list[StackedSeries]:
    """Return the series of an overview, the busiest first; empty with fewer than two projects.

    Args:
        overview: The metrics.
        names: Names of projects by id.
    """
    turns = _by_project(overview.project_buckets)
    ranked = sorted(turns, key=lambda project: (-sum(turns[project].values()), project))
    if len(ranked) < 2:
        return []
    busiest, rest = ranked[:MOST_PROJECTS], ranked[MOST_PROJECTS:]
    slots = colours_of_projects(busiest)
    stack = [
        StackedSeries(_name(project, names), project, slots[project], _summed(turns, [project]))
        for project in busiest
    ]
    if len(rest) == 1:
        stack.append(StackedSeries(_name(rest[0], names), rest[0], None, _summed(turns, rest)))
    elif rest:
        stack.append(
            StackedSeries(formatting.counted(len(rest), "other"), None, None, _summed(turns, rest))
        )
    return stack


def colours_of_projects(projects: list[int]) -> dict[int, int]:
    """Assign a colour to each of at most :data:`MOST_PROJECTS` projects.

    Each project takes the colour that its id selects, or the next free one; earlier
    projects choose first. So a project has the same colour in most views.
    """
    slots: dict[int, int] = {}
    for project in projects:
        candidates = ((project - 1 + step) % MOST_PROJECTS for step in range(MOST_PROJECTS))
        slots[project] = next(slot for slot in candidates if slot not in slots.values())
    return slots


def _by_project(turns: pd.DataFrame) -> dict[int, Counter[pd.Timestamp]]:
    """Sum turns by project and start of the bucket, without pandas, which is ten times slower."""
    by_project: dict[int, Counter[pd.Timestamp]] = defaultdict(Counter)
    rows = zip(turns["project_id"].tolist(), turns["start"], turns["turn_count"], strict=True)
    for project, start, count in rows:
        by_project[project][start] += count
    return by_project


def _summed(turns: Mapping[int, Counter[pd.Timestamp]], projects: list[int]) -> pd.Series:
    total: Counter[pd.Timestamp] = Counter()
    for project in projects:
        total.update(turns[project])
    starts = sorted(total)
    index = pd.DatetimeIndex(starts, name="start")
    return pd.Series([total[start] for start in starts], index, dtype="int64", name="turn_count")


def _name(project: int, names: Mapping[int, str]) -> str:
    return names.get(project, f"project {project}")
