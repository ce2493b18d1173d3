"""Lines of transcripts, and what an import makes of them, for several test modules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
from sqlalchemy import select, text

from aggregator.database.models import Agent, Project, Signal, Task, TranscriptFile, Turn

START = datetime(2026, 2, 7, 10, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def prompt(minute: int, session: str = "s1", *, key: str | None = None, **fields) -> bytes:
    line = {
        "type": "user",
        "uuid": key or f"{session}-u{minute}",
        "sessionId": session,
        "timestamp": at(minute).isoformat(),
        "cwd": "/gone/cli",
        "message": {"content": "Fix it"},
    }
    return orjson.dumps(line | fields) + b"\n"


def reply(minute: int, session: str = "s1", *, key: str | None = None, **fields) -> bytes:
    message = {
        "id": key or f"{session}-m{minute}",
        "content": [{"type": "text", "text": "Done."}],
    }
    named = {"requestId": "r"} | fields
    return prompt(minute, session, type="assistant", message=message, **named)


SIGNALS = select(*(column for column in Signal.__table__.c if column.name != "id")).order_by(
    Signal.key
)


def everything(engine):
    """Return all rows without ids, which depend on how the work was divided."""
    turns = (
        select(
            Turn.key, Turn.actor, Turn.timestamp, Agent.session_id, Agent.started_at,
            Agent.ended_at, Project.path, Project.name, Task.state,
        )
        .select_from(Project)
        .outerjoin(Agent, Agent.project_id == Project.id)
        .outerjoin(Task, Task.agent_id == Agent.id)
        .outerjoin(Turn, Turn.task_id == Task.id)
        .order_by(Project.path, Agent.session_id, Turn.timestamp, Turn.key)
    )  # fmt: skip
    files = select(*TranscriptFile.__table__.c).order_by(TranscriptFile.path)
    with engine.connect() as conn:
        return [list(map(tuple, conn.execute(query))) for query in (turns, files, SIGNALS)]


def signals(engine):
    """Return all signals, and the origins of agents, in a certain order."""
    origins = select(Agent.session_id, Agent.origin).order_by(Agent.session_id)
    with engine.connect() as conn:
        return [list(map(tuple, conn.execute(query))) for query in (SIGNALS, origins)]


def turns_by_session(engine):
    query = select(Agent.session_id, Turn.key).join(Task, Task.agent_id == Agent.id)
    query = query.join(Turn, Turn.task_id == Task.id).order_by(Agent.session_id, Turn.timestamp)
    found: dict[str, list[str]] = {}
    with engine.connect() as conn:
        for session, key in conn.execute(query):
            found.setdefault(session, []).append(key)
    return found


def states(engine):
    query = select(Agent.session_id, Task.state).join(Task, Task.agent_id == Agent.id)
    with engine.connect() as conn:
        return dict(map(tuple, conn.execute(query)))


def start_anew(engine):
    with engine.begin() as conn:
        conn.execute(text("TRUNCATE projects, signals, transcript_files CASCADE"))
