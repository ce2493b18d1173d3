"""Read who started agents, and the agents that a filter by origin leaves."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from aggregator.database.models import Agent
from aggregator.database.source import STANDALONE, Source
from aggregator.metrics.scope import Scope
from aggregator.query.sql import among, of_agents


def automated_agents(
    conn: Connection, agents: Collection[int], source: Source = STANDALONE
) -> dict[int, str]:
    """Read the origin of those agents that a program started, by id.

    It is one of :data:`aggregator.database.source.AUTOMATED`.
    """
    if not source.agent_has_origin:
        return {}
    origin = source.agent_origin
    rows = conn.execute(
        select(Agent.id, origin).where(among(Agent.id, agents), origin.is_not(None))
    )
    return {row.id: str(row[1]) for row in rows}


def resolved(conn: Connection, scope: Scope, source: Source = STANDALONE) -> Scope:
    """Replace a filter by origin by the agents that it leaves, perhaps none.

    The metrics of projects and of everybody are of all their agents, so those of some are
    added up from the agents' own.
    """
    if scope.origin is None:
        return scope
    origin = source.agent_origin
    wanted = origin.is_(None) if scope.origin == "interactive" else origin.is_not(None)
    statement = select(Agent.id).where(of_agents(scope), wanted, Agent.project_id.is_not(None))
    return Scope("agent", tuple(conn.scalars(statement.order_by(Agent.id))), scope.origin)
