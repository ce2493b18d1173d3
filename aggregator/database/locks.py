"""PostgreSQL advisory locks: their keys and the ways to take one.

Keys are per database. ``RECOMPUTE`` is taken in shared mode by transactions that
recompute a chunk of hours, and in exclusive mode by a pass. Each of the other locks
allows one process at a time to do the work it is named after.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

PASS = 5055_0001
IMPORT = 5055_0002
MIGRATE = 5055_0003
BACKFILL = 5055_0004
RECOMPUTE = 5055_0005
REBUILD = 5055_0006
WATCH = 5055 << 40
"""Lowest key of the locks of those who watch folders; each set of folders has its own."""


def lock(conn: Connection, key: int, *, shared: bool = False) -> None:
    """Take a lock until the transaction ends; wait while another process holds it."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    conn.execute(text(f"SELECT {function}(:key)"), {"key": key})


def try_lock(conn: Connection, key: int) -> bool:
    """Take a lock until the transaction ends; return False if another process holds it."""
    return bool(conn.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}))


@contextmanager
def try_session_lock(engine: Engine, key: int) -> Iterator[bool]:
    """Hold a lock on a connection of its own, across any number of transactions.

    Yields:
        True if the lock was taken, False if another process holds it.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        # Detached from the pool, the connection is really closed, which releases the lock
        # whatever happens.
        conn.detach()
        try:
            yield bool(conn.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
        finally:
            # The server notices a closed connection a moment later. Who comes next must not
            # find the lock held.
            with suppress(DBAPIError):
                conn.execute(text("SELECT pg_advisory_unlock_all()"))
