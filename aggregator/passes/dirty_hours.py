"""Which hours may not hold what their turns say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text, union, update

from aggregator.database.models import ActivityChange, ActivityState, Task, Turn
from aggregator.database.source import STANDALONE, Source
from aggregator.database.turns import END_OF_TIME
from aggregator.metrics.windows import HOUR
from aggregator.schema import capture

Range = tuple[datetime, datetime]
"""Hours: ``[since, until)``, UTC."""

# Of the entries for hours, only those that are kept and that Python can express.
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
        ranges: Ranges of hours that do not touch, oldest first. The last one is open: it
            ends with time itself, for turns from clocks that are ahead lie beyond now.
        everything: Whether they are all hours that are kept.
        captured: Whether later changes will be known.
    """

    ranges: list[Range]
    everything: bool
    captured: bool


def take_dirty_hours(
    conn: Connection, horizon: datetime, recent: datetime, source: Source = STANDALONE
) -> DirtyHours:
    """Empty the queue of changes, and tell which hours may not hold what turns say.

    These are read in later statements, which see at least every change whose entry was
    taken here.

    Args:
        conn: A connection in a READ COMMITTED transaction.
        horizon: First hour that is kept.
        recent: First of the hours that are recomputed whatever the queue says.
        source: Where the database keeps its turns.
    """
    captured = capture.is_installed(conn, source)
    complete_since = conn.scalar(select(ActivityState.complete_since))
    changed = _take_changed_hours(conn, horizon, source)
    if not captured or complete_since is None or changed is None:
        return DirtyHours([(horizon, END_OF_TIME)], everything=True, captured=captured)
    ranges = [(hour, hour + HOUR) for hour in changed]
    if horizon < complete_since:  # The retention has grown, or the clock went back.
        ranges.append((horizon, complete_since))
    ranges.append((max(horizon, recent), END_OF_TIME))
    return DirtyHours(_joined(ranges), everything=False, captured=True)


def mark_all_dirty_if_queued(conn: Connection) -> None:
    """If the queue says that everything may have changed, note it in the state instead."""
    told = delete(ActivityChange).where(
        ActivityChange.bucket_start.is_(None),
        ActivityChange.task_id.is_(None),
        ActivityChange.agent_id.is_(None),
    )
    if conn.execute(told).rowcount:
        conn.execute(update(ActivityState).values(complete_since=None))


def _take_changed_hours(
    conn: Connection, horizon: datetime, source: Source
) -> set[datetime] | None:
    """The hours named by the queue, or None for all; empties it."""
    entries = conn.execute(_TAKE, {"since": horizon, "until": END_OF_TIME}).all()
    if (None, None, None) in entries:
        return None
    hours = {hour for hour, _, _ in entries if hour}
    tasks = [task for _, task, _ in entries if task is not None]
    agents = [agent for _, _, agent in entries if agent is not None]
    return hours | _hours_of(conn, tasks, agents, horizon, source)


def _hours_of(
    conn: Connection, tasks: list[int], agents: list[int], horizon: datetime, source: Source
) -> set[datetime]:
    """The hours of the turns of some tasks, and of the tasks of some agents.

    As they are now, not as they were when the task or the agent went elsewhere: a turn
    that was written at the same time, by somebody who did not see the other, is found.
    """
    if not tasks and not agents:
        return set()
    hour = func.date_trunc("hour", source.turn_at, "UTC")
    turns = select(hour).select_from(Turn)
    retained = (source.turn_at >= horizon) & (source.turn_at < END_OF_TIME)
    return set(
        conn.scalars(
            union(
                turns.where(Turn.task_id.in_(tasks), retained),
                turns.join(Task, Task.id == Turn.task_id).where(
                    Task.agent_id.in_(agents), retained
                ),
            )
        )
    )


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """The same hours in as few ranges as possible, oldest first."""
    joined: list[Range] = []
    for since, until in sorted(ranges):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return joined
