"""Names of projects and agents, and the ids they stand for."""

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
from aggregator.database.source import STANDALONE, Source
from aggregator.errors import ParameterError, UnknownNameError
from aggregator.query.sql import frame

Names = int | str | Iterable[int | str]


def find_ids(wanted: Names | None, known: pd.DataFrame, kind: str) -> tuple[int, ...]:
    """The ids that are meant.

    Args:
        wanted: One or several, each an id or a name, in upper or lower case; a text of
            digits that is no name is an id. None for all.
        known: (n, ≥2) frame of ``<kind>_id`` and ``name``.
        kind: ``project`` or ``agent``.

    Returns:
        Ascending and distinct; empty for all. An id is taken as it is, known or not.

    Raises:
        UnknownNameError: A name is none of theirs, or that of several.
        ParameterError: It is neither an id nor a name, or nothing at all: a choice that
            has come out empty must not mean everybody.
    """
    if wanted is None:
        return ()
    one = isinstance(wanted, str | bytes) or not isinstance(wanted, Iterable)
    each: list[Any] = [wanted] if one else list(cast("Iterable[Any]", wanted))
    if not each:
        raise ParameterError(kind, wanted, "at least one, or None for all")
    names = dict(zip(known[f"{kind}_id"].tolist(), known["name"], strict=True))
    by_name: dict[str, list[int]] = {}
    for number, name in names.items():
        by_name.setdefault(_folded(name), []).append(number)
    return tuple(sorted({_id_of(one, names, by_name, kind) for one in each}))


def _id_of(
    wanted: Any, names: Mapping[int, str], by_name: Mapping[str, list[int]], kind: str
) -> int:
    # A frame's ids are numpy's own integers.
    if isinstance(wanted, int | np.integer) and not isinstance(wanted, bool):
        return int(wanted)
    if not isinstance(wanted, str):
        raise ParameterError(kind, wanted, "ids or names")
    found = by_name.get(_folded(wanted), [])
    if not found and wanted.isascii() and wanted.isdigit():
        return int(wanted)
    if len(found) != 1:
        raise UnknownNameError(kind, wanted, names, found)
    return found[0]


def _folded(name: str) -> str:
    """The same for names that look alike but for upper and lower case."""
    return unicodedata.normalize("NFC", name).casefold()


PROJECT_NAME = func.coalesce(
    func.nullif(func.btrim(Project.name), ""), func.concat("project ", Project.id)
)
"""What people call a project; a host may have some without a name."""


def projects_with_metrics(conn: Connection) -> pd.DataFrame:
    """``project_id`` and ``name`` of each project that has metrics at any time, by name."""
    return all_projects(conn, exists().where(ActivityMetric.project_id == Project.id))


def agents_with_metrics(conn: Connection, source: Source = STANDALONE) -> pd.DataFrame:
    """``agent_id``, ``project_id`` and ``name`` of each such agent, newest first."""
    return all_agents(conn, source, exists().where(ActivityMetric.agent_id == Agent.id))


def all_projects(conn: Connection, *conditions: ColumnElement[bool]) -> pd.DataFrame:
    """``project_id`` (int64) and ``name`` (str) of each project, by name."""
    statement = (
        select(Project.id.label("project_id"), PROJECT_NAME.label("name"))
        .where(*conditions)
        .order_by(func.lower(PROJECT_NAME), Project.id)
    )
    return frame(conn, statement).astype({"project_id": "int64", "name": "str"})


def all_agents(
    conn: Connection, source: Source = STANDALONE, *conditions: ColumnElement[bool]
) -> pd.DataFrame:
    """``agent_id``, ``project_id`` (int64) and ``name`` (str) of each agent of a project.

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
