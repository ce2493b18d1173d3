"""Time limits for requests that use a database, even one that has stopped answering.

A database that hangs, unlike one that is away, keeps its connections open and says nothing.
No setting of a driver ends every such wait, so a connection is taken from its pool in a
thread of its own, and that thread shuts the connection's socket when the time is over: the
driver then fails at once, whatever it was waiting for.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from aggregator.database.engine import server_message
from aggregator.errors import DatabaseHangsError, printable
from aggregator.forks import in_forked_children

DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeoutError, DatabaseHangsError)
"""Errors while a database does not answer."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Limits of what a process's requests may do with a database.

    Attributes:
        at_once: Requests that use the database at once; others wait for one of them to end.
        queue_seconds: Time without an answer of the database to any of them, after which the
            others are refused.
        connect_seconds: Wait for a connection: from the pool, or a new one.
        statement_seconds: Duration of one statement, after which the database stops it.
        use_seconds: Duration of the use of a connection, after which it is cut.
    """

    at_once: int = 6
    queue_seconds: float = 2.0
    connect_seconds: float = 5.0
    statement_seconds: float = 10.0
    use_seconds: float = 15.0


class LimitedConnections:
    """Connections for the requests of one process, each used for a limited time.

    While the database hangs, a request fails after ``connect_seconds``, or ``use_seconds``
    if it was being answered. When all that are allowed at once wait like this, others are
    refused at once, so that threads remain for requests that need no database. The log gets
    one line when such a time begins, and one when it has ended.
    """

    def __init__(self, limits: TimeLimits | None = None) -> None:
        self._limits = limits or TimeLimits()
        self._renew()
        in_forked_children(self, LimitedConnections._renew)

    def _renew(self) -> None:
        """Begin without requests, as in a forked child, where no other thread exists."""
        self._changed = threading.Condition()
        self._used = 0
        self._answered_at = time.monotonic()
        self._away_since: float | None = None

    @contextmanager
    def connection(self, engine: Engine) -> Iterator[Connection]:
        """Yield a connection, which is closed at the end.

        Raises:
            DatabaseHangsError: There is none in time.
            OperationalError: The database is away; or it does not answer a statement in time,
                which this context raises like any error of the statement.
        """
        try:
            with self._place():
                self._observe(engine)
                use = _Use(engine, self._limits)
                try:
                    with use.connection() as conn:
                        yield conn
                finally:
                    use.end()
        except DATABASE_AWAY as failure:
            self._note_failure(failure)
            raise
        else:
            self._note_success()

    def _note_failure(self, failure: Exception) -> None:
        with self._changed:
            is_first = self._away_since is None
            self._away_since = self._away_since or time.monotonic()
        if is_first:
            said = server_message(failure) if isinstance(failure, DBAPIError) else str(failure)
            log.warning("Requests have no database: %s", printable(said))

    def _note_success(self) -> None:
        if self._away_since is None:
            return
        with self._changed:
            since, self._away_since = self._away_since, None
        if since is not None:
            log.warning("Requests have their database again after %.0f s", time.monotonic() - since)

    def limit_statements(self, conn: Connection) -> None:
        """Have the database itself stop long statements of the current transaction."""
        milliseconds = round(self._limits.statement_seconds * 1000)
        conn.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Take one of the places of those that use the database at once."""
        began = time.monotonic()
        with self._changed:
            while self._used >= self._limits.at_once:
                # As long as the database answers others, this request's turn comes.
                until = min(
                    self._answered_at + self._limits.queue_seconds,
                    began + self._limits.use_seconds,
                )
                left = until - time.monotonic()
                if left <= 0:
                    raise DatabaseHangsError
                self._changed.wait(left)
            self._used += 1
            self._note_answer()
        try:
            yield
        finally:
            with self._changed:
                self._used -= 1
                self._note_answer()
                self._changed.notify()

    def _observe(self, engine: Engine) -> None:
        """Note each answer of the database: much may be done between them on a busy machine."""
        if not event.contains(engine, "after_cursor_execute", self._note_answer):
            event.listen(engine, "after_cursor_execute", self._note_answer)

    def _note_answer(self, *_: object) -> None:
        self._answered_at = time.monotonic()


class _Use:
    """One use of a connection, watched by a thread."""

    def __init__(self, engine: Engine, limits: TimeLimits) -> None:
        self._engine = engine
        self._limits = limits
        self._lock = threading.Lock()
        self._found = threading.Event()
        self._ended = threading.Event()
        self._connection: Connection | None = None
        self._failure: BaseException | None = None
        threading.Thread(target=self._watch, name="activity-time-limit", daemon=True).start()

    def connection(self) -> Connection:
        """Wait for the connection, and return it.

        Raises:
            DatabaseHangsError: It takes too long.
        """
        self._found.wait(self._limits.connect_seconds)
        with self._lock:
            if not self._found.is_set():
                self._ended.set()
                raise DatabaseHangsError
        if self._connection is None:
            assert self._failure is not None
            raise self._failure
        return self._connection

    def end(self) -> None:
        """Say that the connection is no longer used; from here on it is not cut."""
        with self._lock:
            self._ended.set()

    def _watch(self) -> None:
        connection = None
        try:
            connection = self._engine.connect()
            driver = connection.connection.driver_connection
        except BaseException as failure:
            # Raised where it is awaited.
            self._failure = failure
        with self._lock:
            if self._ended.is_set():
                # Nobody waits for it any more.
                if connection is not None:
                    connection.close()
                return
            self._connection = connection
            self._found.set()
        if connection is not None and not self._ended.wait(self._limits.use_seconds):
            with self._lock:
                if not self._ended.is_set():
                    _cut(driver)


def _cut(driver_connection: Any) -> None:
    """Shut the socket of a connection that another thread is waiting on.

    Args:
        driver_connection: A connection of psycopg2 or psycopg 3.
    """
    # The driver keeps its descriptor: a copy is shut, and with it the socket of both. It may
    # be broken already, which each driver says with errors of its own.
    with (
        suppress(Exception),
        socket.socket(fileno=os.dup(driver_connection.fileno())) as copy,
    ):
        copy.shutdown(socket.SHUT_RDWR)
