"""PostgreSQL's error codes, whichever driver reports them.

The codes are those of appendix A of PostgreSQL's manual. psycopg2 calls them ``pgcode``,
psycopg 3 ``sqlstate``.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

FOREIGN_KEY_VIOLATION = "23503"
DEADLOCK_DETECTED = "40P01"
INSUFFICIENT_PRIVILEGE = "42501"
LOCK_NOT_AVAILABLE = "55P03"


def sqlstate(failure: DBAPIError) -> str | None:
    """Return the code of an error; None if the server did not send one."""
    cause = failure.orig
    code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return code if isinstance(code, str) else None
