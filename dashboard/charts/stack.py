"""The stacked series of bars: the busiest projects, and all others as one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from aggregator.query.overview import Overview
from dashboard import formatting

PROJECTS_APART = 10
"""Projects with a series of their own, unless the others together would be the largest part."""
COLOURS = 24
"""Colours of projects in each palette of :mod:`dashboard.charts.palette`."""


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
    slots = slots_of({*overview.project_ids, *ranked})
    apart = _apart({project: sum(turns[project].values()) for project in ranked}, slots)
    rest = [project for project in ranked if project not in apart]
    stack = [
        StackedSeries(_name(project, names), project, slots[project], _summed(turns, [project]))
        for project in apart
    ]
    if rest:
        stack.append(
            StackedSeries(formatting.counted(len(rest), "other"), None, None, _summed(turns, rest))
        )
    return stack


def slots_of(projects: Collection[int]) -> dict[int, int]:
    """Return the slot of each project's colour, given the ids of all projects.

    In the order of their ids, which is that of creation, each gets the slot that follows
    from its id, or the next free one. A project that is created later changes no slot before,
    so each has one colour in every view and after every pass. Each :data:`COLOURS` projects
    in succession, from the first on, differ.
    """
    slots: dict[int, int] = {}
    taken: set[int] = set()
    for project in sorted(projects):
        if len(taken) == COLOURS:
            taken = set()
        slot = (project - 1) % COLOURS
        while slot in taken:
            slot = (slot + 1) % COLOURS
        taken.add(slot)
        slots[project] = slot
    return slots


def _apart(turns: Mapping[int, int], slots: Mapping[int, int]) -> list[int]:
    """Choose the projects with a series of their own: the busiest one of each colour.

    Args:
        turns: Turns by project, most first.
        slots: Slots of colours by project.
    """
    first_of_colour = {slots[project]: project for project in reversed(turns)}.values()
    candidates = [project for project in turns if project in first_of_colour]
    left, largest = sum(turns.values()), max(turns.values())
    for place, project in enumerate(candidates):
        if place >= PROJECTS_APART and left <= largest and len(turns) - place > 1:
            return candidates[:place]
        left -= turns[project]
    return candidates


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
