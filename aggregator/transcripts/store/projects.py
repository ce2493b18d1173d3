"""Store projects, and delete agents and projects that have become empty."""

from __future__ import annotations

import os

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from aggregator.database.models import Agent, Project, Task, Turn
from aggregator.transcripts.projects import project_names, project_path
from aggregator.transcripts.sessions import Session


def path_of(session: Session, file: str) -> str:
    """Return the path of a session's project: of its ``cwd``, else the folder of its file."""
    return project_path(session.cwd) if session.cwd else os.path.dirname(file)


def projects_by_path(conn: Connection, paths: set[str]) -> dict[str, int]:
    """Return the ids of projects by path, creating missing ones."""
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


def forget_empty_agents(conn: Connection) -> None:
    """Delete the agents without turns, then the projects without agents; name the others."""
    with_turns = select(Task.agent_id).join(Turn, Turn.task_id == Task.id)
    conn.execute(delete(Agent).where(Agent.id.not_in(with_turns)))
    empty = delete(Project).where(Project.id.not_in(select(Agent.project_id)))
    if conn.execute(empty).rowcount:
        name_projects(conn)
