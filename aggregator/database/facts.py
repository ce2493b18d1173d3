"""Read facts about agents, from which their intervals are computed: turns, signals, calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from aggregator.database.binary_copy import (
    BOOL,
    INT4,
    INT8,
    POSTGRES_EPOCH,
    TIMESTAMPTZ,
    copy_out,
    copy_out_texts,
)
from aggregator.database.source import STANDALONE, Source
from aggregator.database.turns import END_OF_TIME
from aggregator.intervals.kinds import SIGNAL_CODES
from aggregator.metrics.hourly import INSTANT_DTYPE

BEGINNING_OF_TIME = datetime(2, 1, 1, tzinfo=UTC)
"""Start of windows without one; in no time zone a year before the first, which Python has not."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Ranges of single agents' time, of which facts are read and intervals are written.

    Attributes:
        agents: Ids; an agent may have several windows that do not overlap.
        since: Start of each window, :data:`BEGINNING_OF_TIME` for none.
        until: End of each window, exclusive; ``END_OF_TIME`` for none.
    """

    agents: tuple[int, ...]
    since: tuple[datetime, ...]
    until: tuple[datetime, ...]

    @property
    def parameters(self) -> dict[str, list[Any]]:
        """Arrays for SQL."""
        return {
            "agents": list(self.agents),
            "since": list(self.since),
            "until": list(self.until),
        }


class Facts(NamedTuple):
    """Facts of some windows; ``agent_id`` is the position of the window.

    Attributes:
        turns: (n, 6) ``agent_id`` (int64), ``at`` (UTC), ``is_user``, ``steers``, ``asks``,
            ``answers`` (bool).
        signals: (m, 5) ``agent_id`` (int64), ``kind`` (int8, see
            :data:`aggregator.intervals.kinds.SIGNALS`), ``at``, ``until`` (UTC, NaT if
            open), ``milliseconds`` (int64, 0 if none).
        calls: (k, 6) ``agent_id`` (int64), ``at``, ``until`` (UTC, NaT if open), ``tool``,
            ``mode``, ``source`` (str, empty if unknown).
        are_turns_all: Whether there is no table of signals, as on hosts: nothing but turns
            is known.
    """

    turns: pd.DataFrame
    signals: pd.DataFrame
    calls: pd.DataFrame
    are_turns_all: bool


_HAS_SIGNALS = text(
    """
    SELECT count(*) = 9 FROM pg_attribute
    WHERE attrelid = to_regclass('signals') AND NOT attisdropped AND attname IN (
        'session_id', 'kind', 'at', 'until', 'source', 'tool', 'mode', 'milliseconds', 'key'
    )
    """
)

_WINDOWS = """
    unnest(
        CAST(%(agents)s AS bigint[]), CAST(%(since)s AS timestamptz[]),
        CAST(%(until)s AS timestamptz[])
    ) WITH ORDINALITY AS windows (agent, since, until, number)
    JOIN agents ON agents.id = windows.agent
    JOIN projects ON projects.id = agents.project_id
"""
_STEERS = """
    EXISTS (
        SELECT FROM signals WHERE signals.key = turns.key || ':steering'
            AND signals.kind = 'steering'
    )"""
# The end is included, because a segment depends on the kind of the trigger that ends it.
_TURNS = """
    SELECT windows.number - 1, {at}, lower(CAST(turns.actor AS text)) = 'user', {steers},
        coalesce({intent} = 'question', false), coalesce({intent} = 'answer', false)
    FROM {windows}
    JOIN {tasks} AS tasks ON tasks.agent_id = agents.id
    JOIN turns ON {task} = tasks.id AND {at} BETWEEN windows.since AND windows.until
    WHERE {at} >= %(oldest)s AND {at} < %(end)s
"""
_OVERLAPS = """
    JOIN signals ON signals.session_id = agents.session_id
        AND coalesce(signals.until, signals.at) >= windows.since
        AND signals.at <= windows.until
    WHERE coalesce(signals.until, signals.at) >= %(oldest)s AND signals.at < %(end)s
"""
_CODES = " ".join(f"WHEN '{kind}' THEN {code}" for kind, code in SIGNAL_CODES.items())
_SIGNALS = f"""
    SELECT windows.number - 1,
        CASE WHEN signals.kind = 'trigger' AND signals.source = 'unknown'
                THEN {SIGNAL_CODES["unknown"]}
            WHEN signals.kind = 'work' AND signals.source = 'reply' THEN {SIGNAL_CODES["reply"]}
            ELSE CASE signals.kind {_CODES} END END,
        signals.at, coalesce(signals.until, '-infinity'), coalesce(signals.milliseconds, 0)
    FROM {_WINDOWS} {_OVERLAPS} AND signals.kind = ANY (%(kinds)s)
