"""Read what all agents do now, in the order in which they need a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, func, select

from aggregator.database.facts import has_signals
from aggregator.database.models import LiveSession
from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import Version, read_version
from aggregator.intervals.kinds import WAITING
from aggregator.intervals.state import LONG_AFTER, STATES
from aggregator.query.agents.states import agent_states
from aggregator.query.imported import read_watches

ORDER = {state: place for place, state in enumerate((WAITING, *STATES))}


def read_now(conn: Connection, now: datetime, source: Source = STANDALONE) -> pd.DataFrame:
    """Read the states of all present agents.

    Returns:
        The frame of :func:`aggregator.query.agents.states.agent_states` with ``is_long``
        (bool: waits for so long that it is folded away): those that wait first, then by
        state; the longest in its state first.
    """
    return in_order(agent_states(conn, now, source), now)


def in_order(states: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Put states in the order of :func:`read_now`, and tell which waits are long."""
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
