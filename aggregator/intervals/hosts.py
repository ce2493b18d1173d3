"""Signals and calls of agents of which only turns are known, as on hosts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from aggregator.intervals.axis import Flags, Integers, microseconds
from aggregator.intervals.kinds import QUESTION, SIGNAL_CODES, SILENCE_AFTER


def signals_of_turns(
    turns: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Make the arguments of ``agent_intervals`` for agents that have only turns.

    A run goes from a prompt to the agent's last turn before the next prompt. A prompt
    after a prompt steers: one run answers both. Turns are lines; what comes before the
    first prompt has an unknown trigger. An answer steers too, and the agent is blocked
    from its last question to the answer.

    Args:
        turns: (n, ≥5) ``agent_id`` (int64), ``at`` (UTC), ``is_user``, ``asks`` (an agent's
            turn is a question), ``answers`` (a person's turn answers one; bool), in any order.

    Returns:
        The turns, with ``steers``; signals; and calls, see
        :func:`aggregator.intervals.timeline.agent_intervals`.
    """
    turns = _in_order(turns)
    agent, at = turns["agent_id"].to_numpy(), microseconds(turns["at"])
    is_user = turns["is_user"].to_numpy()
    continues = np.append(False, agent[1:] == agent[:-1])[: len(agent)]
    questions, answers = _answered(turns, continues)
    steers = is_user & continues & np.append(False, is_user[:-1])[: len(agent)]
    steers[answers] = True
    silence = int(SILENCE_AFTER.total_seconds() * 1e6)
    close = continues & (np.diff(at, prepend=at[:1]) <= silence)
    signals = pd.concat(
        [
            _openings(turns, ~continues & ~is_user),
            _grouped(turns, ~close, "lines"),
            _grouped_work(turns, (is_user & ~steers) | ~continues, ~is_user),
        ],
        ignore_index=True,
    )
    return turns.assign(steers=steers), signals, _calls(turns, questions, answers)


def _in_order(turns: pd.DataFrame) -> pd.DataFrame:
    """Sort by agent and time; at one instant, an answer is the first and a question the last."""
    is_user = turns["is_user"]
    rank = np.where(is_user, np.where(turns["answers"], 0, 1), np.where(turns["asks"], 3, 2))
    # Two stable sorts are fast here: turns come almost in the order of time, and the
    # numbers of agents are small.
    order = np.argsort(microseconds(turns["at"]) * 4 + rank, kind="stable")
    agents, ids = pd.factorize(turns["agent_id"], sort=True)
    agents = agents.astype(np.min_scalar_type(len(ids)))
    order = order[np.argsort(agents[order], kind="stable")]
    return turns.iloc[order].reset_index(drop=True)


def _answered(turns: pd.DataFrame, continues: Flags) -> tuple[Integers, Integers]:
    """Positions of questions and of their answers.

    A question is the agent's last one since the turn of a person before. Its answer is the
    next turn of a person, if that says so.
    """
    is_user, asks, says = (turns[name].to_numpy() for name in ("is_user", "asks", "answers"))
    position = np.arange(len(turns))
    questions = np.where(~is_user & asks, position, -1)
    begins = np.where(is_user | ~continues, position, -1)
    last_question = np.append(-1, np.maximum.accumulate(questions))[:-1]
    last_begin = np.append(-1, np.maximum.accumulate(begins))[:-1]
    since = last_question[: len(turns)]
    is_answer = is_user & continues & says & (since >= 0) & (since >= last_begin[: len(turns)])
    answers = np.flatnonzero(is_answer)
    return last_question[answers], answers


def _openings(turns: pd.DataFrame, chosen: Flags) -> pd.DataFrame:
    at = turns["at"][chosen]
    return _signals(turns["agent_id"][chosen], "unknown", at, pd.Series(pd.NaT, at.index, at.dtype))


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


def _calls(turns: pd.DataFrame, questions: Integers, answers: Integers) -> pd.DataFrame:
    asked = turns.iloc[questions].reset_index(drop=True)
    texts = {"tool": "", "mode": "", "source": QUESTION}
    return pd.DataFrame(
        {
            "agent_id": asked["agent_id"],
            "at": asked["at"],
            "until": turns["at"].iloc[answers].reset_index(drop=True),
            **{name: pd.Series(text, asked.index, dtype="str") for name, text in texts.items()},
        }
    )
