"""The definitions of the kinds of time, one example each. Numbers are steps of 100 s."""

from __future__ import annotations

import pandas as pd
import pytest

from aggregator.intervals.timeline import agent_intervals
from tests.aggregator.intervals.facts import NOON, STEP, Facts, frames

PROMPT, NEXT = (0, True, False), (60, True, False)


def lines(*spans: tuple[int, int]) -> tuple[tuple[str, int, int, int], ...]:
    return tuple(("lines", *span, 0) for span in spans)


def mark(kind: str, at: int, until: int | None = None, measured: int = 0) -> tuple:
    return (kind, at, until, measured)


SUBAGENT = mark("subagent", 4, 9)
WORK = (mark("work", 1, 20), *lines((0, 20)))
MEASURED = (*WORK, mark("duration", 20, measured=9))


@pytest.mark.parametrize(
    ("facts", "kinds"),
    [
        pytest.param(
            Facts((PROMPT, NEXT), WORK),
            [("working", 0, 20), ("waiting", 20, 38), ("idle", 38, 60)],
            id="a person has half an hour to answer before the agent is idle",
        ),
        pytest.param(
            Facts((PROMPT,), (*WORK, mark("trigger", 60))),
            [("working", 0, 20), ("idle", 20, 60)],
            id="nobody waits for a person before a machine's run",
        ),
        pytest.param(
            Facts((PROMPT, NEXT), (*WORK, mark("exit", 24))),
            [("working", 0, 20), ("waiting", 20, 24), ("idle", 24, 60)],
            id="waiting ends where the session is left",
        ),
        pytest.param(
            Facts((PROMPT, NEXT), (*WORK, mark("background", 5, 30))),
            [("working", 0, 20), ("background", 20, 30), ("waiting", 30, 38), ("idle", 38, 60)],
            id="work in the background comes before waiting and prolongs nothing",
        ),
        pytest.param(
            Facts((PROMPT, NEXT), (*WORK, mark("limit", 20, 50))),
            [("working", 0, 20), ("limited", 20, 50), ("idle", 50, 60)],
            id="a usage limit lasts until the next activity",
        ),
        pytest.param(
            Facts((PROMPT,), (mark("work", 1, 20), *lines((0, 4), (10, 20)))),
            [("working", 0, 20)],
            id="600 s without a line are work",
        ),
        pytest.param(
            Facts((PROMPT,), (mark("work", 1, 20), *lines((0, 4), (11, 20)))),
            [("working", 0, 4), ("stalled", 4, 11), ("working", 11, 20)],
            id="a longer time without a line is stalled",
        ),
        pytest.param(
            Facts((PROMPT,), (mark("work", 1, 20), *lines((0, 4), (11, 20), (8, 8)))),
            [("working", 0, 20)],
            id="a single line interrupts a silence",
        ),
        pytest.param(
            Facts((PROMPT,), (*lines((0, 4), (11, 20)), mark("work", 1, 20), SUBAGENT)),
            [("working", 0, 20)],
            id="nobody is silent while a sub-agent writes lines",
        ),
        pytest.param(
            Facts((PROMPT,), (*lines((0, 4), (40, 40)), mark("duration", 40, measured=40))),
            [("working", 0, 40)],
            id="a measured run may be silent for an hour",
        ),
        pytest.param(
            Facts((PROMPT,), (*lines((0, 4), (41, 41)), mark("duration", 41, measured=41))),
            [("working", 0, 4), ("stalled", 4, 41)],
            id="a longer silence is stalled in a measured run, too",
        ),
        pytest.param(
            Facts((PROMPT,), WORK, ((2, 5, "AskUserQuestion", "auto", "question"),)),
            [("working", 0, 2), ("blocked", 2, 5), ("working", 5, 20)],
            id="a question blocks until its answer",
        ),
        pytest.param(
            Facts((PROMPT,), WORK, ((2, 5, "Bash", "default", "rejected"),)),
            [("working", 0, 2), ("blocked", 2, 5), ("working", 5, 20)],
            id="a rejected call blocks until the rejection",
        ),
        pytest.param(
            Facts(
                (PROMPT,),
                WORK,
                ((2, 5, "Edit", "default", "call"), (7, 9, "Edit", "bypassPermissions", "call")),
            ),
            [("working", 0, 2), ("blocked", 2, 5), ("working", 5, 20)],
            id="a long edit has asked, unless permissions are bypassed",
        ),
        pytest.param(
            Facts((PROMPT,), (mark("work", 1, 40), *lines((0, 2), (39, 40))),
                  ((2, 39, "Edit", "default", "call"),)),
            [("working", 0, 2), ("blocked", 2, 20), ("stalled", 20, 39), ("working", 39, 40)],
            id="a block lasts half an hour at most, and is then stalled",
        ),
        pytest.param(
            Facts((PROMPT,), (mark("work", 1, 20), *lines((0, 2), (12, 20))),
                  ((2, 12, "WebFetch", "default", "call"),)),
            [("working", 0, 2), ("blocked", 2, 12), ("working", 12, 20)],
            id="a call that is open in a long silence has asked",
        ),
        pytest.param(
            Facts((PROMPT,), (mark("work", 1, 20), *lines((0, 2), (12, 20))),
                  ((2, 12, "Bash", "default", "call"),)),
            [("working", 0, 2), ("stalled", 2, 12), ("working", 12, 20)],
            id="a shell that is open in a long silence may work",
        ),
        pytest.param(
            # 20 steps, of which 9 are measured and 1 is before the first line.
            Facts((PROMPT,), MEASURED, (
                (2, 5, "Edit", "default", "call"),
                (5, 9, "Bash", "default", "call"),
                (9, 12, "Edit", "default", "rejected"),
                (12, 17, "Task", "default", "call"),
            )),
            [("working", 0, 2), ("blocked", 2, 5), ("blocked", 5, 9), ("blocked", 9, 12),
             ("working", 12, 20)],
            id="what is not measured is blocked, at most all calls that may have asked",
        ),
        pytest.param(
            Facts((PROMPT,), (*WORK, mark("duration", 20, measured=13)), (
                (2, 5, "Edit", "default", "call"),
                (5, 9, "Bash", "default", "call"),
                (9, 12, "Edit", "default", "rejected"),
            )),
            [("working", 0, 5), ("blocked", 5, 8), ("working", 8, 9), ("blocked", 9, 12),
             ("working", 12, 20)],
            id="what surely asked is blocked first, then the longest call",
        ),
        pytest.param(
            Facts((PROMPT,), (*WORK, mark("duration", 20, measured=99)),
                  ((2, 5, "Edit", "default", "rejected"),)),
            [("working", 0, 20)],
            id="a measure longer than its run says that nothing was blocked",
        ),
    ],
)  # fmt: skip
def test_every_instant_is_of_one_kind(facts, kinds):
    intervals = agent_intervals(*frames({1: facts})).intervals

    assert [
        (row.kind, (row.started_at - NOON) / STEP, (row.ended_at - NOON) / STEP)
        for row in intervals.itertuples()
    ] == kinds


