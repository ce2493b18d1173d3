"""Read how long sub-agents worked, which is beside the working time of their agent."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from aggregator.database.facts import has_signals
from aggregator.metrics.scope import Scope

_SECONDS = text("""
    SELECT CAST(coalesce(sum(extract(epoch FROM
        least(signals.until, :until) - greatest(signals.at, :since))), 0) AS double precision)
    FROM agents JOIN signals ON signals.session_id = agents.session_id
    WHERE agents.id = :agent AND signals.kind = 'subagent'
        AND signals.until > :since AND signals.at < :until
""")


def read_sub_agent_seconds(
    conn: Connection, scope: Scope, since: datetime, until: datetime
) -> float | None:
    """Add up the working time of one agent's sub-agents in ``[since, until)``.

    It is the sum of the spans of their lines, without silences of more than 10 minutes. Two
    that work at the same time count twice.

    Returns:
        Seconds; None unless the scope is exactly one agent and there are signals, which
        hosts have not.
    """
    if not scope.is_one_agent or not has_signals(conn):
        return None
    asked = {"agent": scope.ids[0], "since": since, "until": until}
    return float(conn.execute(_SECONDS, asked).scalar_one())
