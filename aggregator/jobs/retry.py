"""Doing something again until it works, while the database is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from threading import Event

import psycopg2
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from aggregator.errors import ActivityError

LONGEST_PAUSE = 10.0
"""Seconds between two tries at most, so that a database that is back is soon noticed."""

log = logging.getLogger(__name__)


class NotYetError(Exception):
    """Raised by work that has to wait for another process; nothing is wrong."""


def until_it_works(name: str, work: Callable[[], object], stopping: Event) -> None:
    """Do some work; if the world gets in the way, try again until it works.

    A database that is away costs one line in the log when it goes and one when it is
    back. Any other error is a defect: it is logged with its traceback, and the work is
    not tried again.

    Args:
        name: What the log calls the work.
        work: Does it; when it fails it must leave everything as it was.
        stopping: Ends the trying.
    """
    begun = time.monotonic()
    told = False
    for pause in pauses():
        try:
            work()
        except Exception as failure:
            if stopping.is_set():
                return
            if not is_transient(failure):
                log.exception("%s failed", name)
                return
            # A first failure may be no more than a pooled connection from before a
            # restart of the database: it is tried again at once.
            if pause and not told and not isinstance(failure, NotYetError):
                log.warning("%s: %s; trying again until it works", name, failure_line(failure))
                told = True
            if stopping.wait(pause):
                return
        else:
            if told:
                log.warning("%s works again after %.0f s", name, time.monotonic() - begun)
            return


def pauses() -> Iterator[float]:
    """Seconds to wait between tries: none at first, then longer and longer ones."""
    yield 0
    pause = 0.5
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)


def is_transient(failure: Exception) -> bool:
    """Whether an error may pass by itself: a database or a folder that is away."""
    if isinstance(failure, DBAPIError) and failure.connection_invalidated:
        return True
    return isinstance(
        failure,
        NotYetError
        | ActivityError
        | OperationalError
        | InterfaceError
        # COPY goes past SQLAlchemy, which then does not wrap its errors.
        | psycopg2.OperationalError
        | psycopg2.InterfaceError,
    )


def failure_line(failure: Exception) -> str:
    """What went wrong, without the statement it was about and without advice."""
    words = failure.orig if isinstance(failure, DBAPIError) else failure
    return str(words).partition("\n")[0]
