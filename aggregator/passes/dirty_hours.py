"""Dirty hours: hours whose rows may differ from their turns, or whose facts have changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text, union, update

from aggregator.database.facts import BEGINNING_OF_TIME, has_signals
from aggregator.database.models import ActivityChange, ActivityState, Turn
from aggregator.database.source import STANDALONE, Source
from aggregator.database.turns import END_OF_TIME
from aggregator.metrics.windows import HOUR
from aggregator.passes.fingerprints import forget_fingerprints, take_changed_hours
from aggregator.schema import capture

Range = tuple[datetime, datetime]
"""Hours: ``[since, until)``, UTC."""

# Entries for hours beyond Python's range of dates are dropped.
_TAKE = text(
    """
    WITH taken AS (DELETE FROM activity_changes RETURNING bucket_start, task_id, agent_id)
    SELECT DISTINCT bucket_start, task_id, agent_id FROM taken
    WHERE bucket_start IS NULL OR (bucket_start >= :since AND bucket_start < :until)
    """
)


@dataclass(frozen=True, slots=True)
class DirtyHours:
    """The hours that a pass has to recompute.

    Attributes:
        ranges: Ranges of retained hours that do not touch, oldest first. The last one ends
            at ``END_OF_TIME``, because clocks that are ahead write turns in the future.
        older: Such ranges of hours before the retention. What began there may last into it.
        everything: Whether these are all retained hours.
        captured: Whether later changes are captured.
    """

    ranges: list[Range]
    older: list[Range]
    everything: bool
    captured: bool


def take_dirty_hours(
    conn: Connection, horizon: datetime, recent: datetime, source: Source = STANDALONE
) -> DirtyHours:
    """Empty the queue of changes and return the dirty hours.

    Read their turns in later statements: these see at least every change whose entry was
    taken here. Where changes are not captured, the fingerprints of hours show what has
    changed.

    Args:
        conn: A connection in a READ COMMITTED transaction.
        horizon: First retained hour.
        recent: First of the hours that always count as dirty.
        source: Columns of the turns and agents in this database.
    """
    captured = capture.is_installed(conn, source)
    complete_since = conn.scalar(select(ActivityState.complete_since))
    queued = _take_changed_hours(conn, source)
    differing = _differing_hours(conn, horizon, source, captured=captured)
    # Before the first pass nothing is known, whatever an earlier installation left.
    if queued is None or differing is None or complete_since is None:
        return DirtyHours([(horizon, END_OF_TIME)], [], everything=True, captured=captured)
    changed = queued | differing
    older = merged((hour, hour + HOUR) for hour in changed if hour < horizon)
    ranges = [(hour, hour + HOUR) for hour in changed if hour >= horizon]
    if older:
        # Here an interval is stored that a fact before it may have made.
        ranges.append((horizon, horizon + HOUR))
    if horizon < complete_since:  # The retention was extended, or the clock was set back.
        ranges.append((horizon, complete_since))
    ranges.append((max(horizon, recent), END_OF_TIME))
    return DirtyHours(merged(ranges), older, everything=False, captured=captured)


def _differing_hours(
    conn: Connection, horizon: datetime, source: Source, *, captured: bool
) -> set[datetime] | None:
    """Return the hours whose changes nothing has captured; None for all hours."""
    if captured:
        forget_fingerprints(conn)
        return set()
    differing = take_changed_hours(conn, horizon, source)
    # Fingerprints are those of turns alone.
    return None if has_signals(conn) else differing


def mark_all_dirty_if_queued(conn: Connection) -> None:
    """Move an entry "recompute everything" from the queue to the state, if there is one."""
    entries = delete(ActivityChange).where(
        ActivityChange.bucket_start.is_(None),
        ActivityChange.task_id.is_(None),
        ActivityChange.agent_id.is_(None),
    )
    if conn.execute(entries).rowcount:
        conn.execute(update(ActivityState).values(complete_since=None))


def _take_changed_hours(conn: Connection, source: Source) -> set[datetime] | None:
    """Empty the queue; return the hours of its entries, or None for all hours."""
    entries = conn.execute(_TAKE, {"since": BEGINNING_OF_TIME, "until": END_OF_TIME}).all()
    if (None, None, None) in entries:
        return None
    hours = {hour for hour, _, _ in entries if hour}
    tasks = [task for _, task, _ in entries if task is not None]
    agents = [agent for _, _, agent in entries if agent is not None]
    hours |= _hours_of(conn, tasks, agents, source)
    return hours | _hours_of_time(conn, agents)


def _hours_of(
    conn: Connection, tasks: list[int], agents: list[int], source: Source
) -> set[datetime]:
    """Return the hours of all turns of some tasks, and of all tasks of some agents.

    They are read now, not when the task or the agent was moved. So they include turns
    that a concurrent transaction wrote without seeing the move.
    """
    if not tasks and not agents:
        return set()
    hour = func.date_trunc("hour", source.turn_at, "UTC")
    turns = select(hour).select_from(Turn)
    dated = (source.turn_at >= BEGINNING_OF_TIME) & (source.turn_at < END_OF_TIME)
    return set(
        conn.scalars(
            union(
                turns.where(source.turn_task_id.in_(tasks), dated),
                turns.join(source.task, source.task.c.id == source.turn_task_id).where(
                    source.task.c.agent_id.in_(agents), dated
                ),
            )
        )
    )


# Of an agent that was deleted, too. Its rows are still there.
_HOURS_OF_TIME = text(
    """
    SELECT hour FROM activity_intervals, generate_series(
        date_trunc('hour', started_at, 'UTC'),
        ended_at - interval '1 us', interval '1 hour'
    ) AS hour
    WHERE agent_id = ANY (CAST(:agents AS bigint[])) AND kind <> 'idle'
    UNION
    SELECT date_trunc('hour', ended_at, 'UTC') FROM activity_runs
    WHERE agent_id = ANY (CAST(:agents AS bigint[]))
    """
)


def _hours_of_time(conn: Connection, agents: list[int]) -> set[datetime]:
    """Return the hours in which the intervals and the responses of some agents are stored."""
    if not agents:
        return set()
    return set(conn.scalars(_HOURS_OF_TIME, {"agents": agents}))


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Merge ranges that overlap or touch; oldest first."""
    merged: list[Range] = []
    for since, until in sorted(ranges):
        if merged and since <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], until))
        else:
            merged.append((since, until))
    return merged
