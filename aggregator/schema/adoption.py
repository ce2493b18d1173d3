"""Check that a host's own table of metrics can be adopted without losing anything.

This happens before the first migration, so that a refusal has changed nothing. An adopted
table keeps its rows and columns, and the migrations add what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, inspect, text

from aggregator.errors import AdoptionError
from aggregator.metrics.measures import MEASURES, SqlType
from aggregator.schema.catalog import TIMESTAMP_TYPE, Column, read_columns

TABLE = "activity_metrics"
KEY_TYPES = ("integer", "bigint")
ACCEPTED: Mapping[SqlType, tuple[str, ...]] = {
    "integer": ("integer", "bigint"),
    # In a shorter type, every pass would find the stored value different and write it again.
    "double precision": ("double precision",),
}
"""Types of a host's column that can hold all our values."""
TYPES = {
    "id": KEY_TYPES,
    "bucket_start": (TIMESTAMP_TYPE,),
    "agent_id": KEY_TYPES,
    "project_id": KEY_TYPES,
    "is_overall": ("boolean",),
    **{measure.column: ACCEPTED[measure.sql_type] for measure in MEASURES},
}
"""Our columns, with their accepted types."""
REQUIRED = (
    "id",
    "bucket_start",
    *(measure.column for measure in MEASURES if measure.required),
)
"""Columns that an adopted table must have; the others can be added."""
GIVEN = frozenset({*TYPES, "created_at", "updated_at"}) - {"id"}
"""Columns that get a value with every row we write."""

_ABSENT = {"agent_id": "NULL::int", "project_id": "NULL::int", "is_overall": "false"}
_ROWS = """
    SELECT
        count(*) FILTER (WHERE num_nulls(bucket_start, is_overall, turn_count) > 0)
            AS "without an hour, a scope or a count",
        count(*) FILTER (WHERE num_nonnulls(agent_id, project_id) + is_overall::int <> 1)
            AS "not of exactly one agent, one project or overall",
        count(*) FILTER (WHERE bucket_start <> date_trunc('hour', bucket_start, 'UTC'))
            AS "not starting on the hour",
        count(*) - count(DISTINCT (bucket_start, agent_id, project_id, is_overall))
            AS "repeating the hour and scope of another"
    FROM (SELECT bucket_start, turn_count, {} FROM activity_metrics) AS metrics
"""


def check_adoption(conn: Connection) -> None:
    """Check that an existing table of metrics, if there is one, can be adopted.

    Raises:
        AdoptionError: It cannot; the error lists all reasons.
    """
    columns = read_columns(conn, [TABLE]).get(TABLE)
    if columns is None:
        return
    problems = [*_column_problems(columns), *_key_problems(conn)]
    # Rows can be checked only if the columns are right.
    if problems := problems or list(_row_problems(conn, columns)):
        raise AdoptionError(problems)


def _column_problems(columns: Mapping[str, Column]) -> Iterator[str]:
    for name, types in TYPES.items():
        expected = f"(expected {' or '.join(types)})"
        if name not in columns:
            if name in REQUIRED:
                yield f"{name} is missing {expected}"
        elif columns[name].type not in types:
            yield f"{name} is {columns[name].type} {expected}"
    for name, column in columns.items():
        if column.needs_value and name not in GIVEN:
            yield f"{name} has no default and must not be null (expected a default)"


def _key_problems(conn: Connection) -> Iterator[str]:
    for key in inspect(conn).get_foreign_keys(TABLE):
        # A row without a scope would violate our CHECK, and the host's delete would fail.
        if key["options"].get("ondelete") in ("SET NULL", "SET DEFAULT"):
            names = ", ".join(key["constrained_columns"])
            yield f"{names} is cleared when the row it references is deleted (expected CASCADE)"


def _row_problems(conn: Connection, columns: Mapping[str, Column]) -> Iterator[str]:
    scope = [name if name in columns else f"{absent} AS {name}" for name, absent in _ABSENT.items()]
    counts = conn.execute(text(_ROWS.format(", ".join(scope)))).one()
    for problem, count in counts._mapping.items():
        if count:
            yield f"{count} row{'s' if count > 1 else ''} {problem}"
