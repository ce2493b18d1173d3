"""Store turns, with the agents and tasks that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from aggregator.database.models import Agent, Task, Turn
from aggregator.transcripts.parser import FoundTurn
from aggregator.transcripts.sessions import Session
from aggregator.transcripts.store.projects import (
    forget_empty_agents,
    path_of,
    projects_by_path,
)
from aggregator.transcripts.store.rows import value_rows


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
    rows = value_rows(
        names,
        [(tasks[t.session_id], t.at, t.key, t.is_copy) for t in (found.turn for found in moved)],
    )
    conn.execute(
        update(Turn)
        .where(Turn.key == rows.c.key)
        .values(task_id=rows.c.task_id, timestamp=rows.c.at, is_copy=rows.c.is_copy)
    )


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
    paths = {key: path_of(first.session, first.file) for key, first in firsts.items()}
    projects = projects_by_path(conn, set(paths.values()))
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


def _set_starts(conn: Connection, sessions: Iterable[str]) -> None:
    """Set ``started_at`` of agents to their earliest turn."""
    earliest = (
        select(func.min(Turn.timestamp))
        .join(Task, Task.id == Turn.task_id)
        .where(Task.agent_id == Agent.id)
        .scalar_subquery()
    )
    conn.execute(update(Agent).where(Agent.session_id.in_(sessions)).values(started_at=earliest))
