"""Read turns, the input of every pass."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import pandas as pd
from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Select,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.engine import Compiled, Dialect

from aggregator.database.binary_copy import INT8, POSTGRES_EPOCH, TIMESTAMPTZ, Rows, copy_out
from aggregator.database.models import TIMESTAMPTZ_TYPE, Agent, Project, Turn
from aggregator.database.source import STANDALONE, Source

Bound = datetime | BindParameter[datetime]

END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
"""End of all ranges; later turns, which only a wrong clock can write, are ignored."""


def more_turns_than(
    limit: int, conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> bool:
    """Return whether ``[since, until)`` has more than ``limit`` turns.

    Reads no more than ``limit + 1`` of them.
    """
    found = (
        select(Turn.id)
        .where(source.turn_at >= since, source.turn_at < until)
        .limit(limit + 1)
        .subquery()
    )
    return conn.scalars(select(func.count()).select_from(found)).one() > limit


def turns_per_hour(
    conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> list[tuple[datetime, int]]:
    """Count the turns in each UTC hour of ``[since, until)``, oldest hour first.

    Hours without turns are left out.
    """
    hour = func.date_trunc("hour", source.turn_at, "UTC")
    rows = conn.execute(
        select(hour, func.count())
        .select_from(Turn)
        .where(source.turn_at >= since, source.turn_at < until)
        .group_by(hour)
        .order_by(hour)
    )
    return [(start, count) for start, count in rows]


def read_turns(
    conn: Connection, since: datetime, until: datetime, source: Source = STANDALONE
) -> pd.DataFrame:
    """Read the turns of ``[since, until)``, unsorted.

    Returns:
        (n, 3) frame with :data:`aggregator.metrics.hourly.TURN_DTYPES`.
    """
    rows = copy_out(
        conn,
        _turns(source, conn.dialect),
        {"since": since, "until": until},
        {"agent_id": INT8, "project_id": INT8, "at": TIMESTAMPTZ},
    )
    return turn_frame(rows)


def turn_frame(rows: Rows) -> pd.DataFrame:
    """Convert rows of COPY to a frame with :data:`aggregator.metrics.hourly.TURN_DTYPES`."""
    at = (rows["at"] + POSTGRES_EPOCH).view("datetime64[us]")
    return pd.DataFrame(
        {
            "agent_id": rows["agent_id"].astype("int64"),
            "project_id": rows["project_id"].astype("int64"),
            "at": pd.DatetimeIndex(at).tz_localize("UTC"),
        }
    )


@lru_cache(maxsize=8)
def _turns(source: Source, dialect: Dialect) -> Compiled:
    """Compile the statement that reads turns.

    Cached: compiling takes as long as running it over a short range.
    """
    bounds = (bindparam(name, type_=TIMESTAMPTZ_TYPE) for name in ("since", "until"))
    return turns_of_projects(source, *bounds).compile(dialect=dialect)


def turns_of_projects(source: Source, since: Bound, until: Bound) -> Select[int, int, datetime]:
    """Select agent, project and instant of each turn that belongs to a project."""
    return (
        select(cast(Agent.id, BigInteger), cast(Agent.project_id, BigInteger), source.turn_at)
        .join(Project, Project.id == Agent.project_id)
        .join(source.task, source.task.c.agent_id == Agent.id)
        .join(Turn, source.turn_task_id == source.task.c.id)
        .where(
            source.turn_at >= since,
            source.turn_at < until,
        )
    )
