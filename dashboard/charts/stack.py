"""The layers of stacked bars: the busiest projects, and all the others as one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from aggregator.query.overview import Overview
from dashboard import formatting

MOST_PROJECTS = 6
"""Projects with a layer of their own: as many as colours can be told apart."""


@dataclass(frozen=True, slots=True)
class StackedSeries:
    """One project's part of the bars, or that of all the small ones.

    Attributes:
        name: Of the project; ``14 others``.
        project_id: None for several.
        slot: Which colour it has, from 0; None for the one of the others.
        turns: (n,) int64 turns by start of the bucket (UTC), only those with turns.
    """

    name: str
    project_id: int | None
    slot: int | None
    turns: pd.Series


def stack_projects(overview: Overview, names: Mapping[int, str]) -> list[StackedSeries]:
    """The projects of an overview, the busiest first; none where there is only one.

    Args:
        overview: What to show.
        names: Names of projects by id.
    """
    turns = _by_project(overview.project_buckets)
    ranked = sorted(turns, key=lambda one: (-sum(turns[one].values()), one))
    if len(ranked) < 2:
        return []
    busiest, rest = ranked[:MOST_PROJECTS], ranked[MOST_PROJECTS:]
    slots = colours_of_projects(busiest)
    found = [
        StackedSeries(_name(one, names), one, slots[one], _summed(turns, [one])) for one in busiest
    ]
    if len(rest) == 1:
        found.append(StackedSeries(_name(rest[0], names), rest[0], None, _summed(turns, rest)))
    elif rest:
        found.append(
            StackedSeries(formatting.counted(len(rest), "other"), None, None, _summed(turns, rest))
        )
    return found


def colours_of_projects(projects: list[int]) -> dict[int, int]:
    """A colour for each of at most :data:`MOST_PROJECTS` projects.

    Each takes the one that goes with its id, or the next that is free; the first have
    the first choice. So a project has the same colour in most views.
    """
    slots: dict[int, int] = {}
    for one in projects:
        wishes = ((one - 1 + step) % MOST_PROJECTS for step in range(MOST_PROJECTS))
        slots[one] = next(slot for slot in wishes if slot not in slots.values())
    return slots


def _by_project(turns: pd.DataFrame) -> dict[int, Counter[pd.Timestamp]]:
    """Turns by start of the bucket of each project. Plain: pandas takes ten times as long."""
    found: dict[int, Counter[pd.Timestamp]] = defaultdict(Counter)
    rows = zip(turns["project_id"].tolist(), turns["start"], turns["turn_count"], strict=True)
    for project, start, count in rows:
        found[project][start] += count
    return found


def _summed(turns: Mapping[int, Counter[pd.Timestamp]], projects: list[int]) -> pd.Series:
    total: Counter[pd.Timestamp] = Counter()
    for project in projects:
        total.update(turns[project])
    starts = sorted(total)
    index = pd.DatetimeIndex(starts, name="start")
    return pd.Series([total[start] for start in starts], index, dtype="int64", name="turn_count")


def _name(project: int, names: Mapping[int, str]) -> str:
    return names.get(project, f"project {project}")
