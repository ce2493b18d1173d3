from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from aggregator.database.models import ActivityRun, Agent, Signal, Task
from aggregator.query.agents.states import read_present

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("task_state", "minutes", "state"),
    [
        ("processing", 2, "working"),
        ("COMMANDED", 2, "working"),
        ("awaiting_input", 119, "waiting"),
        ("processing", 60, "stalled"),
        ("awaiting_input", 12 * 60, "idle"),
        ("complete", 2, "idle"),
        ("on holiday", 2, "unknown"),
    ],
)
def test_without_signals_the_task_tells_the_state(conn, record, task_state, minutes, state):
    agent = record(conn, "alpha", "a1", [ago(minutes), ago(minutes + 5)], state=task_state)

    states = read_present(conn, NOW).at(NOW).states

    assert states[["agent_id", "project_id", "state", "last_turn_at"]].values.tolist() == [
        [agent, 1, state, ago(minutes)]
    ]


def test_signals_tell_the_state_since_when_and_why(conn, record):
    agent = record(conn, "alpha", "a1", [ago(9)], actor="USER")
    record(conn, "alpha", "a1", [ago(8)])
    told = {"session_id": "a1", "source": None, "tool": None, "mode": None}
    conn.execute(
        insert(Signal),
        [
            {**told, "kind": "lines", "at": ago(9), "until": ago(7), "key": "1"},
            {**told, "kind": "work", "at": ago(8), "until": ago(7), "key": "2"},
            {
                **told, "kind": "call", "at": ago(7), "until": None, "key": "3",
                "source": "call", "tool": "Edit", "mode": "default",
            },
        ],
    )  # fmt: skip

    assert read_present(conn, NOW).at(NOW).states.to_dict("records") == [
        {
            "agent_id": agent,
            "project_id": 1,
            "state": "waiting",
            "since": ago(7),
            "reason": "permission",
            "tool": "Edit",
            "changes_at": ago(-23),
            "name": "a1",
            "project": "alpha",
            "session_id": "a1",
            "cwd": "",
            "origin": "",
            "last_turn_at": ago(8),
        }
    ]


def test_a_run_that_began_more_than_a_day_ago_still_goes_on(conn, record):
    began = ago(26 * 60)
    agent = record(conn, "alpha", "a1", [began], actor="USER")
    record(conn, "alpha", "a1", [ago(minutes) for minutes in range(2, 26 * 60, 5)])
    run = {"agent_id": agent, "started_at": began, "ended_at": ago(2), "trigger": "person"}
    numbers = {"ended_by": "open", "working_seconds": 1, "blocked_seconds": 0}
    conn.execute(insert(ActivityRun).values(**run, **numbers, is_exact=False, is_response=False))

    assert read_present(conn, NOW).at(NOW).states[["state", "since"]].values.tolist() == [
        ["working", began]
    ]


def test_agents_that_left_or_ended_or_have_yet_to_come_have_no_state(conn, record):
    record(conn, "alpha", "left", [ago(24 * 60)])
    record(conn, "alpha", "to come", [ago(-5)])
    ended = record(conn, "alpha", "ended", [ago(5)])
    conn.execute(update(Agent).where(Agent.id == ended).values(ended_at=ago(1)))

    assert read_present(conn, NOW).at(NOW).states.empty


def test_the_agent_with_the_newest_turn_comes_first(conn, record):
    older, newer = record(conn, "alpha", "a1", [ago(9)]), record(conn, "beta", "b1", [ago(3)])

    assert read_present(conn, NOW).at(NOW).states["agent_id"].tolist() == [newer, older]


def test_the_newest_of_a_hosts_tasks_counts(conn, record):
    agent = record(conn, "alpha", "a1", [ago(3)], state="complete")
    constraint = "ALTER TABLE tasks DROP CONSTRAINT tasks_agent_id_key"
    conn.exec_driver_sql(constraint)
    conn.execute(insert(Task).values(agent_id=agent, state="awaiting_input"))

    assert read_present(conn, NOW).at(NOW).states["state"].tolist() == ["waiting"]
