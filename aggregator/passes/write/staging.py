"""Replace rows of a table by staging: COPY the new rows beside it, and write the difference.

Rows that did not change are not touched, so nothing is written for them. Callers own the
transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Row, text
from sqlalchemy.sql.elements import TextClause

from aggregator.database.binary_copy import (
    BOOL,
    FLOAT8,
    INT4,
    INT8,
    POSTGRES_EPOCH,
    TIMESTAMPTZ,
    copy_in,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of staged columns. COPY of fixed-width rows is fast, but has neither null nor text.

    Attributes:
        copy_type: Type in COPY, a constant of :mod:`aggregator.database.binary_copy`.
        sql_type: Type in the staging table.
        null: SQL of the value that stands for null there; empty if there are no nulls.
            Keys keep it, because "=" can be hashed, unlike "IS NOT DISTINCT FROM".
    """

    copy_type: str
    sql_type: str
    null: str = ""


INSTANT = Kind(TIMESTAMPTZ, "timestamptz")
OPTIONAL_INSTANT = Kind(TIMESTAMPTZ, "timestamptz", "'-infinity'")
ID = Kind(INT8, "bigint", "-1")
INTEGER = Kind(INT4, "integer", "-1")
SECONDS = Kind(FLOAT8, "double precision", "'NaN'")
FLAG = Kind(BOOL, "boolean")
TEXT = Kind(INT4, "integer")
"""A position, from 1, in the array of all texts; 0 for null."""


@dataclass(frozen=True, slots=True)
class StagedTable:
    """A table whose rows are replaced by staging.

    Attributes:
        name: The table, with a column ``id``.
        keys: Kinds of the columns of its unique key, which decide if two rows are one.
        values: Kinds of its other columns.
        scope: SQL that follows ``FROM name``: the present rows that are replaced.
        result: SQL of the answer. ``changed`` has the rows that differ, with the present
            values as ``old_…`` and the new ones by their names, and ``is_new`` and
            ``is_gone``; ``written`` has the keys of rows that were inserted or updated.
        on_update: SQL of further columns that an update sets.
    """

    name: str
    keys: Mapping[str, Kind]
    values: Mapping[str, Kind]
    scope: str
    result: str
    on_update: str = ""

    @property
    def columns(self) -> dict[str, Kind]:
        """Kinds of all staged columns."""
        return {**self.keys, **self.values}

    @property
    def staging(self) -> str:
        """Name of the staging table."""
        return f"{self.name}_new"

    @property
    def statements(self) -> tuple[TextClause, TextClause, TextClause]:
        """Statements that create the staging table, replace the rows, and drop it."""
        listed = ", ".join(f"{name} {kind.sql_type}" for name, kind in self.columns.items())
        return (
            text(f"CREATE TEMPORARY TABLE {self.staging} ({listed}) ON COMMIT DROP"),
            text(self._replacement()),
            text(f"DROP TABLE {self.staging}"),
        )

    def _replacement(self) -> str:
        keys, values = list(self.keys), list(self.values)
        key, value = ", ".join(keys), ", ".join(values)
        present = [
            f"coalesce({name}, {kind.null}) AS {name}" if kind.null else name
            for name, kind in self.keys.items()
        ]
        staged = [_decoded(name, kind) for name, kind in self.values.items()]
        return f"""
            WITH old AS (
                SELECT id, {", ".join(present)}, {value} FROM {self.name} {self.scope}
            ), new AS (
                SELECT {key}, {", ".join(staged)} FROM {self.staging}
            ), changed AS (
                SELECT old.id, {key}, {_each("old.{0} AS old_{0}", values)},
                    {_each("new.{0}", values)},
                    old.id IS NULL AS is_new, new.{keys[0]} IS NULL AS is_gone
                FROM old FULL JOIN new USING ({key})
                WHERE old.id IS NULL OR new.{keys[0]} IS NULL
                    OR ({_each("old.{0}", values)}) IS DISTINCT FROM ({_each("new.{0}", values)})
            ), written AS (
                INSERT INTO {self.name} ({key}, {value})
                SELECT {", ".join(_restored(name, kind) for name, kind in self.keys.items())},
                    {value}
                FROM changed WHERE NOT is_gone
                ON CONFLICT ({key}) DO UPDATE SET
                    {_each("{0} = excluded.{0}", values)}{self.on_update}
                RETURNING {key}
            ), deleted AS (
                -- No join: while the table is being filled, the planner takes it to be empty.
                DELETE FROM {self.name}
                WHERE id = ANY (ARRAY(SELECT id FROM changed WHERE is_gone))
                RETURNING id
            )
            {self.result}
        """  # noqa: S608 - the names of our own tables and columns


def replace_rows(
    conn: Connection, table: StagedTable, rows: pd.DataFrame, parameters: Mapping[str, Any]
) -> Row[Any]:
    """Replace the rows in a table's scope with exactly these rows.

    Changed rows are upserted, missing rows are deleted, unchanged rows are not touched.
    Running it again with the same rows changes nothing.

    Args:
        conn: A connection in a transaction.
        table: The table.
        rows: Frame with the table's columns, all its rows in the scope.
        parameters: Values for the parameters of the scope and of the result.

    Returns:
        The only row of the result.
    """
    create, replace, drop = table.statements
    conn.execute(create)
    values, texts = _encoded(table.columns, rows)
    kinds = {name: kind.copy_type for name, kind in table.columns.items()}
    copy_in(conn, table.staging, kinds, values)
    known = {"texts": texts} if TEXT in table.columns.values() else {}
    result = conn.execute(replace, {**parameters, **known}).one()
    conn.execute(drop)
    return result


def _each(form: str, names: Sequence[str]) -> str:
    return ", ".join(form.format(name) for name in names)


def _decoded(name: str, kind: Kind) -> str:
    if kind is TEXT:
        return f"(CAST(:texts AS text[]))[{name}] AS {name}"
    return f"nullif({name}, {kind.null}) AS {name}" if kind.null else name


def _restored(name: str, kind: Kind) -> str:
    return f"nullif({name}, {kind.null})" if kind.null else name


def _encoded(
    columns: Mapping[str, Kind], rows: pd.DataFrame
) -> tuple[dict[str, np.ndarray[Any, Any]], list[str]]:
    """Convert columns to arrays for COPY, and return the texts that they refer to."""
    texts: list[str] = []
    values = {}
    for name, kind in columns.items():
        column = rows[name]
        if kind is TEXT:
            codes, uniques = pd.factorize(column)
            values[name] = np.where(codes < 0, 0, codes + 1 + len(texts))
            texts += [str(unique) for unique in uniques]
        elif kind in (INSTANT, OPTIONAL_INSTANT):
            values[name] = _microseconds(column)
        elif column.dtype == "Int64":
            values[name] = column.to_numpy("int64", na_value=-1)
        else:
            values[name] = column.to_numpy()
    return values, texts


def _microseconds(instants: pd.Series) -> np.ndarray[Any, Any]:
    """Microseconds since PostgreSQL's epoch; its ``-infinity`` for NaT."""
    since = instants.astype("int64").to_numpy() - POSTGRES_EPOCH
    return np.where(instants.isna().to_numpy(), np.iinfo("int64").min, since)
