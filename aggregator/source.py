"""Where a database keeps what metrics are made from: the columns that differ between hosts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func

from aggregator.models import Agent, Turn


@dataclass(frozen=True, slots=True)
class Source:
    """The columns of a host's tables that have another name on another host.

    Attributes:
        turn_at: SQL for the instant of a row of ``turns``, a ``timestamptz``.
        agent_name: SQL for what people call a row of ``agents``, a text.
    """

    turn_at: ColumnElement[datetime]
    agent_name: ColumnElement[str]


STANDALONE = Source(turn_at=Turn.timestamp.expression, agent_name=func.left(Agent.session_id, 8))
"""Our own tables: an agent is called by the first eight characters of its session id."""
