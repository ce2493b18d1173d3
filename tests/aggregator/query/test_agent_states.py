from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from aggregator.database.models import Agent, Task
from aggregator.query.agent_states import agent_states

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("task_state", "minutes", "state"),
    [
        ("processing", 2, "working"),
        ("COMMANDED", 2, "working"),
        ("awaiting_input", 59, "waiting"),
        ("processing", 60, "idle"),
        ("awaiting_input", 24 * 60 - 1, "idle"),
        ("complete", 2, "idle"),
    ],
)
def test_the_task_tells_the_state_until_an_hour_without_a_turn(
    conn, record, task_state, minutes, state
):
    agent = record(conn, "alpha", "a1", [ago(minutes), ago(minutes + 5)], state=task_state)

    states = agent_states(conn, NOW)

    assert states.to_dict("records") == [
        {"agent_id": agent, "project_id": 1, "state": state, "last_turn_at": ago(minutes)}
    ]


def test_agents_that_left_or_ended_or_have_yet_to_come_have_no_state(conn, record):
    record(conn, "alpha", "left", [ago(24 * 60)])
    record(conn, "alpha", "to come", [ago(-5)])
    ended = record(conn, "alpha", "ended", [ago(5)])
    conn.execute(update(Agent).where(Agent.id == ended).values(ended_at=ago(1)))

    assert agent_states(conn, NOW).empty


def test_the_agent_with_the_newest_turn_comes_first(conn, record):
    older, newer = record(conn, "alpha", "a1", [ago(9)]), record(conn, "beta", "b1", [ago(3)])

    assert agent_states(conn, NOW)["agent_id"].tolist() == [newer, older]


def test_the_newest_of_a_hosts_tasks_counts(conn, record):
    agent = record(conn, "alpha", "a1", [ago(3)], state="complete")
    constraint = "ALTER TABLE tasks DROP CONSTRAINT tasks_agent_id_key"
    conn.exec_driver_sql(constraint)
    conn.execute(insert(Task).values(agent_id=agent, state="awaiting_input"))

    assert agent_states(conn, NOW)["state"].tolist() == ["waiting"]
