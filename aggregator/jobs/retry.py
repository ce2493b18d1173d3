"""Retry work until it succeeds, for example while the database is down."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from threading import Event

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from aggregator.database.sqlstate import INSUFFICIENT_PRIVILEGE, sqlstate
from aggregator.errors import ActivityError, printable

LONGEST_PAUSE = 10.0
"""Longest pause between two attempts in seconds: a database that is back is soon noticed."""

log = logging.getLogger(__name__)


class NotYetError(Exception):
    """The work has to wait for another process; nothing is wrong."""


def run_with_retries(name: str, work: Callable[[], object], stopping: Event) -> None:
    """Do some work, and retry it after transient errors until it succeeds.

    An outage of the database is logged with one line when it begins and one when it
    ends. Any other error is a defect: it is logged with its traceback, and the work is
    not retried.

    Args:
        name: Name of the work in the log.
        work: The work; when it raises, it must have changed nothing.
        stopping: Ends the retries when set.
    """
    started = time.monotonic()
    warned = False
    for pause in pauses():
        try:
            work()
        except Exception as failure:
            if stopping.is_set():
                return
            if not is_transient(failure):
                log.exception("%s failed", name)
                return
            # The first failure may only mean that a pooled connection is older than the
            # last restart of the database, so the first retry is immediate and silent.
            if pause and not warned and not isinstance(failure, NotYetError):
                log.warning("%s: %s; trying again until it works", name, failure_line(failure))
                warned = True
            if stopping.wait(pause):
                return
        else:
            if warned:
                log.warning("%s works again after %.0f s", name, time.monotonic() - started)
            return


def pauses() -> Iterator[float]:
    """Yield the seconds to wait before each retry: 0 at first, then longer and longer."""
    yield 0
    pause = 0.5
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def is_transient(failure: Exception) -> bool:
    """Return whether an error may go away by itself, such as an unreachable database or folder.

    A role that lacks a right may be given it meanwhile.
    """
    if isinstance(failure, DBAPIError) and (
        failure.connection_invalidated or sqlstate(failure) == INSUFFICIENT_PRIVILEGE
    ):
        return True
    return isinstance(
        failure,
        NotYetError | ActivityError | OperationalError | InterfaceError,
    )


def failure_line(failure: Exception) -> str:
    """First line of an error message, without the statement that failed and without advice."""
    cause = failure.orig if isinstance(failure, DBAPIError) else failure
    return printable(str(cause).partition("\n")[0])
