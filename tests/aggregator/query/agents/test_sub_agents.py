from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert

from aggregator.database.models import Agent, Project, Signal
from aggregator.metrics.scope import OVERALL, Scope
from aggregator.query.agents.sub_agents import read_sub_agent_seconds
from aggregator.schema.migrate import upgrade

START = datetime(2026, 11, 22, 9, tzinfo=UTC)
END = START + timedelta(hours=1)
ONE = Scope("agent", (1,))


def worked(session, sub_agent, first, last, kind="subagent"):
    """A span of lines, from and to a minute after the start of the range."""
    return {
        "session_id": session,
        "kind": kind,
        "at": START + timedelta(minutes=first),
        "until": START + timedelta(minutes=last),
        "source": sub_agent,
        "key": f"{session}/{sub_agent}/{first}:{kind}",
    }


@pytest.fixture
def database(empty_engine):
    with empty_engine.begin() as conn:
        conn.execute(insert(Project).values(name="p", path="/p"))
        for session in ("s1", "s2"):
            conn.execute(insert(Agent).values(project_id=1, session_id=session))
    return empty_engine


def test_spans_are_clipped_to_the_range_and_two_at_once_count_twice(database):
    with database.begin() as conn:
        conn.execute(
            insert(Signal),
            [
                worked("s1", "a", -10, 5),
                worked("s1", "a", 20, 30),
                worked("s1", "b", 25, 30),
                worked("s1", "b", 58, 70),
                worked("s1", "b", 60, 65),
                worked("s1", "", 0, 60, kind="lines"),
                worked("s2", "a", 0, 60),
            ],
        )
        found = read_sub_agent_seconds(conn, ONE, START, END)

    assert found == (5 + 10 + 5 + 2) * 60


def test_an_agent_without_sub_agents_has_none_of_their_time(database):
    with database.connect() as conn:
        assert read_sub_agent_seconds(conn, ONE, START, END) == 0


@pytest.mark.parametrize("scope", [OVERALL, Scope("project", (1,)), Scope("agent", (1, 2))])
def test_it_is_of_exactly_one_agent(database, scope):
    with database.connect() as conn:
        assert read_sub_agent_seconds(conn, scope, START, END) is None


def test_a_host_has_no_signals_and_so_no_such_time(host):
    host.create_tables()
    host.fill()
    upgrade(host.engine, "activity")

    with host.engine.connect() as conn:
        assert read_sub_agent_seconds(conn, ONE, START, END) is None
