"""Read who started agents, and the agents that a filter by origin leaves."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, Text, literal_column, select

from aggregator.database.models import Agent
from aggregator.metrics.scope import Scope
from aggregator.query.sql import of_agents

ORIGIN: ColumnElement[str | None] = literal_column("(to_jsonb(agents) ->> 'origin')", Text)
"""SQL for the origin of a row of ``agents``, null if a person started it.

Through JSON, because a host's agents need not have such a column.
"""


def automated_agents(conn: Connection, agents: Collection[int]) -> dict[int, str]:
    """Read the origin of those agents that a program started, by id.

    It is ``sdk``, ``scheduled`` or ``background``, see
    :class:`aggregator.database.models.Agent`; a host may have words of its own.
    """
    rows = conn.execute(select(Agent.id, ORIGIN).where(Agent.id.in_(agents), ORIGIN.is_not(None)))
    return {row.id: str(row[1]) for row in rows}


def resolved(conn: Connection, scope: Scope) -> Scope:
    """Replace a filter by origin by the agents that it leaves, perhaps none.

    The metrics of projects and of everybody are of all their agents, so those of some are
    added up from the agents' own.
    """
    if scope.origin is None:
        return scope
    wanted = ORIGIN.is_(None) if scope.origin == "interactive" else ORIGIN.is_not(None)
    statement = select(Agent.id).where(of_agents(scope), wanted, Agent.project_id.is_not(None))
    return Scope("agent", tuple(conn.scalars(statement.order_by(Agent.id))), scope.origin)