@pytest.mark.parametrize(("seconds", "kinds"), [(6.0, ["working"]), (6.1, ["working", "blocked"])])
def test_an_edit_of_more_than_6_s_has_asked(seconds, kinds):
    turns, signals, calls = frames(
        {1: Facts((PROMPT,), WORK, ((2, 5, "Edit", "default", "call"),))}
    )
    calls["until"] = calls["at"] + pd.to_timedelta([seconds], unit="s")

    intervals = agent_intervals(turns, signals, calls).intervals

    assert sorted(set(intervals["kind"]), reverse=True) == kinds


@pytest.mark.parametrize(
    ("signals", "run"),
    [
        (WORK, (0, 20, "person", "trigger", True)),
        ((*WORK, mark("stop", 20)), (0, 20, "person", "stop", True)),
        ((*WORK, mark("stop", 9)), (0, 20, "person", "trigger", True)),
        ((mark("reply", 1, 20),), (0, 20, "person", "reply", True)),
        ((*WORK, mark("interruption", 22)), (0, 22, "person", "interruption", True)),
        ((mark("interruption", 2),), (0, 2, "person", "interruption", False)),
        ((*MEASURED, mark("interruption", 5)), (0, 20, "person", "duration", True)),
        ((*WORK, mark("duration", 60, measured=1)), (0, 60, "person", "duration", True)),
        ((), (0, 0, "person", "trigger", False)),
    ],
    ids=[
        "by the next trigger",
        "by a stop",
        "not by a stop before its last line",
        "by a reply",
        "by an interruption",
        "before any work",
        "by its measure first of all",
        "at the instant of the next prompt",
        "where it began",
    ],
)
def test_a_run_ends(signals, run):
    runs = agent_intervals(*frames({1: Facts((PROMPT, NEXT), signals)})).runs

    first = runs.iloc[0]
    found = (
        (first.started_at - NOON) / STEP,
        (first.ended_at - NOON) / STEP,
        first.trigger,
        first.ended_by,
        first.is_response,
    )
    assert found == run


def test_a_run_without_an_end_is_no_response():
    runs = agent_intervals(*frames({1: Facts((PROMPT,), WORK)})).runs

    assert runs[["ended_by", "is_response"]].to_numpy().tolist() == [["open", False]]


def test_a_block_tells_its_call_and_work_its_trigger():
    facts = Facts((), (mark("unknown", 0), *WORK), ((2, 5, "Edit", "default", "call"),))

    intervals = agent_intervals(*frames({1: facts})).intervals

    columns = ["kind", "reason", "tool", "mode", "is_exact"]
    known = intervals[columns].astype("object")
    assert known.where(known.notna(), None).to_numpy().tolist() == [
        ["working", "unknown", None, None, False],
        ["blocked", "permission", "Edit", "default", False],
        ["working", "unknown", None, None, False],
    ]


def test_lines_that_another_session_wrote_begin_no_span():
    copied = (mark("work", 0, 10), *lines((0, 10)))
    facts = Facts(((30, True, False),), (*copied, mark("work", 31, 35)))

    intervals = agent_intervals(*frames({1: facts})).intervals

    assert intervals["started_at"].min() == NOON + 30 * STEP


def test_no_facts_make_no_rows():
    intervals, runs = agent_intervals(*frames({}))

    assert (len(intervals), len(runs)) == (0, 0)
