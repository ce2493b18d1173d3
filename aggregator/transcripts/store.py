"""Store projects, agents, tasks and turns from transcripts.

The caller owns the transaction and holds the import lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Boolean,
    Connection,
    Integer,
    Text,
    bindparam,
    column,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import Values
from sqlalchemy.types import TypeEngine

from aggregator.database.models import TIMESTAMPTZ_TYPE, Agent, Project, Task, Turn
from aggregator.transcripts.names import name_of
from aggregator.transcripts.parser import FoundTurn, State
from aggregator.transcripts.projects import project_names, project_path
from aggregator.transcripts.reading import Reading
from aggregator.transcripts.sessions import Session

LastState = tuple[datetime, int, State]
"""Instant, rank and name of a session's last state, in the order of their comparison."""


class NewTurn(NamedTuple):
    """A turn, with the facts needed to create its agent.

    Attributes:
        turn: The turn.
        session: Facts about its session, from the same file.
        file: Path of the file. Its folder is the project if the session has no ``cwd``.
    """

    turn: FoundTurn
    session: Session
    file: str


class _Named(NamedTuple):
    """Name and folder of a session, as the transcript with its line at an instant tells them."""

    at: datetime
    name: str | None
    cwd: str | None


class _Stored(NamedTuple):
    """The owner of a stored turn, and its instant."""

    task_id: int
    is_copy: bool
    at: datetime
    session_id: str

    @property
    def rank(self) -> tuple[bool, datetime, str]:
        """See :attr:`aggregator.transcripts.parser.FoundTurn.rank`."""
        return self.is_copy, self.at, self.session_id


def save_turns(conn: Connection, turns: Mapping[str, NewTurn]) -> int:
    """Store turns, with their agents, tasks and projects.

    If a turn is stored already, the original of the two stays: rather a line that is
    original than one that says it is copied, then the earlier one. The order in which
    they are stored does not matter.

    Args:
        conn: A connection.
        turns: Turns by key, in the order in which they were found.

    Returns:
        Number of turns that were not stored yet.
    """
    if not turns:
        return 0
    stored = _stored(conn, turns)
    new = [turn for key, turn in turns.items() if key not in stored]
    moved = [
        turn for key, turn in turns.items() if key in stored and turn.turn.rank < stored[key].rank
    ]
    if not new and not moved:
        return 0
    tasks = _tasks_by_session(conn, [*new, *moved])
    if new:
        rows = [_row(found.turn, tasks) for found in new]
        conn.execute(insert(Turn).on_conflict_do_nothing(index_elements=["key"]), rows)
    if moved:
        _move(conn, moved, tasks)
    losers = {stored[found.turn.key].session_id for found in moved}
    _set_starts(conn, losers | {found.turn.session_id for found in [*new, *moved]})
    if moved:
        forget_empty_agents(conn)
    return len(new)


def _stored(conn: Connection, keys: Iterable[str]) -> dict[str, _Stored]:
    rows = conn.execute(
        select(Turn.key, Turn.task_id, Turn.is_copy, Turn.timestamp, Agent.session_id)
        .join(Task, Task.id == Turn.task_id)
        .join(Agent, Agent.id == Task.agent_id)
        .where(Turn.key.in_(keys))
    )
    return {row.key: _Stored(*row[1:]) for row in rows}


def _row(turn: FoundTurn, tasks: Mapping[str, int]) -> dict[str, Any]:
    key, actor, at, session_id, is_copy = turn
    return {
        "task_id": tasks[session_id],
        "actor": actor,
        "timestamp": at,
        "key": key,
        "is_copy": is_copy,
    }


def _move(conn: Connection, moved: Iterable[NewTurn], tasks: Mapping[str, int]) -> None:
    """Give stored turns to the sessions of their originals, with their instants."""
    names = ["task_id", "at", "key", "is_copy"]
    rows = _rows(
        names,
        [(tasks[t.session_id], t.at, t.key, t.is_copy) for t in (found.turn for found in moved)],
    )
    conn.execute(
        update(Turn)
        .where(Turn.key == rows.c.key)
        .values(task_id=rows.c.task_id, timestamp=rows.c.at, is_copy=rows.c.is_copy)
    )


def forget_empty_agents(conn: Connection) -> None:
    """Delete the agents without turns, then the projects without agents; name the others."""
    with_turns = select(Task.agent_id).join(Turn, Turn.task_id == Task.id)
    conn.execute(delete(Agent).where(Agent.id.not_in(with_turns)))
    empty = delete(Project).where(Project.id.not_in(select(Agent.project_id)))
    if conn.execute(empty).rowcount:
        name_projects(conn)


