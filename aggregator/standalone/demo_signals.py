"""Signals for made-up turns: what transcripts would have told beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from aggregator.intervals.kinds import SILENCE_AFTER

Turn = dict[str, Any]
Signal = dict[str, Any]

MEASURED = 0.42
"""Share of runs with a record of their duration."""
ASKED = 0.4
"""Share of longer runs in which a call waited for a permission."""
BACKGROUND = 0.05
"""Share of runs that leave work in the background."""
LIMITED = 0.004
"""Share of runs that end at a usage limit."""
TOOLS = ("Edit", "Write", "Bash", "AskUserQuestion")
COLUMNS = ("until", "source", "tool", "mode", "milliseconds")


def demo_signals(
    session: str, turns: Sequence[Turn], seed: Sequence[int], *, is_over: bool
) -> list[Signal]:
    """Make up the signals of one agent: runs, some of them measured, and what they waited for.

    Args:
        session: Its session.
        turns: Its turns, oldest first.
        seed: Seed of what is random.
        is_over: Whether the last run is over.

    Returns:
        Rows of ``signals``. They depend only on the arguments.
    """
    rng = np.random.default_rng(seed)
    runs = list(_runs(turns))
    found = [
        {"kind": "steering", "at": turn["timestamp"], "key": turn["key"]}
        for turn in _steering(turns)
    ]
    for number, run in enumerate(runs):
        following = runs[number + 1][0]["timestamp"] if number + 1 < len(runs) else None
        found += _of_run(rng, run, following, is_over=is_over or following is not None)
    return [
        {
            **dict.fromkeys(COLUMNS),
            **signal,
            "session_id": session,
            "key": f"{signal['key']}:{signal['kind']}",
        }
        for signal in found
    ]


def _steering(turns: Sequence[Turn]) -> Iterator[Turn]:
    """Yield prompts that come soon after a prompt, whose run is still open."""
    for before, turn in pairwise(turns):
        if turn["actor"] == "USER" and not _begins_run(before, turn):
            yield turn


def _begins_run(before: Turn, turn: Turn) -> bool:
    if turn["actor"] != "USER":
        return False
    pause: timedelta = turn["timestamp"] - before["timestamp"]
    return before["actor"] == "AGENT" or pause > SILENCE_AFTER


def _runs(turns: Sequence[Turn]) -> Iterator[list[Turn]]:
    """Yield the turns of each run, which begins with a prompt after a reply or a pause."""
    run: list[Turn] = []
    for turn in turns:
        if run and _begins_run(run[-1], turn):
            yield run
            run = []
        run.append(turn)
    if run:
        yield run


def _of_run(
    rng: np.random.Generator, run: list[Turn], following: datetime | None, *, is_over: bool
) -> Iterator[Signal]:
    key, replies = run[0]["key"], [turn for turn in run if turn["actor"] == "AGENT"]
    yield from _lines(run)
    # They are drawn even where they do not count: a run that goes on draws the same.
    measured, launches, limited = rng.random(3) < (MEASURED, BACKGROUND, LIMITED)
    if not replies:
        return
    start, first, last = (turn["timestamp"] for turn in (run[0], replies[0], replies[-1]))
    yield {
        "kind": "work",
        "at": first,
        "until": last,
        "source": "reply" if is_over else None,
        "key": key,
    }
    call = _call(rng, replies, key)
    if call:
        yield call
    if is_over and measured:
        worked = last - start - (call["until"] - call["at"] if call else timedelta())
        yield {
            "kind": "duration",
            "at": last,
            "milliseconds": worked // timedelta(milliseconds=1),
            "key": key,
        }
    if is_over and launches:
        report = last + timedelta(minutes=rng.uniform(2, 20))
        yield {"kind": "background", "at": last, "until": report, "source": "shell", "key": key}
    if following is not None and limited:
        yield {"kind": "limit", "at": last, "until": following, "key": key}


def _lines(run: list[Turn]) -> Iterator[Signal]:
    """Yield spans without a longer silence."""
    span = [run[0]]
    for before, turn in pairwise(run):
        if turn["timestamp"] - before["timestamp"] > SILENCE_AFTER:
            yield _span(span)
            span = []
        span.append(turn)
    yield _span(span)


def _span(turns: list[Turn]) -> Signal:
    first, last = turns[0], turns[-1]
    return {
        "kind": "lines",
        "at": first["timestamp"],
        "until": last["timestamp"],
        "key": first["key"],
    }


def _call(rng: np.random.Generator, replies: list[Turn], key: str) -> Signal | None:
    """Make up a call that waited, in the first pause between two replies that is long enough."""
    if rng.random() >= ASKED:
        return None
    tool = str(rng.choice(TOOLS, p=(0.5, 0.2, 0.2, 0.1)))
    for before, after in pairwise(replies):
        pause = after["timestamp"] - before["timestamp"]
        if timedelta(seconds=15) < pause < SILENCE_AFTER:
            return {
                "kind": "call",
                "at": before["timestamp"],
                "until": after["timestamp"] - pause * float(rng.uniform(0.1, 0.5)),
                "source": "question" if tool == "AskUserQuestion" else "call",
                "tool": tool,
                "mode": "default" if rng.random() < 0.8 else "acceptEdits",
                "key": key,
            }
    return None
