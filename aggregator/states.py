"""What each agent is doing now: working, waiting for input, or idle."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from aggregator.models import Agent, Project, Task, Turn
from aggregator.source import STANDALONE, Source

PRESENT_FOR = timedelta(hours=24)
"""An agent whose last turn is older has left and has no state."""
IDLE_AFTER = timedelta(hours=1)
"""An agent without a turn for this long is idle, whatever its task says."""

WORKING = "working"
WAITING = "waiting"
IDLE = "idle"
STATES = (WORKING, WAITING, IDLE)

_BY_TASK_STATE = {"commanded": WORKING, "processing": WORKING, "awaiting_input": WAITING}


def agent_states(conn: Connection, now: datetime, source: Source = STANDALONE) -> pd.DataFrame:
    """The state of every agent that is present.

    Present is an agent of a project that has not ended and had a turn in the last 24
    hours. It
    is idle after an hour without a turn; before that, its newest task tells
    whether it works or waits for a person.

    Returns:
        (n, 4) frame of ``agent_id`` and ``project_id`` (int64), ``state`` (one of
        :data:`STATES`) and ``last_turn_at`` (UTC), newest first.
    """
    last_turns = (
        select(Task.agent_id, func.max(source.turn_at).label("last_turn_at"))
        .join(Turn, Turn.task_id == Task.id)
        .where(source.turn_at > now - PRESENT_FOR, source.turn_at <= now)
        .group_by(Task.agent_id)
        .subquery()
    )
    newest_task = (
        select(Task.agent_id, Task.state)
        .ext(distinct_on(Task.agent_id))
        .where(Task.agent_id.in_(select(last_turns.c.agent_id)))
        .order_by(Task.agent_id, Task.id.desc())
        .subquery()
    )
    rows = conn.execute(
        select(Agent.id, Agent.project_id, newest_task.c.state, last_turns.c.last_turn_at)
        .join(Project, Project.id == Agent.project_id)
        .join(last_turns, last_turns.c.agent_id == Agent.id)
        .join(newest_task, newest_task.c.agent_id == Agent.id)
        .where(source.ended_at.is_(None) | (source.ended_at > now))
        .order_by(last_turns.c.last_turn_at.desc(), Agent.id)
    ).all()
    frame = pd.DataFrame(
        [tuple(row) for row in rows],
        columns=["agent_id", "project_id", "task_state", "last_turn_at"],
    ).astype({"agent_id": "int64", "project_id": "int64", "last_turn_at": "datetime64[us, UTC]"})
    frame["state"] = [
        _state(task_state, now - last)
        for task_state, last in zip(frame["task_state"], frame["last_turn_at"], strict=True)
    ]
    return frame[["agent_id", "project_id", "state", "last_turn_at"]]


def _state(task_state: str, silent_for: timedelta) -> str:
    if silent_for >= IDLE_AFTER:
        return IDLE
    return _BY_TASK_STATE.get(str(task_state).lower(), IDLE)
