"""States that requests share, over a real database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, update

from aggregator.database.models import Task
from aggregator.database.source import STANDALONE
from aggregator.passes.run import make_pass
from aggregator.query.agents.shared_states import EARLIER, SharedStates

RETENTION = timedelta(days=30)
AT = datetime(2026, 7, 8, 12, 30, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Shared:
    """Shared states of a database.

    Attributes:
        readings: Number of times that turns have been read for them.
    """

    def __init__(self, engine):
        self._engine, self._states, self.readings = engine, SharedStates(), 0
        event.listen(engine, "before_cursor_execute", self._count)

    def _count(self, *arguments):
        self.readings += "max(turns." in arguments[2]

    def states(self, at):
        with self._engine.connect() as conn:
            return self._states.read(conn, at, STANDALONE).states["state"].tolist()


@pytest.fixture
def shared(empty_engine, record):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [AT - timedelta(minutes=20)], state="awaiting_input")
        record(conn, "atlas", "a2", [AT - timedelta(hours=24) + 55 * SECOND], state="complete")
    make_pass(empty_engine, AT, RETENTION)
    return Shared(empty_engine)


@pytest.fixture
def work(empty_engine):
    """Return a function that lets all agents work."""

    def work():
        with empty_engine.begin() as conn:
            conn.execute(update(Task).values(state="processing"))

    return work


def test_a_version_is_read_once_also_for_those_who_asked_a_moment_before(shared):
    found = [shared.states(at) for at in (AT, AT + SECOND, AT - EARLIER, AT)]

    assert (found, shared.readings) == ([["waiting", "idle"]] * 4, 1)


def test_many_who_ask_at_once_wait_for_one_reading(shared):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shared.states(AT), range(8)))

    assert (found, shared.readings) == ([["waiting", "idle"]] * 8, 1)


def test_a_new_version_is_read_anew(shared, work, empty_engine):
    before = shared.states(AT)
    work()
    same = shared.states(AT + SECOND)
    make_pass(empty_engine, AT + SECOND, RETENTION)

    assert (before, same) == (["waiting", "idle"], ["waiting", "idle"])
    assert shared.states(AT + 2 * SECOND) == ["working", "idle"]


def test_an_agent_is_gone_at_the_instant_of_its_last_turn_a_day_later(shared):
    found = [shared.states(AT + seconds * SECOND) for seconds in (51, 54, 55, 56)]

    assert found == [["waiting", "idle"], ["waiting", "idle"], ["waiting"], ["waiting"]]
    assert shared.readings == 1


def test_what_changes_without_a_version_is_read_in_the_next_minute(shared, work):
    shared.states(AT)
    work()

    assert shared.states(AT + 49 * SECOND)[0] == "waiting"
    assert shared.states(AT + 50 * SECOND)[0] == "working"


def test_an_instant_long_before_the_reading_is_read_for_itself(shared):
    shared.states(AT)
    shared.states(AT - EARLIER - SECOND)

    assert shared.readings == 2
