"""Compute the intervals and runs of agents anew: read their facts, compute, replace the rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, insert

from aggregator.database import locks
from aggregator.database.facts import Facts, Windows, read_facts
from aggregator.database.models import ActivityChange
from aggregator.database.source import STANDALONE, Source
from aggregator.intervals.hosts import signals_of_turns
from aggregator.intervals.timeline import Timeline, agent_intervals
from aggregator.passes.fingerprints import forget_fingerprints
from aggregator.passes.transactions import in_transaction
from aggregator.passes.write.intervals import replace_timeline
from aggregator.passes.write.metrics import Written


def recompute_timelines(
    conn: Connection, windows: Windows, horizon: datetime, source: Source = STANDALONE
) -> tuple[Written, set[datetime]]:
    """Recompute what begins in some windows.

    Args:
        conn: A connection in a READ COMMITTED transaction.
        windows: The windows; each begins and ends with a trigger, or is open.
        horizon: First retained hour.
        source: Columns of the turns and agents in this database.

    Returns:
        What changed, and the hours whose metrics differ because of it.
    """
    if not windows.agents:
        return Written(), set()
    timeline = _timeline(read_facts(conn, windows, source))
    clipped = Timeline(*(_in_windows(rows, windows) for rows in timeline))
    changed, hours = replace_timeline(conn, clipped, windows, horizon)
    return Written(intervals=changed), hours


def recompute_agents_in_transaction(
    engine: Engine, windows: Windows, horizon: datetime, source: Source = STANDALONE
) -> Written:
    """Call :func:`recompute_timelines` in a transaction of its own.

    The hours that differ are queued in the same transaction, because only a later one
    recomputes them. Any number of these may run concurrently; see
    :func:`aggregator.passes.recompute.recompute_in_transaction`.
    """

    def work(conn: Connection) -> Written:
        locks.lock(conn, locks.RECOMPUTE, shared=True)
        # A change that is read here may be undone before a pass has seen it.
        forget_fingerprints(conn)
        written, hours = recompute_timelines(conn, windows, horizon, source)
        _queue(conn, hours)
        return written

    return in_transaction(engine, work)


def _queue(conn: Connection, hours: Collection[datetime]) -> None:
    if hours:
        conn.execute(insert(ActivityChange), [{"bucket_start": hour} for hour in sorted(hours)])


def _timeline(facts: Facts) -> Timeline:
    if not facts.are_turns_all:
        return agent_intervals(facts.turns, facts.signals, facts.calls)
    return agent_intervals(*signals_of_turns(facts.turns))


def _in_windows(rows: pd.DataFrame, windows: Windows) -> pd.DataFrame:
    """Keep the rows that begin in their windows, and name the agents.

    The segment at the end of a window is incomplete, and one before it is another's.
    """
    number = rows["agent_id"].to_numpy()
    since, until = (_instants(edges)[number] for edges in (windows.since, windows.until))
    own = (rows["started_at"] >= since) & (rows["started_at"] < until)
    return rows.assign(agent_id=np.asarray(windows.agents, dtype="int64")[number])[own.to_numpy()]


def _instants(instants: Sequence[datetime]) -> pd.DatetimeIndex:
    """Convert instants of any zone and any year."""
    naive = [at.astimezone(UTC).replace(tzinfo=None) for at in instants]
    return pd.DatetimeIndex(np.array(naive, dtype="datetime64[us]")).tz_localize("UTC")
