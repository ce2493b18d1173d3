"""Read the names of projects and agents, and find ids by name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Connection,
    exists,
    func,
    select,
)

from aggregator.database.models import ActivityMetric, Agent, Project
from aggregator.database.source import STANDALONE, Source, shown_name
from aggregator.errors import ParameterError, UnknownNameError
from aggregator.query.sql import frame

Names = int | str | Iterable[int | str]


def find_ids(choice: Names | None, known: pd.DataFrame, kind: str) -> tuple[int, ...]:
    """Return the ids of chosen projects or agents.

    Args:
        choice: One or several ids or names, in upper or lower case; a text of digits that
            is not a name is an id. None for all.
        known: (n, ≥2) frame of ``<kind>_id`` and ``name``.
        kind: ``project`` or ``agent``.

    Returns:
        Ids, ascending and distinct; empty for all. Ids are not checked for existence.

    Raises:
        UnknownNameError: A name belongs to none of them, or to several.
        ParameterError: An element is neither an id nor a name, or the choice is empty,
            which must not mean all of them.
    """
    if choice is None:
        return ()
    is_single = isinstance(choice, str | bytes) or not isinstance(choice, Iterable)
    elements: list[Any] = [choice] if is_single else list(cast("Iterable[Any]", choice))
    if not elements:
        raise ParameterError(kind, choice, "at least one, or None for all")
    names = dict(zip(known[f"{kind}_id"].tolist(), known["name"], strict=True))
    by_name: dict[str, list[int]] = {}
    for number, name in names.items():
        by_name.setdefault(_folded(name), []).append(number)
    return tuple(sorted({_id_of(element, names, by_name, kind) for element in elements}))


def _id_of(
    element: Any, names: Mapping[int, str], by_name: Mapping[str, list[int]], kind: str
) -> int:
    # Ids from a frame are integers of numpy.
    if isinstance(element, int | np.integer) and not isinstance(element, bool):
        return int(element)
    if not isinstance(element, str):
        raise ParameterError(kind, element, "ids or names")
    found = by_name.get(_folded(element), [])
    if not found and element.isascii() and element.isdigit():
        return int(element)
    if len(found) != 1:
        raise UnknownNameError(kind, element, names, found)
    return found[0]


def _folded(name: str) -> str:
    """Normalize a name for comparison: Unicode composition and case are ignored."""
    return unicodedata.normalize("NFC", name).casefold()


PROJECT_NAME = func.coalesce(shown_name(Project.name), func.concat("project ", Project.id))
"""SQL for the displayed name of a project; on a host, its own name may be missing."""


def projects_with_metrics(conn: Connection) -> pd.DataFrame:
    """Read ``project_id`` and ``name`` of each project with metrics at any time, by name."""
    return all_projects(conn, exists().where(ActivityMetric.project_id == Project.id))


def agents_with_metrics(conn: Connection, source: Source = STANDALONE) -> pd.DataFrame:
    """Read ``agent_id``, ``project_id`` and ``name`` of each agent with metrics at any time.

    Newest first.
    """
    return all_agents(conn, source, exists().where(ActivityMetric.agent_id == Agent.id))


def project_ids(conn: Connection) -> tuple[int, ...]:
    """Read the ids of all projects, with or without metrics, ascending."""
    return tuple(conn.scalars(select(Project.id).order_by(Project.id)))


def all_projects(conn: Connection, *conditions: ColumnElement[bool]) -> pd.DataFrame:
    """Read ``project_id`` (int64) and ``name`` (str) of each project, by name."""
    statement = (
        select(Project.id.label("project_id"), PROJECT_NAME.label("name"))
        .where(*conditions)
        .order_by(func.lower(PROJECT_NAME), Project.id)
    )
    return frame(conn, statement).astype({"project_id": "int64", "name": "str"})


def all_agents(
    conn: Connection, source: Source = STANDALONE, *conditions: ColumnElement[bool]
) -> pd.DataFrame:
    """Read ``agent_id``, ``project_id`` (int64) and ``name`` (str) of each agent in a project.

    Newest first.
    """
    statement = (
        select(Agent.id.label("agent_id"), Agent.project_id, source.agent_name.label("name"))
        .where(Agent.project_id.is_not(None), *conditions)
        .order_by(Agent.id.desc())
    )
    return frame(conn, statement).astype(
        {"agent_id": "int64", "project_id": "int64", "name": "str"}
    )
