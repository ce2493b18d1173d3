"""Read how fast agents answered, and how fast a person did: exact quantiles in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, TextClause, text

from aggregator.metrics.scope import EVERYBODY, Scope, ScopeKind


@dataclass(frozen=True, slots=True)
class ResponseTimes:
    """Durations of responses: runs that a person began, that have work and that are over.

    Quantiles are exact (``percentile_cont``), in seconds; None without a response.

    Attributes:
        count: Number of responses.
        p50_seconds: Median time to the answer: working and blocked.
        p90_seconds: 90 % were answered in at most this time.
        active_p50_seconds: Median of the working time alone.
        active_p90_seconds: Its 90 %.
    """

    count: int = 0
    p50_seconds: float | None = None
    p90_seconds: float | None = None
    active_p50_seconds: float | None = None
    active_p90_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ReactionTimes:
    """Durations of a person's answers: to the end of a run, and to a question in one.

    Unlike waiting time they are not limited to 30 minutes each after a run: this is how
    long it took. Quantiles are exact, in seconds; None without an answer.

    Attributes:
        count: Number of answers.
        p50_seconds: Median.
        p90_seconds: 90 % were given in at most this time.
    """

    count: int = 0
    p50_seconds: float | None = None
    p90_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Times of responses, and of a person's answers, over the same range.

    Attributes:
        responses: How fast agents answered.
        reactions: How fast a person did.
    """

    responses: ResponseTimes = ResponseTimes()
    reactions: ReactionTimes = ReactionTimes()


_IN_SCOPE = {
    "overall": "",
    "project": "AND agents.project_id = ANY(CAST(:ids AS bigint[]))",
    "agent": "AND agents.id = ANY(CAST(:ids AS bigint[]))",
}
_GROUPS = {
    "overall": f"CAST({EVERYBODY} AS bigint)",
    "project": "CAST(agents.project_id AS bigint)",
    "agent": "CAST(agents.id AS bigint)",
}
_OF_PROJECTS = """
    JOIN agents ON agents.id = facts.agent_id
    JOIN projects ON projects.id = agents.project_id
"""
_RESPONSES = """
    SELECT {group} AS id, count(*),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY working_seconds + blocked_seconds),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY working_seconds)
    FROM activity_runs AS facts {joins}
    WHERE facts.is_response AND facts.ended_at >= :since AND facts.ended_at < :until {scope}
    GROUP BY 1
"""
# A wait begins when a run ends, and counts if the next run is a person's; the answer may be
# given after the range. A block counts in the range in which it begins, too.
_REACTIONS = """
    SELECT {group} AS id, count(*),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY facts.seconds)
    FROM (
        SELECT agent_id, CAST(extract(epoch FROM answered_at - ended_at) AS double precision)
        FROM (
            SELECT agent_id, ended_at, lead(started_at) OVER next AS answered_at,
                lead(trigger) OVER next AS trigger
            FROM activity_runs WHERE ended_at >= :since
            WINDOW next AS (PARTITION BY agent_id ORDER BY started_at)
        ) AS run
        WHERE ended_at < :until AND trigger = 'person' AND answered_at > ended_at
        UNION ALL
        SELECT agent_id, CAST(extract(epoch FROM ended_at - started_at) AS double precision)
        FROM activity_intervals
        WHERE kind = 'blocked' AND started_at >= :since AND started_at < :until
    ) AS facts (agent_id, seconds) {joins}
    WHERE true {scope}
    GROUP BY 1
"""


def read_times(
    conn: Connection, of: ScopeKind, scope: Scope, since: datetime, until: datetime
) -> dict[int, Times]:
    """Read the times of responses, and of a person's answers, in ``[since, until)``.

    A wait counts if it began in the range and has ended with a prompt of a person; a block,
    if it began in the range. For arguments and responses see :func:`read_response_times`.

    Returns:
        Times by id, :data:`aggregator.metrics.scope.EVERYBODY` for all together; only ids
        with a response or an answer.
    """
    responses = read_response_times(conn, of, scope, since, until)
    reactions = {
        number: ReactionTimes(count, *quantiles)
        for number, count, quantiles in conn.execute(
            _statement(_REACTIONS, of, scope), _parameters(scope, since, until)
        )
    }
    return {
        number: Times(
            responses.get(number, ResponseTimes()), reactions.get(number, ReactionTimes())
        )
        for number in {*responses, *reactions}
    }


def read_response_times(
    conn: Connection, of: ScopeKind, scope: Scope, since: datetime, until: datetime
) -> dict[int, ResponseTimes]:
    """Read the times of the responses that ended in ``[since, until)``.

    Args:
        conn: A connection.
        of: What they are grouped by: ``overall``, ``project`` or ``agent``.
        scope: Restricts them.
        since: Start of the range.
        until: End of the range, exclusive.

    Returns:
        Times by id, :data:`aggregator.metrics.scope.EVERYBODY` for all together; only ids
        with a response.
    """
    rows = conn.execute(_statement(_RESPONSES, of, scope), _parameters(scope, since, until))
    return {
        number: ResponseTimes(count, *to_answer, *active)
        for number, count, to_answer, active in rows
    }


def _statement(sql: str, of: ScopeKind, scope: Scope) -> TextClause:
    return text(sql.format(group=_GROUPS[of], joins=_OF_PROJECTS, scope=_IN_SCOPE[scope.kind]))


def _parameters(scope: Scope, since: datetime, until: datetime) -> dict[str, Any]:
    ids = {} if scope.kind == "overall" else {"ids": list(scope.ids)}
    return {"since": since, "until": until, **ids}
