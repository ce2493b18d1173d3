"""Connections that are cut, clocks that jump and transactions that stay open."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from aggregator.database.engine import connect
from aggregator.jobs.retry import run_with_retries
from aggregator.metrics.windows import floor_hour
from aggregator.passes.rebuild import rebuild
from aggregator.passes.run import make_pass
from aggregator.schema import capture

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=2)


class Proxy:
    """A proxy to a server that cuts all connections after a number of bytes.

    Attributes:
        port: Its port on 127.0.0.1.
        left: How many bytes may still pass, in both directions together; None for all.
        passed: How many have passed so far.
    """

    def __init__(self, host, port):
        self._target, self._lock = (host, port), threading.Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.left, self.passed = None, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._server.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(self._target)
                for ways in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=ways, daemon=True).start()

    def _forward(self, source, target):
        with suppress(OSError):
            while (content := source.recv(4096)) and (allowed := self._allowed(content)):
                target.sendall(allowed)
                if len(allowed) < len(content):
                    break
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _allowed(self, content):
        with self._lock:
            self.passed += len(content)
            if self.left is not None:
                content = content[: self.left]
                self.left -= len(content)
            return content


@pytest.fixture
def history(empty_engine, record):
    """A database with a thousand turns of two agents, whose changes are captured."""
    with empty_engine.begin() as conn:
        capture.install(conn)
        for agent in ("a1", "a2"):
            instants = [NOW - timedelta(minutes=5 * number) for number in range(500)]
            record(conn, "alpha", agent, instants)
    return empty_engine


@pytest.fixture(params=["psycopg2", "psycopg"])
def proxied(history, request):
    """A proxy to that database, an engine that uses it, and the bytes of a whole pass."""
    url = history.url
    with closing(Proxy(url.host, url.port)) as proxy:
        address = url.set(
            drivername=f"postgresql+{request.param}", host="127.0.0.1", port=proxy.port
        )
        engine = connect(address, purpose="tests")
        forget(history)
        make_pass(engine, NOW, RETENTION)
        yield proxy, engine, proxy.passed
        engine.dispose()


def forget(engine):
    with engine.begin() as conn:
        conn.execute(text("TRUNCATE activity_metrics, activity_intervals, activity_runs"))
        conn.execute(text("INSERT INTO activity_changes DEFAULT VALUES"))


@settings(
    max_examples=max(4, settings().max_examples // 25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.floats(0.02, 0.98))
def test_a_connection_cut_at_any_moment_of_a_pass_costs_one_line_and_no_row(
    history, proxied, assert_table_equals_the_oracle, caplog, moment
):
    proxy, engine, whole = proxied
    forget(history)
    engine.dispose()
    caplog.clear()
    cuts = []

    def work():
        # Among the moments are the middles of both COPY, out and in. The second attempt is
        # cut as well: of the first nothing is said.
        proxy.left = int(moment * whole) if len(cuts) < 2 else None
        try:
            make_pass(engine, NOW, RETENTION)
        except DBAPIError as failure:
            cuts.append(failure)
            raise

    run_with_retries("pass", work, Event())

    # A pass that was cut while it answered is done, and the second has little to do.
    assert 1 <= len(cuts) <= 2
    if len(cuts) == 2:
        failed, works = caplog.messages
        assert failed.startswith("pass: ")
        assert failed.endswith("; trying again until it works")
        assert works.startswith("pass works again after ")
    assert_table_equals_the_oracle(history, floor_hour(NOW - RETENTION))


@pytest.mark.parametrize("is_captured", [True, False], ids=["captured", "not captured"])
def test_a_clock_that_jumps_leaves_what_a_rebuild_gives(
    history, record, assert_table_equals_the_oracle, is_captured
):
    if not is_captured:
        with history.begin() as conn:
            capture.remove(conn)
    jumps = (0, -1, 48, 47, 0, 1)
    for number, hours in enumerate(jumps):
        now = NOW + timedelta(hours=hours)
        with history.begin() as conn:
            record(conn, "alpha", f"a{number}", [now - timedelta(minutes=3), now])
        make_pass(history, now, RETENTION)
        assert_table_equals_the_oracle(history, floor_hour(now - RETENTION))

    assert rebuild(history, now, RETENTION).any is False
    assert_table_equals_the_oracle(history, floor_hour(now - RETENTION))


@pytest.mark.parametrize("is_captured", [True, False], ids=["captured", "not captured"])
def test_a_transaction_that_stays_open_holds_up_nobody_and_counts_once_it_commits(
    history, record, assert_table_equals_the_oracle, is_captured
):
    if not is_captured:
        with history.begin() as conn:
            capture.remove(conn)
    make_pass(history, NOW, RETENTION)
    with history.connect() as host, host.begin():
        # Turns of an hour ago, and a lock on all that it has read.
        record(host, "beta", "b1", [NOW - timedelta(hours=1)])
        for minutes in (0, 5, 10):
            now = NOW + timedelta(minutes=minutes)
            assert make_pass(history, now, RETENTION) is not None
            assert rebuild(history, now, RETENTION) is not None
            assert_table_equals_the_oracle(history, floor_hour(now - RETENTION))

    make_pass(history, now, RETENTION)
    assert_table_equals_the_oracle(history, floor_hour(now - RETENTION))
