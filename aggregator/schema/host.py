"""A host's tables: whether we can read them, and what its columns are called.

Four tables are read: ``projects``, ``agents``, ``tasks`` and ``turns``, wherever the
connection's ``search_path`` finds them. What belongs to nothing counts nowhere: a turn
without a task or an instant, a task without an agent, an agent without a project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from aggregator.database.source import Source
from aggregator.errors import HostSchemaError
from aggregator.schema.catalog import NAIVE_TIMESTAMP_TYPE, TIMESTAMP_TYPE, Column, read_columns

INTEGER_TYPES = frozenset({"smallint", "integer", "bigint"})
TIMESTAMP_TYPES = frozenset({TIMESTAMP_TYPE, NAIVE_TIMESTAMP_TYPE})
TURN_INSTANT_COLUMNS = ("timestamp", "created_at")
"""Columns that hold the instant of a turn, the first that is there."""
SESSION_IDS = ("session_id", "session_uuid", "claude_session_id")
AGENT_NAMES = ("name", *SESSION_IDS)
"""Columns that hold what people call an agent, the first that is there."""


@dataclass(frozen=True, slots=True)
class ExpectedColumn:
    """A column we read, and what it has to be like.

    Attributes:
        name: Its name.
        expected: What is expected of it, in words.
        types: Types it may have; empty for any.
        is_key: Whether metrics refer to it, so that it has to be the primary key.
    """

    name: str
    expected: str
    types: frozenset[str] = frozenset()
    is_key: bool = False


EXPECTED_COLUMNS: Mapping[str, tuple[ExpectedColumn, ...]] = {
    "projects": (
        ExpectedColumn("id", "an integer, the primary key", INTEGER_TYPES, is_key=True),
        ExpectedColumn("name", "a text"),
    ),
    "agents": (
        ExpectedColumn("id", "an integer, the primary key", INTEGER_TYPES, is_key=True),
        ExpectedColumn("project_id", "an integer referring to projects.id", INTEGER_TYPES),
    ),
    "tasks": (
        ExpectedColumn("id", "an integer", INTEGER_TYPES),
        ExpectedColumn("agent_id", "an integer referring to agents.id", INTEGER_TYPES),
        ExpectedColumn("state", "a text or an enum, such as processing or awaiting_input"),
    ),
    "turns": (
        ExpectedColumn("task_id", "an integer referring to tasks.id", INTEGER_TYPES),
        ExpectedColumn("actor", "a text or an enum, user or agent"),
    ),
}
EXPECTED_INSTANT = "a timestamp with or without time zone"
Tables = Mapping[str, Mapping[str, Column]]


def find_source(
    conn: Connection, *, turn_at: str | None = None, agent_name: str | None = None
) -> Source:
    """Look once at a host's tables and tell how to read them.

    The instant of a turn is ``timestamp``, or else ``created_at``; without a time zone
    it is taken as UTC. An agent is called by its ``name``, or else by the first eight
    characters of its session's id, or else by its number. ``agents.ended_at`` may be
    missing: then nothing is known to have ended.

    Args:
        conn: A connection to the host's database.
        turn_at: Column of ``turns`` to take for the instant.
        agent_name: Column of ``agents`` to call it by.

    Raises:
        HostSchemaError: Tables or columns are missing or of another type; all of them
            are named.
    """
    tables = read_columns(conn, EXPECTED_COLUMNS)
    instants = (turn_at,) if turn_at else TURN_INSTANT_COLUMNS
    names = (agent_name,) if agent_name else AGENT_NAMES
    if problems := list(_problems(tables, instants, agent_name)):
        raise HostSchemaError(problems)
    turns, agents = tables["turns"], tables["agents"]
    instant = next(column for column in instants if column in turns)
    name = next((column for column in names if column in agents), None)
    ended_at = agents.get("ended_at")
    return Source(
        turn_at_column=instant,
        turn_at_is_naive=turns[instant].type == NAIVE_TIMESTAMP_TYPE,
        agent_name_column=name,
        agent_name_is_id=name is not None and _is_id(name, agents[name]),
        ended_at_column="ended_at" if ended_at else None,
        ended_at_is_naive=ended_at is not None and ended_at.type == NAIVE_TIMESTAMP_TYPE,
    )


def _is_id(name: str, column: Column) -> bool:
    return name in SESSION_IDS or column.type == "uuid"


def _problems(tables: Tables, instants: tuple[str, ...], agent_name: str | None) -> Iterator[str]:
    wanted = {table: list(columns) for table, columns in EXPECTED_COLUMNS.items()}
    present = [name for name in instants if name in tables.get("turns", {})]
    instant = present[0] if present else " or turns.".join(instants)
    wanted["turns"].append(ExpectedColumn(instant, EXPECTED_INSTANT, TIMESTAMP_TYPES))
    if "ended_at" in tables.get("agents", {}):
        wanted["agents"].append(ExpectedColumn("ended_at", EXPECTED_INSTANT, TIMESTAMP_TYPES))
    if agent_name:
        wanted["agents"].append(ExpectedColumn(agent_name, "a text"))
    for table, columns in wanted.items():
        if table not in tables:
            yield f"there is no table {table} in the schemas of search_path"
            continue
        for column in columns:
            yield from _problem(table, tables[table], column)


def _problem(table: str, present: Mapping[str, Column], column: ExpectedColumn) -> Iterator[str]:
    found = present.get(column.name)
    name = f"{table}.{column.name}"
    if found is None:
        yield f"{name} is missing (expected {column.expected})"
    elif column.types and found.type not in column.types:
        yield f"{name} is {found.type} (expected {column.expected})"
    elif column.is_key and not found.is_key:
        yield f"{name} is not the primary key (expected {column.expected})"
