"""COPY in PostgreSQL's binary format, to and from numpy: the fastest way in and out.

Rows have a fixed width: every column is a number and never null.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import psycopg2.extensions
from sqlalchemy import Connection, Select
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import Compiled

INT8, INT4, FLOAT8, BOOL = ">i8", ">i4", ">f8", "?"
TIMESTAMPTZ = INT8
"""Microseconds since :data:`POSTGRES_EPOCH`."""
POSTGRES_EPOCH = np.datetime64("2000-01-01", "us").astype("int64")
"""PostgreSQL's epoch in microseconds since the Unix epoch."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
Rows = np.ndarray[Any, np.dtype[np.void]]


def compiled(query: Select[*tuple[Any, ...]]) -> Compiled:
    """Compile a query and its parameters, including lists, for :func:`copy_out`."""
    return query.compile(
        dialect=PGDialect_psycopg2(),  # type: ignore[no-untyped-call]
        compile_kwargs={"render_postcompile": True},
    )


def copy_out(
    conn: Connection, query: Compiled, parameters: Mapping[str, Any], columns: Mapping[str, str]
) -> Rows:
    """Read the rows of a query.

    Args:
        conn: A connection in a transaction.
        query: A query that selects these columns in this order, without nulls.
        parameters: Values for its parameters.
        columns: Name and type of each column; types are this module's constants.

    Returns:
        (n,) structured array with the columns, big-endian, in no particular order.
    """
    buffer = io.BytesIO()
    with _cursor(conn) as cursor:
        # COPY accepts no parameters, so the driver writes them into the statement.
        select = cursor.mogrify(str(query), {**(query.params or {}), **parameters}).decode()
        cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT binary)", buffer)
    rows = buffer.getbuffer()[len(_HEADER) : -len(_TRAILER)]
    return np.frombuffer(rows, _row(columns))


def copy_in(
    conn: Connection, table: str, columns: Mapping[str, str], values: Mapping[str, Any]
) -> None:
    """Append rows to a table that has exactly these columns.

    Args:
        conn: A connection in a transaction.
        table: Name of the table.
        columns: Name and type of each column, in the table's order.
        values: An (n,) array for each column.
    """
    row = _row(columns)
    rows = np.empty(len(values[next(iter(columns))]), row)
    rows["fields"] = len(columns)
    for name in columns:
        rows[_size(name)] = row[name].itemsize
        rows[name] = values[name]
    with _cursor(conn) as cursor:
        cursor.copy_expert(
            f"COPY {table} FROM STDIN (FORMAT binary)",
            io.BytesIO(b"".join([_HEADER, rows.tobytes(), _TRAILER])),
        )


def _row(columns: Mapping[str, str]) -> np.dtype[np.void]:
    """Memory layout of one row: the number of fields, then each field after its size."""
    fields = [("fields", ">i2")]
    for name, kind in columns.items():
        fields += [(_size(name), ">i4"), (name, kind)]
    return np.dtype(fields)


def _size(column: str) -> str:
    return f"size of {column}"


def _cursor(conn: Connection) -> psycopg2.extensions.cursor:
    raw = cast("psycopg2.extensions.connection", conn.connection.driver_connection)
    return raw.cursor()
