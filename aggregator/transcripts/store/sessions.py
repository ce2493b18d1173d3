"""Store what is known of sessions: their states, names and projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    Connection,
    bindparam,
    or_,
    select,
    tuple_,
    update,
)

from aggregator.database.models import Agent, Project, Task
from aggregator.transcripts.names import name_of
from aggregator.transcripts.parser import State
from aggregator.transcripts.reading import Reading
from aggregator.transcripts.store.projects import forget_empty_agents, path_of, projects_by_path
from aggregator.transcripts.store.rows import value_rows

LastState = tuple[datetime, int, State]
"""Instant, rank and name of a session's last state, in the order of their comparison."""


class _Named(NamedTuple):
    """Name and folder of a session, as the transcript with its line at an instant tells them."""

    at: datetime
    name: str | None
    cwd: str | None


def save_sessions(conn: Connection, readings: Iterable[Reading]) -> None:
    """Update states, projects and names of agents from what was read of their sessions.

    A session may have several transcripts. The state is that of its latest line, the name
    that of the transcript which has it, and the project that of the transcript that begins
    first, in whichever order they are read.
    """
    states: dict[str, LastState] = {}
    firsts: dict[str, tuple[datetime, str]] = {}
    named: dict[str, _Named] = {}
    for reading in readings:
        for key, session in reading.sessions.items():
            if session.at is not None:
                told = _Named(session.at, name_of(session.names), session.cwd or None)
                named[key] = max(named.get(key, told), told, key=lambda one: one.at)
            if session.at is not None and session.state is not None:
                last = session.at, session.state_rank, session.state
                states[key] = max(states.get(key, last), last)
            if session.since is not None and session.cwd is not None:
                first = session.since, path_of(session, reading.name)
                firsts[key] = min(firsts.get(key, first), first)
    if states:
        _save_states(conn, states)
    if firsts:
        _save_projects(conn, firsts)
    if named:
        _save_names(conn, named)


def _save_states(conn: Connection, states: Mapping[str, LastState]) -> None:
    names = ["session_id", "at", "rank", "state"]
    rows = value_rows(names, [(key, *last) for key, last in states.items()])
    newer = tuple_(rows.c.at, rows.c.rank, rows.c.state) > tuple_(
        Task.state_at, Task.state_rank, Task.state
    )
    conn.execute(
        update(Task)
        .where(
            Task.agent_id == Agent.id,
            Agent.session_id == rows.c.session_id,
            or_(Task.state_at.is_(None), newer),
        )
        .values(state=rows.c.state, state_at=rows.c.at, state_rank=rows.c.rank)
    )


def _save_names(conn: Connection, named: Mapping[str, _Named]) -> None:
    rows = value_rows(
        ["session_id", "at", "name", "cwd"], [(key, *told) for key, told in named.items()]
    )
    new, known = (rows.c.name, rows.c.cwd), (Agent.name, Agent.cwd)
    differs = tuple_(*new).is_distinct_from(tuple_(*known))
    conn.execute(
        update(Agent)
        .where(
            Agent.session_id == rows.c.session_id,
            or_(Agent.named_at.is_(None), rows.c.at >= Agent.named_at),
            or_(differs, rows.c.at.is_distinct_from(Agent.named_at)),
        )
        .values(name=rows.c.name, cwd=rows.c.cwd, named_at=rows.c.at)
    )


def _save_projects(conn: Connection, firsts: Mapping[str, tuple[datetime, str]]) -> None:
    """Move agents to the project of a transcript that begins earlier than the known one."""
    rows = value_rows(
        ["session_id", "at", "path"], [(key, *first) for key, first in firsts.items()]
    )
    earlier = tuple_(rows.c.at, rows.c.path) < tuple_(Agent.known_since, Project.path)
    found = conn.execute(
        select(Agent.id, rows.c.at, rows.c.path, Project.path.label("old"))
        .join(Project, Project.id == Agent.project_id)
        .join(rows, rows.c.session_id == Agent.session_id)
        .where(or_(Agent.known_since.is_(None), earlier))
    ).all()
    if not found:
        return
    projects = projects_by_path(conn, {row.path for row in found})
    conn.execute(
        update(Agent)
        .where(Agent.id == bindparam("of"))
        .values(project_id=bindparam("project"), known_since=bindparam("since")),
        [{"of": row.id, "project": projects[row.path], "since": row.at} for row in found],
    )
    if any(row.path != row.old for row in found):
        forget_empty_agents(conn)
