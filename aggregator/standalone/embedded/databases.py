"""Databases and roles of a running embedded server.

initdb makes a superuser, which only creates databases. The program works as another role,
which owns its databases and has no further rights: whatever a statement of ours could be made
to do, it reaches no file, no program and no setting of the server.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2 import errors, sql
from sqlalchemy.engine import URL

APPLICATION = "activity_application"
HAND_OVER = 5055_0010
"""Key of the advisory lock of those who change owners."""

# Sequences of columns follow their tables, and refuse to be given away by themselves.
FOREIGN_RELATIONS = f"""
    SELECT format('ALTER TABLE %s OWNER TO {APPLICATION}', pg_class.oid::regclass)
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND relowner <> '{APPLICATION}'::regrole
        AND NOT EXISTS (
            SELECT FROM pg_depend
            WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype IN ('a', 'i')
        )
    UNION ALL
    SELECT format('ALTER ROUTINE %s OWNER TO {APPLICATION}', pg_proc.oid::regprocedure)
    FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proowner <> '{APPLICATION}'::regrole
    UNION ALL
    SELECT format('ALTER TYPE %s OWNER TO {APPLICATION}', pg_type.oid::regtype)
    FROM pg_type
    WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
        AND typowner <> '{APPLICATION}'::regrole
"""  # noqa: S608 - the name is a constant


def create_database(address: URL, *, fresh: bool) -> None:
    """Create a database, unless it exists.

    Args:
        address: Its address, as the superuser.
        fresh: Whether to drop it first, closing its connections.

    Raises:
        OperationalError: The server does not answer.
    """
    name = sql.Identifier(str(address.database))
    # Connect to the maintenance database, which always exists.
    with _cursor(address.set(database="postgres")) as cursor:
        if fresh:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [address.database])
        if cursor.rowcount == 0:
            with suppress(errors.DuplicateDatabase, errors.UniqueViolation):
                cursor.execute(sql.SQL("CREATE DATABASE {}").format(name))


def as_application(address: URL) -> URL:
    """Give a database to the application's role; return its address for that role.

    Databases of earlier versions belong to the superuser, with all that is in them.

    Args:
        address: The address of the database, as the superuser.

    Raises:
        OperationalError: The server does not answer.
    """
    secret = _secret(str(address.password))
    with _cursor(address) as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [HAND_OVER])
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [APPLICATION])
        if cursor.rowcount == 0:
            # Another database may be opened at the same time.
            with suppress(errors.DuplicateObject, errors.UniqueViolation):
                cursor.execute(f"CREATE ROLE {APPLICATION} LOGIN PASSWORD %s", [secret])
        cursor.execute(
            "SELECT FROM pg_database WHERE datname = %s AND datdba <> %s::regrole",
            [address.database, APPLICATION],
        )
        if cursor.rowcount:
            name = sql.Identifier(str(address.database))
            cursor.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(APPLICATION))
            )
        cursor.execute(FOREIGN_RELATIONS)
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
    return address.set(username=APPLICATION, password=secret)


def _secret(password: str) -> str:
    """Derive the application's password from the superuser's, which is in a file."""
    return hmac.new(password.encode(), APPLICATION.encode(), hashlib.sha256).hexdigest()


@contextmanager
def _cursor(address: URL) -> Iterator[Any]:
    """Yield a cursor of a connection of its own, whose statements take effect at once."""
    dsn = address.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(dsn, connect_timeout=5)) as conn:
        conn.autocommit = True  # CREATE DATABASE cannot run in a transaction.
        with conn.cursor() as cursor:
            yield cursor
