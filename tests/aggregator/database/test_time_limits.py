"""A real server that is stopped in the middle: it keeps its connections and says nothing."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from aggregator.database.engine import make_engine
from aggregator.database.time_limits import LimitedConnections, TimeLimits
from aggregator.errors import DatabaseHangsError
from aggregator.standalone.embedded import EmbeddedPostgres
from aggregator.standalone.embedded.cluster import data_folder
from aggregator.standalone.embedded.supervisor import find_postmaster

LIMITS = TimeLimits(
    at_once=2, queue_seconds=0.2, connect_seconds=3, statement_seconds=0.4, use_seconds=3
)
ONE, SLOW = text("SELECT 1"), text("SELECT pg_sleep(60)")


class Hangable:
    """A server of its own, which can be stopped as with Ctrl-Z."""

    def __init__(self, home) -> None:
        first = psutil.Process(find_postmaster(data_folder(home)).pid)
        self._first = first

    def hang(self) -> None:
        # It starts no more processes from here on; some may just be ending.
        self._first.suspend()
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def go_on(self) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def _processes(self) -> list[psutil.Process]:
        return [self._first, *self._first.children(recursive=True)]


@pytest.fixture
def hangable(home_with_database) -> Iterator[tuple[EmbeddedPostgres, Hangable]]:
    with EmbeddedPostgres(home_with_database) as server:
        server.url()
        hangable = Hangable(home_with_database)
        yield server, hangable
        hangable.go_on()


def failure_of(work) -> Exception | None:
    try:
        work()
    except Exception as failure:
        return failure
    return None


def read(connections, engine, statement=ONE):
    with connections.connection(engine) as conn:
        connections.limit_statements(conn)
        return conn.scalar(statement)


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_no_use_of_a_database_that_hangs_waits_without_end(hangable, driver, caplog):
    server, switch = hangable
    engine = make_engine(server.url().set(drivername=f"postgresql+{driver}"), purpose="tests")
    connections = LimitedConnections(LIMITS)
    assert read(connections, engine) == 1

    def hang_while_used():
        with connections.connection(engine) as conn:
            conn.execute(ONE)
            switch.hang()
            conn.execute(ONE)

    # One that is being answered; one whose connection in the pool is as good as dead.
    assert isinstance(failure_of(hang_while_used), OperationalError)
    assert isinstance(failure_of(lambda: read(connections, engine)), DatabaseHangsError)
    switch.go_on()
    while failure_of(lambda: read(connections, engine)):
        time.sleep(0.05)

    first, last = caplog.messages
    assert first.startswith("Requests have no database: ")
    assert last.startswith("Requests have their database again after ")
    engine.dispose()


def test_a_long_statement_is_stopped_by_the_database(postgres):
    engine = create_engine(postgres.url("tests"))
    with pytest.raises(OperationalError, match="statement timeout"):
        read(LimitedConnections(LIMITS), engine, SLOW)
    engine.dispose()


def test_those_who_wait_are_refused_when_nobody_ends_and_served_when_somebody_does(postgres):
    engine = create_engine(postgres.url("tests"))
    connections = LimitedConnections(TimeLimits(at_once=1, queue_seconds=0.2, use_seconds=60))
    busy, enough = threading.Event(), threading.Event()

    def keep_busy():
        with connections.connection(engine):
            busy.set()
            enough.wait()

    first = threading.Thread(target=keep_busy)
    first.start()
    busy.wait()
    refused = failure_of(lambda: read(connections, engine))
    enough.set()
    first.join()

    assert isinstance(refused, DatabaseHangsError)
    assert read(connections, engine) == 1
    engine.dispose()


def test_who_waits_for_a_request_that_goes_on_reading_is_served_in_the_end(postgres):
    engine = create_engine(postgres.url("tests"))
    connections = LimitedConnections(TimeLimits(at_once=1, queue_seconds=1, use_seconds=60))
    busy = threading.Event()

    def go_on_reading():
        until = time.monotonic() + 1.5
        with connections.connection(engine) as conn:
            while time.monotonic() < until:
                conn.execute(ONE)
                busy.set()

    first = threading.Thread(target=go_on_reading)
    first.start()
    busy.wait()

    assert read(connections, engine) == 1
    first.join()
    engine.dispose()


def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_ends(postgres, caplog):
    engine = create_engine(postgres.url("tests"))
    connections = LimitedConnections(LIMITS)

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert failure_of(lambda: read(connections, engine, SLOW))
        for _ in range(3):
            read(connections, engine)

    first, last = caplog.messages
    assert first == "Requests have no database: canceling statement due to statement timeout"
    assert last.startswith("Requests have their database again after ")
    engine.dispose()
