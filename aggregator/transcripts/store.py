"""Store projects, agents, tasks and turns from transcripts, and the importer's state.

The caller owns the transaction and holds the import lock.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Text,
    bindparam,
    column,
    delete,
    func,
    literal,
    select,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import Values

from aggregator.database.models import TIMESTAMPTZ_TYPE, Agent, Project, Task, TranscriptFile, Turn
from aggregator.transcripts.discovery import storable_name
from aggregator.transcripts.parser import FoundTurn, State
from aggregator.transcripts.projects import project_names, project_path
from aggregator.transcripts.reading import UNREADABLE, Reading, Session


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


def save_turns(conn: Connection, turns: Mapping[str, NewTurn]) -> int:
    """Store new turns, with their agents, tasks and projects.

    Args:
        conn: A connection.
        turns: Turns by key, in the order in which they were found.

    Returns:
        Number of turns that were not stored yet.
    """
    if not turns:
        return 0
    known = set(conn.scalars(select(Turn.key).where(Turn.key.in_(turns))))
    new = [turn for key, turn in turns.items() if key not in known]
    if not new:
        return 0
    tasks = _tasks_by_session(conn, new)
    rows = [
        {"task_id": tasks[session_id], "actor": actor, "timestamp": at, "key": key}
        for (key, actor, at, session_id), *_ in new
    ]
    conn.execute(insert(Turn).on_conflict_do_nothing(index_elements=["key"]), rows)
    _move_starts_back(conn, new)
    return len(new)


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
    rows = [{"session_id": key, "project_id": projects[path]} for key, path in paths.items()]
    agents = conn.execute(insert(Agent).returning(Agent.id, Agent.session_id), rows)
    sessions = {row.id: row.session_id for row in agents}
    states = [
        {"agent_id": agent_id, "state": firsts[session_id].session.state}
        for agent_id, session_id in sessions.items()
    ]
    tasks = conn.execute(insert(Task).returning(Task.agent_id, Task.id), states)
    return {sessions[row.agent_id]: row.id for row in tasks}


def _project_of(new: NewTurn) -> str:
    return project_path(new.session.cwd) if new.session.cwd else os.path.dirname(new.file)


def _projects_by_path(conn: Connection, paths: set[str]) -> dict[str, int]:
    rows = [{"path": path, "name": path} for path in sorted(paths)]
    conn.execute(insert(Project).on_conflict_do_nothing(index_elements=["path"]), rows)
    _name_projects(conn)
    found = conn.execute(select(Project.path, Project.id).where(Project.path.in_(paths)))
    return {row.path: row.id for row in found}


def _name_projects(conn: Connection) -> None:
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


def _move_starts_back(conn: Connection, turns: Iterable[NewTurn]) -> None:
    """Set ``started_at`` of agents to their earliest turn."""
    earliest: dict[str, datetime] = {}
    for (_, _, at, session_id), *_ in turns:
        earliest[session_id] = min(at, earliest.get(session_id, at))
    rows = _rows(["session_id", "at"], list(earliest.items()))
    conn.execute(
        update(Agent)
        .where(Agent.session_id == rows.c.session_id)
        .values(started_at=func.least(Agent.started_at, rows.c.at))
    )


def save_states(conn: Connection, readings: Iterable[Reading]) -> None:
    """Update the states of tasks, unless the stored state is newer."""
    newest: dict[str, tuple[datetime, State]] = {}
    for reading in readings:
        for session_id, session in reading.sessions.items():
            if session.at is None or session.state is None:
                continue
            if session_id not in newest or newest[session_id][0] <= session.at:
                newest[session_id] = session.at, session.state
    if not newest:
        return
    rows = _rows(["session_id", "at", "state"], [(key, *last) for key, last in newest.items()])
    # Each turn sets a state too, so a copy of a session that ends before the last turn
    # is outdated.
    last_turn = select(func.max(Turn.timestamp)).where(Turn.task_id == Task.id).scalar_subquery()
    conn.execute(
        update(Task)
        .where(
            Task.agent_id == Agent.id,
            Agent.session_id == rows.c.session_id,
            Task.state != rows.c.state,
            rows.c.at >= last_turn,
        )
        .values(state=rows.c.state)
    )


def _rows(names: list[str], rows: list[tuple[Any, ...]]) -> Values:
    """Build a table of values to update from: one statement for many rows."""
    kinds = {"at": TIMESTAMPTZ_TYPE}
    columns = (column(name, kinds.get(name, Text())) for name in names)
    return values(*columns, name="new").data(rows)


def load_readings(conn: Connection, names: Sequence[str]) -> dict[str, Reading]:
    """Load the saved state of these files, by path."""
    rows = conn.execute(select(*TranscriptFile.__table__.c).where(TranscriptFile.path.in_(names)))
    return {row.path: Reading.from_row(row._asdict()) for row in rows}


def save_readings(conn: Connection, readings: Iterable[Reading]) -> None:
    """Save the state of files that have been read."""
    rows = [reading.to_row() for reading in readings]
    if not rows:
        return
    stmt = insert(TranscriptFile)
    replaced = {name: stmt.excluded[name] for name in rows[0] if name != "path"}
    conn.execute(stmt.on_conflict_do_update(index_elements=["path"], set_=replaced), rows)


def load_file_stats(conn: Connection) -> dict[str, tuple[int, int]]:
    """Load size in bytes and time of change in ns of each file when last seen, by path."""
    stats = select(TranscriptFile.path, TranscriptFile.size, TranscriptFile.modified_ns)
    return {path: (size, modified_ns) for path, size, modified_ns in conn.execute(stats)}


def forget_unreadable(conn: Connection, folders: Iterable[Path], present: Container[str]) -> None:
    """Forget unreadable files below these folders that no longer exist."""
    unreadable = conn.scalars(
        select(TranscriptFile.path).where(TranscriptFile.skipped.has_key(UNREADABLE))
    ).all()
    below = tuple(os.path.join(storable_name(folder), "") for folder in folders)
    gone = [path for path in unreadable if path.startswith(below) and path not in present]
    if not gone:
        return
    is_gone, without = TranscriptFile.path.in_(gone), TranscriptFile.skipped.op("-")
    conn.execute(delete(TranscriptFile).where(is_gone, TranscriptFile.read_bytes == 0))
    conn.execute(
        update(TranscriptFile).where(is_gone).values(skipped=without(literal(UNREADABLE, Text)))
    )
