"""Signals of agents of which only turns are known, as on hosts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aggregator.intervals.axis import Flags, microseconds
from aggregator.intervals.kinds import SIGNAL_CODES, SILENCE_AFTER


def signals_of_turns(turns: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the frames of turns and signals for agents that have only turns.

    A run goes from a prompt to the agent's last turn before the next prompt. A prompt
    after a prompt steers: one run answers both. Turns are lines; what comes before the
    first prompt has an unknown trigger.

    Args:
        turns: (n, ≥3) ``agent_id`` (int64), ``at`` (UTC), ``is_user`` (bool), in any order.

    Returns:
        The turns, with ``steers``, and signals: the first two arguments of
        :func:`aggregator.intervals.timeline.agent_intervals`.
    """
    # Of turns at one instant, the prompt is the first.
    turns = turns.assign(follows=~turns["is_user"]).sort_values(
        ["agent_id", "at", "follows"], ignore_index=True
    )
    agent, at = turns["agent_id"].to_numpy(), microseconds(turns["at"])
    is_user = turns["is_user"].to_numpy()
    continues = np.append(False, agent[1:] == agent[:-1])[: len(agent)]
    steers = is_user & continues & np.append(False, is_user[:-1])[: len(agent)]
    silence = int(SILENCE_AFTER.total_seconds() * 1e6)
    close = continues & (np.diff(at, prepend=at[:1]) <= silence)
    starts = is_user & ~steers
    signals = pd.concat(
        [
            _spans(turns, ~continues & ~is_user, "unknown"),
            _grouped(turns, ~close, "lines"),
            _grouped_work(turns, starts | ~continues, ~is_user),
        ],
        ignore_index=True,
    )
    return turns.drop(columns="follows").assign(steers=steers), signals


def _spans(turns: pd.DataFrame, chosen: Flags, kind: str) -> pd.DataFrame:
    at = turns["at"][chosen]
    return _signals(turns["agent_id"][chosen], kind, at, pd.Series(pd.NaT, at.index, at.dtype))


def _grouped(turns: pd.DataFrame, begins: Flags, kind: str) -> pd.DataFrame:
    """Make one signal of each group of turns, from its first to its last."""
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(turns))[: len(first)] - 1
    at, until = (turns["at"].iloc[position].reset_index(drop=True) for position in (first, last))
    return _signals(turns["agent_id"].iloc[first].reset_index(drop=True), kind, at, until)


def _grouped_work(turns: pd.DataFrame, begins: Flags, of_agent: Flags) -> pd.DataFrame:
    """Make one signal of the agent's turns in each group that has any."""
    group = pd.Series(np.cumsum(begins), turns.index)[of_agent]
    own = turns[of_agent]
    return _grouped(own, np.append(True, np.diff(group) != 0)[: len(own)], "work")


def _signals(agents: pd.Series, kind: str, at: pd.Series, until: pd.Series) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "agent_id": agents,
            "kind": np.int8(SIGNAL_CODES[kind]),
            "at": at,
            "until": until,
            "milliseconds": 0,
        }
    )
