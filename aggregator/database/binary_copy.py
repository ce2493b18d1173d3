"""COPY in PostgreSQL's binary format, to and from numpy: the fastest way in and out.

Rows have a fixed width: every column is a number and never null. Rows with texts come out
as CSV. SQLAlchemy has no COPY, so this is done with the connection of the driver, psycopg2
or psycopg 3. Its errors are raised as SQLAlchemy's, like those of any other statement.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Select
from sqlalchemy.engine import Compiled
from sqlalchemy.exc import DBAPIError

INT8, INT4, FLOAT8, BOOL = ">i8", ">i4", ">f8", "?"
TIMESTAMPTZ = INT8
"""Microseconds since :data:`POSTGRES_EPOCH`."""
POSTGRES_EPOCH = np.datetime64("2000-01-01", "us").astype("int64")
"""PostgreSQL's epoch in microseconds since the Unix epoch."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
Rows = np.ndarray[Any, np.dtype[np.void]]


def compiled(conn: Connection, query: Select[*tuple[Any, ...]]) -> Compiled:
    """Compile a query and its parameters, including lists, for :func:`copy_out`."""
    return query.compile(dialect=conn.dialect, compile_kwargs={"render_postcompile": True})


def copy_out(
    conn: Connection,
    query: Compiled | str,
    parameters: Mapping[str, Any],
    columns: Mapping[str, str],
) -> Rows:
    """Read the rows of a query.

    Args:
        conn: A connection in a transaction.
        query: A query that selects these columns in this order, without nulls; as text with
            the driver's placeholders.
        parameters: Values for its parameters.
        columns: Name and type of each column; types are this module's constants.

    Returns:
        (n,) structured array with the columns, big-endian, in no particular order.
    """
    statement = f"COPY ({query}) TO STDOUT (FORMAT binary)"
    values = dict(parameters) if isinstance(query, str) else _bound(query, parameters)
    content = _copied(conn, statement, values)
    return np.frombuffer(content.getbuffer()[len(_HEADER) : -len(_TRAILER)], _row(columns))


def copy_out_texts(
    conn: Connection, query: str, parameters: Mapping[str, Any], dtypes: Mapping[str, str]
) -> pd.DataFrame:
    """Read the rows of a query with texts, as CSV.

    Args:
        conn: A connection in a transaction.
        query: A query without nulls, with the driver's placeholders.
        parameters: Values for its parameters.
        dtypes: Name and type of each column: ``int64`` or ``str``.

    Returns:
        (n,) frame with the columns, in no particular order.
    """
    statement = f"COPY ({query}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')"
    content = _copied(conn, statement, parameters)
    content.seek(0)
    return pd.read_csv(content, header=None, names=list(dtypes), dtype=dtypes, na_filter=False)


def _copied(conn: Connection, statement: str, values: Mapping[str, Any]) -> io.BytesIO:
    buffer = io.BytesIO()
    with _cursor(conn, statement) as cursor:
        # COPY accepts no parameters, so the driver writes them into the statement.
        if hasattr(cursor, "copy_expert"):  # psycopg2
            cursor.copy_expert(cursor.mogrify(statement, values), buffer)
        else:
            with cursor.copy(statement, values) as blocks:
                buffer.writelines(blocks)
    return buffer


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
    statement = f"COPY {table} FROM STDIN (FORMAT binary)"
    content = b"".join([_HEADER, rows.tobytes(), _TRAILER])
    with _cursor(conn, statement) as cursor:
        if hasattr(cursor, "copy_expert"):  # psycopg2
            cursor.copy_expert(statement, io.BytesIO(content))
        else:
            with cursor.copy(statement) as copy:
                copy.write(content)


def _bound(query: Compiled, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Values of all parameters of a query, by their names in the statement."""
    # SQLAlchemy 2.0 escapes names in the statement, but not in its parameters.
    names = getattr(query, "escaped_bind_names", {})
    given = query.construct_params(parameters) or {}
    return {names.get(name, name): value for name, value in given.items()}


def _row(columns: Mapping[str, str]) -> np.dtype[np.void]:
    """Memory layout of one row: the number of fields, then each field after its size."""
    fields = [("fields", ">i2")]
    for name, kind in columns.items():
        fields += [(_size(name), ">i4"), (name, kind)]
    return np.dtype(fields)


def _size(column: str) -> str:
    return f"size of {column}"


@contextmanager
def _cursor(conn: Connection, statement: str) -> Iterator[Any]:
    """Yield a cursor of the driver; raise its errors as SQLAlchemy's."""
    driver_error = conn.dialect.loaded_dbapi.Error
    try:
        with closing(conn.connection.cursor()) as cursor:
            yield cursor
    except driver_error as failure:
        raise DBAPIError.instance(
            statement, None, failure, driver_error, dialect=conn.dialect
        ) from failure
