from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.intervals.present import present_facts, present_states
from aggregator.intervals.state import ENDED, STATES
from tests.aggregator.intervals.facts import LAST, NOON, Facts, facts_of_agents, frames, instant

PROMPT = ((0, True, False),)
INSTANTS = ("ended_at", "message_at", "status_at", "gone_at")
STATED = {"task_state": None, "status": None, **dict.fromkeys(INSTANTS, pd.NaT)}


def agents_of(told):
    """Frame of agents, by what is known of each beside its facts."""
    rows = [{"agent_id": agent, **STATED, **known} for agent, known in told.items()]
    frame = pd.DataFrame(rows, columns=["agent_id", *STATED])
    instants = {name: pd.to_datetime(frame[name], utc=True).dt.as_unit("us") for name in INSTANTS}
    return frame.assign(**instants).astype({"agent_id": "int64"})


def states(facts, step, told=None, asks=()):
    turns, signals, calls = frames(facts)
    turns = turns.assign(asks=turns["at"].isin([instant(at) for at in asks]), answers=False)
    agents = agents_of(told or {agent: {} for agent in facts})
    return present_states(
        present_facts(turns, signals, calls, agents, instant(step)), instant(step)
    )


def seen(*args, **kwargs):
    """State of each agent, step since when, reason and tool."""
    return [
        (row.state, (row.since - NOON) / pd.Timedelta(seconds=100), row.reason, row.tool)
        for row in states(*args, **kwargs).itertuples()
    ]


@pytest.mark.parametrize(
    ("facts", "step", "expected"),
    [
        (Facts(PROMPT, (("work", 1, 3, 0), ("lines", 0, 3, 0))), 4, ("working", 0, "person", "")),
        (
            Facts(PROMPT, (("reply", 1, 3, 0), ("lines", 0, 3, 0))),
            4,
            ("waiting", 3, "turn done", ""),
        ),
        # Lines of reminders and of sub-agents are no activity of the agent.
        (
            Facts(PROMPT, (("reply", 1, 3, 0), ("lines", 0, 9, 0))),
            9,
            ("waiting", 3, "turn done", ""),
        ),
        (
            Facts(PROMPT, (("work", 1, 1, 0), ("lines", 0, 1, 0), ("subagent", 1, 9, 0))),
            14,
            ("working", 0, "person", ""),
        ),
        (
            Facts(PROMPT, (("work", 1, 3, 0), ("interruption", 3, None, 0))),
            4,
            ("waiting", 3, "interrupted", ""),
        ),
        (Facts(PROMPT, (("reply", 1, 3, 0), ("exit", 5, None, 0))), 9, ("ended", 5, "left", "")),
        # Left and resumed: by a prompt, or only opened.
        (
            Facts(PROMPT, (("reply", 1, 3, 0), ("exit", 5, None, 0), ("lines", 8, 8, 0))),
            9,
            ("waiting", 3, "turn done", ""),
        ),
        (
            Facts(((0, True, False), (7, True, False)), (("reply", 1, 3, 0), ("exit", 5, None, 0))),
            9,
            ("working", 7, "person", ""),
        ),
        (
            Facts(PROMPT, (("reply", 1, 3, 0), ("limit", 3, None, 0))),
            9,
            ("limited", 3, "usage limit", ""),
        ),
        (
            Facts(PROMPT, (("reply", 1, 3, 0), ("background", 2, None, 0))),
            9,
            ("background", 3, "work in the background", ""),
        ),
        # What an earlier run launched, and a call that died with it, say nothing.
        (
            Facts(
                ((0, True, False), (6, True, False)),
                (("work", 1, 3, 0), ("background", 2, None, 0), ("reply", 7, 8, 0)),
                ((2, None, "Edit", "default", "call"),),
            ),
            9,
            ("waiting", 8, "turn done", ""),
        ),
        (
            Facts(PROMPT, (("work", 1, 3, 0),), ((3, None, "Edit", "default", "call"),)),
            4,
            ("waiting", 3, "permission", "Edit"),
        ),
        # It works since the answer.
        (
            Facts(
                PROMPT,
                (("work", 1, 5, 0), ("lines", 0, 5, 0)),
                ((2, 4, "AskUserQuestion", "default", "question"),),
            ),
            6,
            ("working", 4, "person", ""),
        ),
        (
            Facts((), (("trigger", 0, None, 0), ("work", 1, 3, 0))),
            4,
            ("working", 0, "machine", ""),
        ),
    ],
)
def test_the_state_follows_from_the_last_run_and_what_came_after_it(facts, step, expected):
    assert seen({5: facts}, step) == [expected]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (((0, True, False),), ("working", 0, "person", "")),
        (((0, True, False), (2, False, False)), ("waiting", 2, "turn done", "")),
        (((0, False, False),), ("waiting", 0, "turn done", "")),
    ],
)
def test_of_an_agent_without_signals_the_turns_tell_the_state(turns, expected):
    assert seen({5: Facts(turns)}, 3) == [expected]


