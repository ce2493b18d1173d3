from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.intervals.state import (
    AgentFacts,
    AgentState,
    OpenCall,
    Session,
    next_change,
    state_of,
)

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def call(seconds, tool, mode="default", source="call"):
    return OpenCall(at(seconds), tool, mode, source)


def opened(*calls, last=20, **facts) -> AgentFacts:
    """A run that a person's prompt began at noon, and that is open."""
    return AgentFacts(NOON, None, NOON, at(last), "person", open_calls=calls, **facts)


def over(end=20, last=None, **facts) -> AgentFacts:
    """A run from noon that is over."""
    return AgentFacts(NOON, at(end), NOON, at(end if last is None else last), "person", **facts)


def seen(facts, seconds):
    """State, second since, reason and tool at a second."""
    found = state_of(facts, at(seconds))
    return (found.state, (found.since - NOON).total_seconds(), found.reason, found.tool)


WORKING = ("working", 0, "person", "")
DONE = ("waiting", 20, "turn done", "")


def session(status, seconds, **facts):
    return Session(status, at(seconds), **facts)


EDIT = call(20, "Edit")


@pytest.mark.parametrize(
    ("facts", "seconds", "expected"),
    [
        # The session file knows of a permission at once, else six seconds tell it.
        (opened(EDIT), 25, WORKING),
        (opened(EDIT), 27, ("waiting", 20, "permission", "Edit")),
        (opened(EDIT), 3 * 3600, ("waiting", 20, "permission", "Edit")),
        (opened(EDIT, session=session("waiting", 21)), 21, ("waiting", 21, "permission", "Edit")),
        # A sub-agent goes on meanwhile.
        (opened(EDIT, last=600), 601, ("waiting", 20, "permission", "Edit")),
        # A question is one from the moment of the call, whatever the file says yet.
        (
            opened(call(20, "AskUserQuestion", source="question")),
            20,
            ("waiting", 20, "question", ""),
        ),
        (
            opened(
                call(20, "AskUserQuestion", "bypassPermissions", "question"),
                session=session("busy", 0),
            ),
            700,
            ("waiting", 20, "question", ""),
        ),
        (opened(call(20, "ExitPlanMode", "plan", "plan")), 21, ("waiting", 20, "plan", "")),
        # A reminder after a minute moves nothing.
        (over(), 20, DONE),
        (over(last=80), 80, DONE),
        (over(last=80, session=session("idle", 80)), 81, DONE),
        # Thinking in silence.
        (opened(last=0), 120, WORKING),
        # A permission was given, and the tool takes ten minutes.
        (opened(EDIT, session=session("busy", 50)), 660, ("working", 50, "person", "")),
        (
            opened(call(20, "Bash"), session=session("busy", 50)),
            660,
            ("working", 50, "person", ""),
        ),
        # Killed: the process says so, else the silence.
        (opened(session=session("busy", 0, gone_at=at(25))), 25, ("ended", 20, "process gone", "")),
        (opened(), 621, ("stalled", 20, "silence", "")),
        (opened(), 20 + 12 * 3600, ("idle", 20 + 12 * 3600, "nothing to do", "")),
    ],
)
def test_cases_in_which_others_are_wrong(facts, seconds, expected):
    assert seen(facts, seconds) == expected


@pytest.mark.parametrize(
    ("calls", "seconds", "expected"),
    [
        ([call(20, "Edit", "bypassPermissions")], 60, WORKING),
        ([call(20, "WebFetch")], 620, WORKING),
        ([call(20, "WebFetch")], 621, ("waiting", 20, "permission", "WebFetch")),
        # These take long without asking.
        ([call(20, "Bash")], 621, ("stalled", 20, "silence", "")),
        ([call(20, "Task")], 621, ("stalled", 20, "silence", "")),
        # The first one asks first.
        ([call(9, "Write"), EDIT], 60, ("waiting", 9, "permission", "Write")),
    ],
)
def test_without_a_file_of_the_session_time_tells_that_a_call_asks(calls, seconds, expected):
    assert seen(opened(*calls), seconds) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (over(is_interrupted=True), ("waiting", 20, "interrupted", "")),
        (over(has_background=True), ("background", 20, "work in the background", "")),
        (over(limited_at=at(20)), ("limited", 20, "usage limit", "")),
        (opened(limited_at=at(20)), ("limited", 20, "usage limit", "")),
        (over(left_at=at(30)), ("ended", 30, "left", "")),
        (over(ended_at=at(40)), ("ended", 40, "left", "")),
        # Left, and resumed later.
        (over(left_at=at(30), session=session("busy", 50)), ("working", 50, "person", "")),
        (AgentFacts(None, None, None, NOON), ("idle", 0, "nothing to do", "")),
    ],
)
def test_what_an_agent_does_after_its_run(facts, expected):
    assert seen(facts, 100) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (over(session=session("busy", 60)), ("working", 60, "person", "")),
        (opened(session=session("idle", 60)), ("waiting", 60, "turn done", "")),
        (over(session=session("shell", 22)), ("background", 20, "work in the background", "")),
        (over(session=session("dreaming", 60)), ("unknown", 60, "unknown status", "")),
        (opened(session=session("waiting", 60)), ("waiting", 60, "permission", "")),
        # Its process is gone, and another one has written since.
        (over(last=90, session=session("busy", 0, gone_at=at(60))), DONE),
    ],
)
def test_the_file_of_a_session_that_is_alive_counts_first(facts, expected):
    assert seen(facts, 100) == expected


@pytest.mark.parametrize(
    ("facts", "task", "seconds", "expected"),
    [
        (over(), "PROCESSING", 100, WORKING),
        (over(), "commanded", 100, WORKING),
        (over(), "processing", 3620, ("stalled", 20, "silence", "")),
        (opened(), "awaiting_input", 100, DONE),
        (over(asks=True), "awaiting_input", 100, ("waiting", 20, "question", "")),
        (over(), "complete", 100, ("idle", 20, "nothing to do", "")),
        (over(), "on holiday", 100, ("unknown", 20, "unknown status", "")),
        (over(), "", 100, DONE),
        (over(asks=True), None, 100, ("waiting", 20, "question", "")),
    ],
)
def test_on_a_host_the_state_of_the_task_counts_and_else_the_turns(facts, task, seconds, expected):
    assert seen(replace(facts, task_state=task), seconds) == expected


def test_a_wait_is_folded_after_half_an_hour_and_forgotten_after_twelve():
    facts, half, twelve = over(), 20 + 1800, 20 + 12 * 3600

    assert seen(facts, twelve - 1) == DONE
    assert seen(facts, twelve) == ("idle", twelve, "nothing to do", "")
    waits = state_of(facts, at(half))
    assert [waits.is_long(at(half - 1)), waits.is_long(at(half))] == [False, True]


@pytest.mark.parametrize(
    ("facts", "seconds", "changes"),
    [
        (over(), 30, 20 + 1800),
        (over(), 1900, 20 + 12 * 3600),
        (opened(EDIT), 21, 26),
        (opened(EDIT, last=400), 30, 20 + 1800),
        (opened(), 30, 620),
    ],
)
def test_the_next_instant_at_which_time_alone_changes_a_state_is_known(facts, seconds, changes):
    state = state_of(facts, at(seconds))

    assert next_change(facts, state, at(seconds)) == at(changes)


def test_an_idle_agent_stays_so():
    facts = over(task_state="complete")
    now = at(86_400)

    assert state_of(facts, now) == AgentState("idle", at(20), "nothing to do")
    assert next_change(facts, state_of(facts, now), now) is None
