"""Put right what earlier rules made of transcripts, which are now read again.

The caller owns the transaction and holds the import lock. Everything happens in one
transaction, so that nobody sees a state in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.orm import aliased

from aggregator.database.models import Agent, Project, Signal, Task, TranscriptFile, Turn
from aggregator.transcripts.projects import canonical_folder
from aggregator.transcripts.reading import FORMAT, Reading
from aggregator.transcripts.store.projects import forget_empty_agents, name_projects


def forget_outdated(conn: Connection, readings: Sequence[Reading]) -> None:
    """Forget what is known from outdated readings of files that will now be read again.

    Turns of sessions of which another transcript cannot be read again, because it was
    deleted, are kept.
    """
    told = {session for reading in readings for session in reading.sessions}
    kept = select(TranscriptFile.sessions).where(
        TranscriptFile.format != FORMAT,
        TranscriptFile.path.not_in([reading.name for reading in readings]),
    )
    sessions = told.difference(*conn.scalars(kept))
    agents = select(Agent.id).where(Agent.session_id.in_(sessions))
    tasks = select(Task.id).where(Task.agent_id.in_(agents))
    conn.execute(delete(Turn).where(Turn.task_id.in_(tasks)))
    # The file of a sub-agent may be gone; its spans are the same by all rules.
    told_again = Signal.session_id.in_(sessions), Signal.kind != "subagent"
    conn.execute(delete(Signal).where(*told_again))
    conn.execute(update(Task).where(Task.id.in_(tasks)).values(state_at=None))
    conn.execute(update(Agent).where(Agent.id.in_(agents)).values(known_since=None, named_at=None))


def settle_outdated(conn: Connection) -> None:
    """Reconcile what was kept with what was read again.

    Replies that were kept have identities of the first format, which was the id of the
    message alone. Projects that were kept may be spellings of one folder.
    """
    _join_replies(conn)
    _join_projects(conn)
    forget_empty_agents(conn)
    name_projects(conn)


def _join_replies(conn: Connection) -> None:
    """Make a kept reply and the copy of it that was read again one turn, which stays."""
    kept, copy = aliased(Turn), aliased(Turn)
    rows = conn.execute(
        select(kept.id, copy.id, copy.key)
        .join(copy, copy.timestamp == kept.timestamp)
        .where(
            kept.actor == "AGENT",
            func.strpos(kept.key, "/") == 0,
            func.starts_with(copy.key, kept.key.concat("/")),
        )
        .order_by(kept.id, copy.id)
    )
    pairs = {kept_id: (copy_id, key) for kept_id, copy_id, key in rows}
    if not pairs:
        return
    conn.execute(delete(Turn).where(Turn.id.in_([copy_id for copy_id, _ in pairs.values()])))
    for kept_id, (_, key) in pairs.items():
        conn.execute(update(Turn).where(Turn.id == kept_id).values(key=key))


def _join_projects(conn: Connection) -> None:
    """Join projects whose paths are spellings of one folder."""
    rows = conn.execute(select(Project.id, Project.path).order_by(Project.id)).all()
    known = {path: project_id for project_id, path in rows}
    for project_id, path in rows:
        folder = canonical_folder(path)
        if folder == path:
            continue
        if folder in known:
            _move_agents(conn, [project_id], known[folder])
        else:
            conn.execute(update(Project).where(Project.id == project_id).values(path=folder))
            known[folder] = project_id


def _move_agents(conn: Connection, projects: Iterable[int], project: int) -> None:
    conn.execute(update(Agent).where(Agent.project_id.in_(projects)).values(project_id=project))
