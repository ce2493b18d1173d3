"""Read the columns of tables from PostgreSQL's catalog, in one query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

TIMESTAMP_TYPE = "timestamp with time zone"
NAIVE_TIMESTAMP_TYPE = "timestamp without time zone"

_COLUMNS = text(
    """
    SELECT requested.name AS table_name, attname AS column_name,
        -- A domain counts as its base type.
        format_type(coalesce(nullif(typbasetype, 0), pg_type.oid), NULL) AS type,
        coalesce(attnum = ALL (indkey), false) AS is_key,
        attnotnull AND NOT atthasdef AND attidentity = '' AS needs_value,
        has_column_privilege(attrelid, attnum, 'SELECT') AS is_readable
    FROM unnest(CAST(:tables AS text[])) AS requested (name)
    JOIN pg_attribute ON attrelid = to_regclass(requested.name) AND attnum > 0 AND NOT attisdropped
    JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary
    """
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an existing table.

    Attributes:
        type: PostgreSQL's name of its type, without length or precision.
        is_key: Whether it alone is the primary key.
        needs_value: Whether an insert that omits it is refused.
        is_readable: Whether this role may read it.
    """

    type: str
    is_key: bool
    needs_value: bool
    is_readable: bool


def read_columns(conn: Connection, tables: Iterable[str]) -> dict[str, dict[str, Column]]:
    """Read the columns of each of these tables that ``search_path`` finds, by table and name."""
    found: dict[str, dict[str, Column]] = {}
    for row in conn.execute(_COLUMNS, {"tables": list(tables)}):
        column = Column(row.type, row.is_key, row.needs_value, row.is_readable)
        found.setdefault(row.table_name, {})[row.column_name] = column
    return found
