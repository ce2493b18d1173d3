"""Present state of each agent: working, waiting for input, or idle."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, func, select

from aggregator.database.models import Agent, Project, Turn
from aggregator.database.source import STANDALONE, Source
from aggregator.metrics.hourly import INSTANT_DTYPE

PRESENT_FOR = timedelta(hours=24)
"""An agent whose last turn is older than this is not present and has no state."""
IDLE_AFTER = timedelta(hours=1)
"""An agent without a turn for this long is idle, whatever the state of its task."""

WORKING = "working"
WAITING = "waiting"
IDLE = "idle"
STATES = (WORKING, WAITING, IDLE)

_BY_TASK_STATE = {"commanded": WORKING, "processing": WORKING, "awaiting_input": WAITING}


def last_turns(conn: Connection, now: datetime, source: Source = STANDALONE) -> pd.DataFrame:
    """Read the last turn of every agent with a turn in the last 24 hours, ended or not.

    Agents without a project are left out.

    Returns:
        (n, 3) frame of ``agent_id``, ``project_id`` (int64) and ``last_turn_at`` (UTC),
        newest first.
    """
    task = source.task.c
    newest = (
        select(task.agent_id, func.max(source.turn_at).label("last_turn_at"))
        .join(Turn, source.turn_task_id == task.id)
        .where(source.turn_at > now - PRESENT_FOR, source.turn_at <= now)
        .group_by(task.agent_id)
        .subquery()
    )
    rows = conn.execute(
        select(Agent.id, Agent.project_id, newest.c.last_turn_at)
        .join(Project, Project.id == Agent.project_id)
        .join(newest, newest.c.agent_id == Agent.id)
        .order_by(newest.c.last_turn_at.desc(), Agent.id)
    ).all()
    return pd.DataFrame(
        [tuple(row) for row in rows], columns=["agent_id", "project_id", "last_turn_at"]
    ).astype({"agent_id": "int64", "project_id": "int64", "last_turn_at": INSTANT_DTYPE})


def agent_states(conn: Connection, now: datetime, source: Source = STANDALONE) -> pd.DataFrame:
    """Read the state of every present agent.

    An agent is present if it belongs to a project, has not ended and had a turn in the
    last 24 hours. It is idle after an hour without a turn; before that, the state of its
    newest task shows whether it is working or waiting for a person.

    Returns:
        (n, 4) frame of ``agent_id`` and ``project_id`` (int64), ``state`` (one of
        :data:`STATES`) and ``last_turn_at`` (UTC), newest first.
    """
    return states_of(conn, last_turns(conn, now, source), now, source)


def states_of(
    conn: Connection, turns: pd.DataFrame, now: datetime, source: Source = STANDALONE
) -> pd.DataFrame:
    """Read the states of agents, given the result of :func:`last_turns`.

    See :func:`agent_states`.
    """
    agents = turns["agent_id"].tolist()
    task = source.task.c
    newest = select(func.max(task.id)).where(task.agent_id.in_(agents)).group_by(task.agent_id)
    newest_task = select(task.agent_id, task.state).where(task.id.in_(newest)).subquery()
    found = conn.execute(
        select(Agent.id, newest_task.c.state)
        .join(newest_task, newest_task.c.agent_id == Agent.id)
        .where(source.ended_at.is_(None) | (source.ended_at > now))
    )
    states: dict[int, str] = dict(found.all())
    present = turns[turns["agent_id"].isin(states)].reset_index(drop=True)
    present["state"] = pd.Series(
        [
            _state(states[agent_id], now - last)
            for agent_id, last in zip(present["agent_id"], present["last_turn_at"], strict=True)
        ],
        dtype="str",
    )
    return present[["agent_id", "project_id", "state", "last_turn_at"]]


def _state(task_state: str, silent_for: timedelta) -> str:
    if silent_for >= IDLE_AFTER:
        return IDLE
    return _BY_TASK_STATE.get(str(task_state).lower(), IDLE)
