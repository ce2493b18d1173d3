"""Base of all models: the registry of tables, and the types that columns share."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    DateTime,
)
from sqlalchemy.orm import DeclarativeBase

TIMESTAMPTZ_TYPE = DateTime(timezone=True)


class HostId(BigInteger):
    """An id of a host's row: ``integer`` in our own tables, perhaps ``bigint`` in a host's.

    Parameters are sent as ``bigint``, so that either can be compared with them.
    """

    __visit_name__ = "integer"


class Base(DeclarativeBase):
    """Registry of all tables."""
