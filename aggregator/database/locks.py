"""Advisory locks of PostgreSQL: one key each, and the ways to take one.

Keys are per database. ``STRETCH`` is shared by those who recompute chunks of hours;
a pass takes it for itself. The others let one process at a time do what they are named
for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

PASS = 5055_0001
IMPORT = 5055_0002
MIGRATE = 5055_0003
BACKFILL = 5055_0004
RECOMPUTE = 5055_0005
REBUILD = 5055_0006


def lock(conn: Connection, key: int, *, shared: bool = False) -> None:
    """Take a lock until the transaction ends, waiting for whoever holds it."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    conn.execute(text(f"SELECT {function}(:key)"), {"key": key})


def try_lock(conn: Connection, key: int) -> bool:
    """Take a lock until the transaction ends; False where another process holds it."""
    return bool(conn.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}))


@contextmanager
def try_session_lock(engine: Engine, key: int) -> Iterator[bool]:
    """Hold a lock on a connection of its own, over any number of transactions.

    Yields:
        Whether it could be taken; False where another process holds it.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        # Out of the pool: closing it is what releases the lock, whatever happens.
        conn.detach()
        yield bool(conn.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
