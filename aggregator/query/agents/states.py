"""Present states of agents, read from their last facts.

What the states mean is defined in :mod:`aggregator.intervals.state`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Connection, func, literal, select, text

from aggregator.database.facts import Windows, has_signals, read_facts
from aggregator.database.models import ActivityRun, Agent, Project, Turn
from aggregator.database.source import STANDALONE, Source
from aggregator.intervals.present import present_facts, present_states
from aggregator.intervals.state import ENDED, AgentFacts
from aggregator.metrics.hourly import INSTANT_DTYPE
from aggregator.query.agents.names import PROJECT_NAME
from aggregator.query.sql import among

PRESENT_FOR = timedelta(hours=24)
"""An agent whose last turn is older than this is not present and has no state."""

_NOTHING_TOLD = pd.DataFrame(columns=["agent_id", "message_at", "status", "status_at", "gone_at"])
# A session that runs counts first, then the one that went last.
_SESSIONS = text(
    """
    SELECT agents.id, message.at, live.status, live.status_at, live.gone_at FROM agents
    LEFT JOIN LATERAL (
        SELECT status, status_at, gone_at FROM live_sessions
        WHERE session_id = agents.session_id
        ORDER BY gone_at DESC NULLS FIRST, status_at DESC LIMIT 1
    ) AS live ON true
    LEFT JOIN signals AS message
        ON message.session_id = agents.session_id AND message.kind = 'message'
    WHERE agents.id = ANY (:agents) AND (live.status IS NOT NULL OR message.at IS NOT NULL)
    """
)


class Present(NamedTuple):
    """Present agents: those with a project and a turn in the last 24 hours.

    Attributes:
        last_turns: (n, 3) frame of ``agent_id``, ``project_id`` (int64) and ``last_turn_at``
            (UTC), newest first; with those that have ended.
        states: (m, 13) frame of those that have not: ``agent_id`` and ``project_id`` (int64),
            ``state`` (one of :data:`aggregator.intervals.state.STATES`), ``since`` (UTC),
            ``reason``, ``tool`` (str), ``changes_at`` (UTC, NaT for never: the next instant at
            which time alone may change the state), ``name``, ``project`` (str),
            ``session_id``, ``cwd`` (str, empty on a host and if unknown), ``origin`` (str,
            empty if a person started it) and ``last_turn_at`` (UTC), newest turn first.
    """

    last_turns: pd.DataFrame
    states: pd.DataFrame


def next_change(states: pd.DataFrame, after: datetime) -> datetime | None:
    """Return the first instant at which time alone may change states, or None.

    An agent has been silent for long enough to be in another state, or to be gone.

    Args:
        states: See :class:`Present`.
        after: Instants until then do not count.
    """
    gone_at = states["last_turn_at"] + PRESENT_FOR
    edges = pd.concat([states["changes_at"].dropna(), gone_at])
    ahead = edges[edges > after]
    return None if ahead.empty else ahead.min().to_pydatetime()


@dataclass(frozen=True, slots=True)
class PresentFacts:
    """Facts that decide about the states of present agents.

    Attributes:
        read_at: When they were read.
        last_turns: See :class:`Present`.
        facts: Facts by agent.
        known: (k, 6) frame of ``agent_id``, and names and sessions as in :class:`Present`.
    """

    read_at: datetime
    last_turns: pd.DataFrame
    facts: Mapping[int, AgentFacts]
    known: pd.DataFrame

    def at(self, now: datetime) -> Present:
        """Return who is present at an instant, and in which state, if nothing else happens.

        Args:
            now: An instant at or after the reading.
        """
        turns = self.last_turns[self.last_turns["last_turn_at"] > now - PRESENT_FOR]
        states = present_states(self.facts, now)
        present = turns.merge(states[states["state"] != ENDED], on="agent_id").merge(
            self.known, on="agent_id"
        )
        return Present(turns, present[[*present.columns.drop("last_turn_at"), "last_turn_at"]])


def read_present(conn: Connection, now: datetime, source: Source = STANDALONE) -> PresentFacts:
    """Read which agents are present, and what decides about their states."""
    turns = _last_turns(conn, now, source)
    agents = tuple(turns["agent_id"].tolist())
    facts = read_facts(conn, _last_runs(conn, agents, now), source)
    turns_, signals, calls = (
        rows.assign(agent_id=turns["agent_id"].to_numpy()[rows["agent_id"]]) for rows in facts[:3]
    )
    found = present_facts(turns_, signals, calls, _agents(conn, agents, source), now)
    return PresentFacts(now, turns, found, _names(conn, agents, source))


def _last_turns(conn: Connection, now: datetime, source: Source) -> pd.DataFrame:
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


def _names(conn: Connection, agents: tuple[int, ...], source: Source) -> pd.DataFrame:
    """Read the names of agents and of their projects, and of sessions what resumes them."""
    of_session = (
        (Agent.session_id, func.coalesce(Agent.cwd, ""))
        if has_signals(conn)
        else (literal(""), literal(""))
    )
    columns = ("agent_id", "name", "project", "session_id", "cwd", "origin")
    rows = conn.execute(
        select(
            Agent.id,
            source.agent_name,
            PROJECT_NAME,
            *of_session,
            func.coalesce(source.agent_origin, ""),
        )
        .join(Project, Project.id == Agent.project_id)
        .where(among(Agent.id, agents))
    ).all()
    texts = dict.fromkeys(columns[1:], "str")
    return pd.DataFrame([tuple(row) for row in rows], columns=columns).astype(
        {"agent_id": "int64", **texts}
    )


def _last_runs(conn: Connection, agents: tuple[int, ...], now: datetime) -> Windows:
    """Windows from the last stored run of each agent until now.

    The last pass may have been before its newest run. Then the window is longer than needed.
    """
    rows = conn.execute(
        select(ActivityRun.agent_id, func.max(ActivityRun.started_at))
        .where(among(ActivityRun.agent_id, agents), ActivityRun.started_at <= now)
        .group_by(ActivityRun.agent_id)
    ).all()
    started: dict[int, datetime] = dict(rows)
    since = tuple(started.get(agent, now - PRESENT_FOR) for agent in agents)
    return Windows(agents, since, (now,) * len(agents))


def _agents(conn: Connection, agents: tuple[int, ...], source: Source) -> pd.DataFrame:
    """Read what is known of agents apart from their turns and signals."""
    task = source.task.c
    newest = select(func.max(task.id)).where(among(task.agent_id, agents)).group_by(task.agent_id)
    newest_task = select(task.agent_id, task.state).where(task.id.in_(newest)).subquery()
    rows = conn.execute(
        select(Agent.id, source.ended_at, newest_task.c.state)
        .outerjoin(newest_task, newest_task.c.agent_id == Agent.id)
        .where(among(Agent.id, agents))
    ).all()
    frame = pd.DataFrame(
        [tuple(row) for row in rows], columns=["agent_id", "ended_at", "task_state"]
    )
    told = _told_by_sessions(conn, agents) if has_signals(conn) else _NOTHING_TOLD
    frame = frame.join(told.set_index("agent_id"), on="agent_id")
    instants = ("ended_at", "message_at", "status_at", "gone_at")
    return frame.assign(
        **{name: pd.to_datetime(frame[name], utc=True).dt.as_unit("us") for name in instants}
    ).astype({"agent_id": "int64"})


def _told_by_sessions(conn: Connection, agents: tuple[int, ...]) -> pd.DataFrame:
    """Read of agents with sessions on our own tables which run, and whose message is open."""
    rows = conn.execute(_SESSIONS, {"agents": list(agents)}).all()
    return pd.DataFrame([tuple(row) for row in rows], columns=_NOTHING_TOLD.columns)
