"""Reading turns: the input of every pass."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
from sqlalchemy import Connection, func, select

from aggregator.hourly import TURN_DTYPES
from aggregator.models import Agent, Project, Task, Turn
from aggregator.source import STANDALONE, Source

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


def turns_per_hour(
    conn: Connection, since: datetime, source: Source = STANDALONE
) -> list[tuple[datetime, int]]:
    """How many turns each UTC hour holds, from ``since`` on, oldest hour first.

    What a broken clock puts at the end of time is left out: no hour comes after it.
    """
    hour = func.date_trunc("hour", source.turn_at, "UTC")
    rows = conn.execute(
        select(hour, func.count())
        .select_from(Turn)
        .where(source.turn_at >= since, source.turn_at < END_OF_TIME)
        .group_by(hour)
        .order_by(hour)
    )
    return [(start, count) for start, count in rows]


def read_turns(
    conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> pd.DataFrame:
    """The turns of ``[since, until)`` with :data:`aggregator.hourly.TURN_DTYPES`, unsorted."""
    rows = conn.execute(
        select(Agent.id, Agent.project_id, source.turn_at)
        .join(Project, Project.id == Agent.project_id)
        .join(Task, Task.agent_id == Agent.id)
        .join(Turn, Turn.task_id == Task.id)
        .where(source.turn_at >= since, source.turn_at < until)
    )
    frame = pd.DataFrame([tuple(row) for row in rows], columns=list(TURN_DTYPES))
    return frame.astype(TURN_DTYPES)