def test_a_last_turn_that_asks_is_a_question():
    facts = {5: Facts(((0, True, False), (2, False, False)))}

    assert seen(facts, 3, asks=[2]) == [("waiting", 2, "question", "")]


def test_the_task_of_an_agent_counts_only_where_it_has_no_signals():
    facts = {5: Facts(PROMPT), 6: Facts(PROMPT, (("reply", 1, 2, 0),))}
    told = {agent: {"task_state": "complete"} for agent in facts}

    assert seen(facts, 3, told) == [
        ("idle", 0, "nothing to do", ""),
        ("waiting", 2, "turn done", ""),
    ]


def test_facts_after_the_present_are_ignored():
    facts = {
        5: Facts(((0, True, False), (9, True, False)), (("lines", 0, 9, 0), ("work", 0, 9, 0)))
    }

    assert seen(facts, 3) == [("working", 0, "person", "")]


def test_a_reply_that_may_go_on_with_a_call_ends_the_run_after_some_seconds():
    facts = {5: Facts(PROMPT, (("reply", 1, 2, 0),))}
    told = {5: {"message_at": instant(2)}}

    assert seen(facts, 2.02, told) == [("working", 0, "person", "")]
    assert seen(facts, 2.03, told) == [("waiting", 2, "turn done", "")]
    assert states(facts, 2.02, told)["changes_at"].tolist() == [instant(2.03)]


def test_what_the_file_of_a_session_says_counts():
    facts = {5: Facts(PROMPT, (("reply", 1, 2, 0),)), 6: Facts(PROMPT, (("reply", 1, 2, 0),))}
    told = {
        5: {"status": "busy", "status_at": instant(3)},
        6: {"status": "busy", "status_at": instant(3), "gone_at": instant(4)},
    }

    assert seen(facts, 4, told) == [("working", 3, "person", ""), ("ended", 2, "process gone", "")]


@given(facts_of_agents)
def test_every_state_is_known_and_has_begun_and_no_order_of_facts_matters(facts):
    found = states(facts, 80)
    turns, signals, calls = (rows.iloc[::-1] for rows in frames(facts))
    turns = turns.assign(asks=False, answers=False)
    agents = agents_of({agent: {} for agent in facts})

    assert set(found["state"]) <= {*STATES, ENDED}
    assert (found["since"] <= instant(80)).all()
    again = present_facts(turns, signals, calls, agents, instant(80))
    assert found.equals(present_states(again, instant(80)))


@given(facts_of_agents, st.integers(2 * LAST, 9 * LAST))
def test_facts_that_were_put_together_once_give_every_later_state(facts, later):
    # All facts have ended by twice the last step.
    turns, signals, calls = frames(facts)
    turns = turns.assign(asks=False, answers=False)
    agents = agents_of({agent: {} for agent in facts})
    once, anew = (
        present_facts(turns, signals, calls, agents, instant(step)) for step in (2 * LAST, later)
    )

    assert once == anew
    assert present_states(once, instant(later)).equals(present_states(anew, instant(later)))
