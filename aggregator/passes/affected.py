"""Find which parts of which agents' time have to be computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, text

from aggregator.database.facts import BEGINNING_OF_TIME, Windows, has_signals
from aggregator.database.source import STANDALONE, Source
from aggregator.database.turns import END_OF_TIME
from aggregator.passes.dirty_hours import Range

FACTS_AT_ONCE = 250_000
"""Turns and signals in memory at one time, unless a single agent has more."""

# Stored rows belong to an hour that they only touch, too: a fact at their end made that end.
_AFFECTED = """
    WITH dirty AS (
        SELECT * FROM unnest(CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]))
            AS ranges (since, until)
    ), agents_in AS (
        SELECT tasks.agent_id, since, until FROM dirty
        JOIN turns ON {at} >= since AND {at} < until
        JOIN {tasks} AS tasks ON tasks.id = {task}
        UNION
        {signals}
        SELECT agent_id, since, until FROM dirty
        JOIN activity_intervals ON ended_at >= since AND started_at <= until
        UNION
        SELECT agent_id, since, until FROM dirty
        JOIN activity_runs ON ended_at >= since AND started_at <= until
    )
    SELECT agent_id,
        coalesce((
            SELECT max(started_at) FROM activity_runs AS runs
            WHERE runs.agent_id = agents_in.agent_id AND started_at < since
        ), :beginning),
        coalesce((
            SELECT started_at FROM activity_runs AS runs
            WHERE runs.agent_id = agents_in.agent_id AND started_at >= until
            ORDER BY started_at OFFSET 1 LIMIT 1
        ), :end)
    FROM agents_in WHERE agent_id IS NOT NULL ORDER BY 1, 2
"""
_IN_SIGNALS = """
        SELECT agents.id, dirty.since, dirty.until FROM dirty
        JOIN signals ON signals.at >= dirty.since AND signals.at < dirty.until
        JOIN agents ON agents.session_id = signals.session_id
        UNION
        SELECT agents.id, dirty.since, dirty.until FROM dirty
        JOIN signals ON signals.until >= dirty.since AND signals.until < dirty.until
        JOIN agents ON agents.session_id = signals.session_id
        UNION
"""
_SIZES = """
    WITH sizes AS (
        SELECT tasks.agent_id, count(*) AS size FROM turns
        JOIN {tasks} AS tasks ON tasks.id = {task}
        WHERE {at} < :end
        GROUP BY tasks.agent_id HAVING max({at}) >= :since
        UNION ALL
        {signals}
        SELECT agent_id, 0 FROM activity_intervals
        WHERE ended_at > :since GROUP BY agent_id
        UNION ALL
        SELECT agent_id, 0 FROM activity_runs WHERE ended_at >= :since GROUP BY agent_id
    )
    SELECT agent_id, sum(size) FROM sizes WHERE agent_id IS NOT NULL GROUP BY agent_id ORDER BY 1
"""
_SIZES_OF_SIGNALS = """
        SELECT agents.id, count(*) FROM signals
        JOIN agents ON agents.session_id = signals.session_id
        WHERE signals.at < :end
        GROUP BY agents.id HAVING max(coalesce(signals.until, signals.at)) >= :since
        UNION ALL
"""


def affected_windows(
    conn: Connection, dirty: Sequence[Range], source: Source = STANDALONE
) -> Windows:
    """Return the windows outside which no interval and no run can differ from its facts.

    A window goes from the last run that begins before a dirty range to the second that
    begins after it. What is before the first of these depends on nothing in the range, and
    neither does what is after the second. The first run after the range may depend on it:
    it may be no run any more, but a prompt that steers another.

    Args:
        conn: A connection in a transaction that has taken the dirty hours.
        dirty: Ranges of hours that do not touch.
        source: Columns of the turns and agents in this database.
    """
    signals = _IN_SIGNALS if has_signals(conn) else ""
    query = text(_AFFECTED.format(**_names(source), signals=signals))
    ranges = {"since": [since for since, _ in dirty], "until": [until for _, until in dirty]}
    edges = {"beginning": BEGINNING_OF_TIME, "end": END_OF_TIME}
    found = conn.execute(query, {**ranges, **edges})
    windows = [
        (agent, *window)
        for agent, rows in groupby(found, key=lambda row: row[0])
        for window in _joined([(row[1], row[2]) for row in rows])
    ]
    agents, since, until = zip(*windows, strict=True) if windows else ((), (), ())
    return Windows(agents, since, until)


def _joined(windows: Sequence[Range]) -> Iterator[Range]:
    """Join the windows of one agent that overlap; they are in the order of their starts."""
    since, until = windows[0]
    for start, end in windows[1:]:
        if start >= until:
            yield since, until
            since, until = start, end
        until = max(until, end)
    yield since, until


_HOURS_OF_WINDOWS = text(
    """
    SELECT DISTINCT hour FROM activity_intervals JOIN unnest(
        CAST(:agents AS bigint[]), CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])
    ) AS windows (agent, since, until)
    ON agent_id = agent AND started_at >= since AND started_at < until,
    generate_series(
        date_trunc('hour', greatest(started_at, :horizon), 'UTC'),
        ended_at - interval '1 us', interval '1 hour'
    ) AS hour
    WHERE ended_at > :horizon AND kind <> 'idle'
    """
)


def hours_of_windows(conn: Connection, windows: Windows, horizon: datetime) -> set[datetime]:
    """Return the retained hours in which intervals that begin in some windows have time."""
    return set(conn.scalars(_HOURS_OF_WINDOWS, {**windows.parameters, "horizon": horizon}))


def whole_agents(
    conn: Connection, since: datetime, source: Source = STANDALONE
) -> Iterator[Windows]:
    """Yield all of the time of each agent that has facts or intervals at or after an instant.

    Agents come in batches with at most :data:`FACTS_AT_ONCE` facts, or of one agent that has
    more.
    Nothing that is stored is relied on.
    """
    signals = _SIZES_OF_SIGNALS if has_signals(conn) else ""
    query = text(_SIZES.format(**_names(source), signals=signals))
    batch: list[int] = []
    size = 0
    for agent, own in conn.execute(query, {"since": since, "end": END_OF_TIME}).all():
        if batch and size + own > FACTS_AT_ONCE:
            yield _whole(batch)
            batch, size = [], 0
        batch.append(agent)
        size += own
    if batch:
        yield _whole(batch)


def _whole(agents: Sequence[int]) -> Windows:
    count = len(agents)
    return Windows(tuple(agents), (BEGINNING_OF_TIME,) * count, (END_OF_TIME,) * count)


def _names(source: Source) -> dict[str, str]:
    """SQL for a host's columns, in a text whose colons begin parameters."""
    names = {
        "at": source.turn_at_of("turns"),
        "task": source.turn_task_of("turns"),
        "tasks": source.task_table,
    }
    return {name: sql.replace(":", r"\:") for name, sql in names.items()}
