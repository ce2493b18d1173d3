"""Rows to update from, as a table of values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Integer,
    Text,
    column,
    values,
)
from sqlalchemy.sql.selectable import Values
from sqlalchemy.types import TypeEngine

from aggregator.database.models import TIMESTAMPTZ_TYPE


def value_rows(names: list[str], rows: list[tuple[Any, ...]]) -> Values:
    """Build a table of values to update from: one statement for many rows."""
    kinds: dict[str, TypeEngine[Any]] = {
        "at": TIMESTAMPTZ_TYPE,
        "task_id": Integer(),
        "rank": Integer(),
        "is_copy": Boolean(),
    }
    columns = (column(name, kinds.get(name, Text())) for name in names)
    return values(*columns, name="new").data(rows)
