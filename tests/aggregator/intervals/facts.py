"""Made-up facts about agents, on a grid of :data:`STEP`, and their frames."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
from hypothesis import strategies as st

from aggregator.intervals.kinds import SIGNAL_CODES, SIGNALS
from aggregator.metrics.hourly import INSTANT_DTYPE

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
STEP = timedelta(seconds=100)
"""Silence of 600 s is 6 steps, 30 min are 18, an hour is 36."""
LAST = 80

TURN_DTYPES = {"agent_id": "int64", "at": INSTANT_DTYPE, "is_user": "bool", "steers": "bool"}
SIGNAL_DTYPES = {
    "agent_id": "int64",
    "kind": "int8",
    "at": INSTANT_DTYPE,
    "until": INSTANT_DTYPE,
    "milliseconds": "int64",
}
CALL_DTYPES = {
    "agent_id": "int64",
    "at": INSTANT_DTYPE,
    "until": INSTANT_DTYPE,
    "tool": "str",
    "mode": "str",
    "source": "str",
}


@dataclass(frozen=True)
class Facts:
    """Facts about one agent.

    Attributes:
        turns: Step, whether it is a person's, whether it steers.
        signals: Kind, first step, last step or None, measured steps.
        calls: First step, last step or None, tool, mode, source.
    """

    turns: tuple[tuple[int, bool, bool], ...] = ()
    signals: tuple[tuple[str, int, int | None, int], ...] = ()
    calls: tuple[tuple[int, int | None, str, str, str], ...] = ()


Frames = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


def instant(step: float | None) -> datetime | None:
    return None if step is None else NOON + step * STEP


def frames(agents: dict[int, Facts]) -> Frames:
    """Arguments of ``agent_intervals`` for several agents."""
    turns = [
        (agent, instant(at), *rest) for agent, facts in agents.items() for at, *rest in facts.turns
    ]
    signals = [
        (agent, SIGNAL_CODES[kind], instant(at), instant(until), steps * 100_000)
        for agent, facts in agents.items()
        for kind, at, until, steps in facts.signals
    ]
    calls = [
        (agent, instant(at), instant(until), *rest)
        for agent, facts in agents.items()
        for at, until, *rest in facts.calls
    ]
    return (
        pd.DataFrame(turns, columns=list(TURN_DTYPES)).astype(TURN_DTYPES),
        pd.DataFrame(signals, columns=list(SIGNAL_DTYPES)).astype(SIGNAL_DTYPES),
        pd.DataFrame(calls, columns=list(CALL_DTYPES)).astype(CALL_DTYPES),
    )


_steps = st.integers(0, LAST)
_spans = st.tuples(_steps, st.one_of(st.integers(0, 8), st.integers(0, 60))).map(
    lambda span: (span[0], span[0] + span[1])
)
_OPEN = ("limit", "background")
_SPANS = ("lines", "work", "reply", "subagent")


def _signal(kind: str) -> st.SearchStrategy[tuple[str, int, int | None, int]]:
    if kind in _SPANS:
        return _spans.map(lambda span: (kind, *span, 0))
    if kind in _OPEN:
        return st.tuples(_spans, st.booleans()).map(
            lambda row: (kind, row[0][0], row[0][1] if row[1] else None, 0)
        )
    measured = st.integers(0, 40) if kind == "duration" else st.just(0)
    return st.tuples(st.just(kind), _steps, st.none(), measured)


_signals = st.one_of([_signal(kind) for kind in SIGNALS])
_calls = st.tuples(
    _spans,
    st.booleans(),
    st.sampled_from(["Edit", "Bash", "WebFetch", "Task"]),
    st.sampled_from(["default", "bypassPermissions", ""]),
    st.sampled_from(["call", "call", "question", "rejected"]),
).map(lambda row: (row[0][0], None if row[1] and row[0][1] % 3 == 0 else row[0][1], *row[2:]))
_turns = st.tuples(_steps, st.booleans(), st.integers(0, 3).map(lambda number: number == 0))


def _tuples(values: st.SearchStrategy, most: int) -> st.SearchStrategy:
    return st.lists(values, max_size=most).map(tuple)


facts_of_an_agent = st.builds(Facts, _tuples(_turns, 8), _tuples(_signals, 14), _tuples(_calls, 6))
facts_of_agents = st.dictionaries(st.integers(1, 9), facts_of_an_agent, max_size=3)