def _tasks_by_session(conn: Connection, turns: Iterable[NewTurn]) -> dict[str, int]:
    """Return the task of each turn's session, creating missing ones."""
    firsts: dict[str, NewTurn] = {}
    for new in turns:
        firsts.setdefault(new.turn.session_id, new)
    rows = conn.execute(
        select(Agent.session_id, Task.id)
        .join(Task, Task.agent_id == Agent.id)
        .where(Agent.session_id.in_(firsts))
    )
    tasks = {row.session_id: row.id for row in rows}
    missing = {key: new for key, new in firsts.items() if key not in tasks}
    return tasks | _add_agents(conn, missing) if missing else tasks


def _add_agents(conn: Connection, firsts: Mapping[str, NewTurn]) -> dict[str, int]:
    """Create an agent with a task for each session, from its first turn; return the tasks."""
    paths = {session_id: _project_of(first) for session_id, first in firsts.items()}
    projects = _projects_by_path(conn, set(paths.values()))
    rows = [
        {
            "session_id": key,
            "project_id": projects[path],
            "known_since": firsts[key].session.since,
        }
        for key, path in paths.items()
    ]
    agents = conn.execute(insert(Agent).returning(Agent.id, Agent.session_id), rows)
    sessions = {row.id: row.session_id for row in agents}
    states = [
        {
            "agent_id": agent_id,
            "state": firsts[session_id].session.state,
            "state_at": firsts[session_id].session.at,
            "state_rank": firsts[session_id].session.state_rank,
        }
        for agent_id, session_id in sessions.items()
    ]
    tasks = conn.execute(insert(Task).returning(Task.agent_id, Task.id), states)
    return {sessions[row.agent_id]: row.id for row in tasks}


def _project_of(new: NewTurn) -> str:
    return _project_path(new.session, new.file)


def _project_path(session: Session, file: str) -> str:
    return project_path(session.cwd) if session.cwd else os.path.dirname(file)


def _projects_by_path(conn: Connection, paths: set[str]) -> dict[str, int]:
    rows = [{"path": path, "name": path} for path in sorted(paths)]
    conn.execute(insert(Project).on_conflict_do_nothing(index_elements=["path"]), rows)
    name_projects(conn)
    found = conn.execute(select(Project.path, Project.id).where(Project.path.in_(paths)))
    return {row.path: row.id for row in found}


def name_projects(conn: Connection) -> None:
    """Name all projects; because of a new one, others may need longer names."""
    named = {row.path: row.name for row in conn.execute(select(Project.path, Project.name))}
    changed = [
        {"of": path, "new": name}
        for path, name in project_names(named).items()
        if name != named[path]
    ]
    if changed:
        conn.execute(
            update(Project).where(Project.path == bindparam("of")).values(name=bindparam("new")),
            changed,
        )


def _set_starts(conn: Connection, sessions: Iterable[str]) -> None:
    """Set ``started_at`` of agents to their earliest turn."""
    earliest = (
        select(func.min(Turn.timestamp))
        .join(Task, Task.id == Turn.task_id)
        .where(Task.agent_id == Agent.id)
        .scalar_subquery()
    )
    conn.execute(update(Agent).where(Agent.session_id.in_(sessions)).values(started_at=earliest))


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
                first = session.since, _project_path(session, reading.name)
                firsts[key] = min(firsts.get(key, first), first)
    if states:
        _save_states(conn, states)
    if firsts:
        _save_projects(conn, firsts)
    if named:
        _save_names(conn, named)


def _save_states(conn: Connection, states: Mapping[str, LastState]) -> None:
    names = ["session_id", "at", "rank", "state"]
    rows = _rows(names, [(key, *last) for key, last in states.items()])
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
    rows = _rows(["session_id", "at", "name", "cwd"], [(key, *told) for key, told in named.items()])
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
    rows = _rows(["session_id", "at", "path"], [(key, *first) for key, first in firsts.items()])
    earlier = tuple_(rows.c.at, rows.c.path) < tuple_(Agent.known_since, Project.path)
    found = conn.execute(
        select(Agent.id, rows.c.at, rows.c.path, Project.path.label("old"))
        .join(Project, Project.id == Agent.project_id)
        .join(rows, rows.c.session_id == Agent.session_id)
        .where(or_(Agent.known_since.is_(None), earlier))
    ).all()
    if not found:
        return
    projects = _projects_by_path(conn, {row.path for row in found})
    conn.execute(
        update(Agent)
        .where(Agent.id == bindparam("of"))
        .values(project_id=bindparam("project"), known_since=bindparam("since")),
        [{"of": row.id, "project": projects[row.path], "since": row.at} for row in found],
    )
    if any(row.path != row.old for row in found):
        forget_empty_agents(conn)


def _rows(names: list[str], rows: list[tuple[Any, ...]]) -> Values:
    """Build a table of values to update from: one statement for many rows."""
    kinds: dict[str, TypeEngine[Any]] = {
        "at": TIMESTAMPTZ_TYPE,
        "task_id": Integer(),
        "rank": Integer(),
        "is_copy": Boolean(),
    }
    columns = (column(name, kinds.get(name, Text())) for name in names)
    return values(*columns, name="new").data(rows)