"""  # noqa: S608 - our own names
_MICROSECONDS = "CAST(extract(epoch FROM {at}) * 1000000 AS bigint)"
_CALLS = f"""
    SELECT windows.number - 1, {_MICROSECONDS.format(at="signals.at")},
        coalesce({_MICROSECONDS.format(at="signals.until")}, {np.iinfo("int64").min}),
        coalesce(signals.tool, ''), coalesce(signals.mode, ''), coalesce(signals.source, '')
    FROM {_WINDOWS} {_OVERLAPS} AND signals.kind = 'call'
"""  # noqa: S608
_CALL_DTYPES = {
    "agent_id": "int64",
    "at": "int64",
    "until": "int64",
    **dict.fromkeys(("tool", "mode", "source"), "str"),
}


def has_signals(conn: Connection) -> bool:
    """Return whether there is our table of signals, which hosts have not."""
    return bool(conn.scalar(_HAS_SIGNALS))


def read_facts(conn: Connection, windows: Windows, source: Source = STANDALONE) -> Facts:
    """Read the facts of some windows, ends included.

    Signals that last longer are read if they overlap the window. Agents without a project
    have no facts.

    Args:
        conn: A connection in a transaction.
        windows: The windows.
        source: Columns of the turns and agents in this database.
    """
    signals_are_known = has_signals(conn)
    parameters = {
        **windows.parameters,
        "oldest": min(windows.since, default=END_OF_TIME),
        "end": END_OF_TIME,
        "kinds": list(SIGNAL_CODES),
    }
    turns = _read_turns(conn, parameters, source, steering=signals_are_known)
    if not signals_are_known:
        return Facts(turns, *_nothing(), are_turns_all=True)
    return Facts(
        turns, _read_signals(conn, parameters), _read_calls(conn, parameters), are_turns_all=False
    )


def _read_turns(
    conn: Connection, parameters: dict[str, Any], source: Source, *, steering: bool
) -> pd.DataFrame:
    names = {
        "at": source.turn_at_of("turns"),
        "intent": source.turn_intent_of("turns"),
        "task": source.turn_task_of("turns"),
        "tasks": source.task_table,
    }
    # A percent sign begins a parameter.
    escaped = {name: sql.replace("%", "%%") for name, sql in names.items()}
    steers = _STEERS if steering else "false"
    query = _TURNS.format(**escaped, steers=steers, windows=_WINDOWS)
    flags = ("is_user", "steers", "asks", "answers")
    kinds = {"agent_id": INT8, "at": TIMESTAMPTZ, **dict.fromkeys(flags, BOOL)}
    rows = copy_out(conn, query, parameters, kinds)
    return pd.DataFrame(
        {
            "agent_id": rows["agent_id"].astype("int64"),
            "at": _instants(rows["at"]),
            **{flag: rows[flag].copy() for flag in flags},
        }
    )


def _read_signals(conn: Connection, parameters: dict[str, Any]) -> pd.DataFrame:
    kinds = {
        "agent_id": INT8,
        "kind": INT4,
        "at": TIMESTAMPTZ,
        "until": TIMESTAMPTZ,
        "milliseconds": INT8,
    }
    rows = copy_out(conn, _SIGNALS, parameters, kinds)
    return pd.DataFrame(
        {
            "agent_id": rows["agent_id"].astype("int64"),
            "kind": rows["kind"].astype("int8"),
            "at": _instants(rows["at"]),
            "until": _instants(rows["until"]),
            "milliseconds": rows["milliseconds"].astype("int64"),
        }
    )


def _read_calls(conn: Connection, parameters: dict[str, Any]) -> pd.DataFrame:
    rows = copy_out_texts(conn, _CALLS, parameters, _CALL_DTYPES)
    return rows.assign(**{name: _utc(rows[name].to_numpy()) for name in ("at", "until")})


def _nothing() -> tuple[pd.DataFrame, pd.DataFrame]:
    signals = pd.DataFrame(
        {
            "agent_id": pd.Series(dtype="int64"),
            "kind": pd.Series(dtype="int8"),
            "at": pd.Series(dtype=INSTANT_DTYPE),
            "until": pd.Series(dtype=INSTANT_DTYPE),
            "milliseconds": pd.Series(dtype="int64"),
        }
    )
    instants = dict.fromkeys(("at", "until"), INSTANT_DTYPE)
    calls = {name: pd.Series(dtype=dtype) for name, dtype in {**_CALL_DTYPES, **instants}.items()}
    return signals, pd.DataFrame(calls)


def _instants(since_2000: np.ndarray[Any, Any]) -> pd.DatetimeIndex:
    """Convert instants of COPY, whose ``-infinity`` is NaT."""
    is_known = since_2000 != np.iinfo("int64").min
    return _utc(np.where(is_known, since_2000 + POSTGRES_EPOCH, since_2000))


def _utc(microseconds: np.ndarray[Any, Any]) -> pd.DatetimeIndex:
    """Convert microseconds since 1970; the smallest number is NaT."""
    at = microseconds.astype("int64").view("datetime64[us]")
    return pd.DatetimeIndex(at).tz_localize("UTC")
