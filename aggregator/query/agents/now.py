"""Read the version of what all agents do now, and put it in the order of who needs a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, func, select

from aggregator.database.facts import has_signals
from aggregator.database.models import LiveSession
from aggregator.database.state import Version, read_version
from aggregator.intervals.kinds import WAITING
from aggregator.intervals.state import LONG_AFTER, STATES
from aggregator.query.imported import read_watches

ORDER = {state: place for place, state in enumerate((WAITING, *STATES))}


def in_order(states: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Put states in order, and tell which waits are long.

    Args:
        states: See :class:`aggregator.query.agents.states.Present`.
        now: The present.

    Returns:
        The frame with ``is_long`` (bool: waits for so long that it is folded away): those
        that wait first, then by state; the longest in its state first.
    """
    waits = states["state"] == WAITING
    is_long = waits & (now - states["since"] >= LONG_AFTER)
    rank = states["state"].map(lambda state: ORDER[state] if state != WAITING else 0)
    ordered = states.assign(is_long=is_long, rank=rank).sort_values(["rank", "since", "agent_id"])
    return ordered.drop(columns="rank").reset_index(drop=True)


def read_full_version(conn: Connection, now: datetime) -> Version:
    """Read the version of the metrics and of what is known of sessions.

    Of several machines that learn of changes, it names the one that learns later.
    """
    version = read_version(conn, now)
    if not has_signals(conn):
        return version
    sessions_at = conn.scalar(select(func.max(LiveSession.changed_at)))
    watches = read_watches(conn, now)
    watch = (watches[0].mode, watches[0].reason) if watches else ("", "")
    return replace(version, sessions_at=sessions_at, live=watch[0], live_reason=watch[1])
