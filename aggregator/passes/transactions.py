"""Transactions in which hours and intervals are recomputed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from aggregator.database.sqlstate import DEADLOCK_DETECTED, FOREIGN_KEY_VIOLATION, sqlstate

TRIES = 5
"""Attempts for a transaction that conflicts with concurrent deletions."""

LOCK_TIMEOUT = "1min"
"""Longest wait for a lock, so that a transaction that hangs does not block all others."""

CONFLICTS = (FOREIGN_KEY_VIOLATION, DEADLOCK_DETECTED)

T = TypeVar("T")


def in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Do some work in a READ COMMITTED transaction, which recomputing relies on.

    If a host deletes an agent while we write its rows, the transaction fails: the agent
    is missing, or the two transactions are in a deadlock. The work is then retried.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with (
                engine.connect().execution_options(isolation_level="READ COMMITTED") as conn,
                conn.begin(),
            ):
                conn.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
                return work(conn)
        except DBAPIError as failure:
            if not tries_left or sqlstate(failure) not in CONFLICTS:
                raise
    raise AssertionError("unreachable")
