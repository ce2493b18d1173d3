"""Check that a host's tables can be read, and find the names of their columns.

Four tables are read: ``projects``, ``agents``, ``tasks`` (or ``commands``) and ``turns``, in
the schemas of the connection's ``search_path``. Incomplete rows are ignored: a turn without a task
or an instant, a task without an agent, an agent without a project.
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
"""Columns that may hold the instant of a turn; the first that exists is used."""
SESSION_IDS = ("session_id", "session_uuid", "claude_session_id")
AGENT_NAMES = ("name", *SESSION_IDS)
"""Columns that may hold the name of an agent; the first that exists is used."""


@dataclass(frozen=True, slots=True)
class ExpectedColumn:
    """A column that we read, and the requirements on it.

    Attributes:
        name: Name of the column.
        expected: Description of the requirements, for error messages.
        types: Allowed types; empty for any.
        is_key: Whether it must be the primary key, because metrics refer to it.
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
    "turns": (
        ExpectedColumn("id", "what identifies a turn"),
        ExpectedColumn("actor", "a text or an enum, user or agent"),
    ),
}
EXPECTED_OF_TASKS = (
    ExpectedColumn("id", "an integer", INTEGER_TYPES),
    ExpectedColumn("agent_id", "an integer referring to agents.id", INTEGER_TYPES),
    ExpectedColumn("state", "a text or an enum, such as processing or awaiting_input"),
)
TASK_TABLES = {"tasks": "task_id", "commands": "command_id"}
"""Tables that may hold the tasks, with the column of ``turns`` that refers to each."""
EXPECTED_INSTANT = "a timestamp with or without time zone"
Tables = Mapping[str, Mapping[str, Column]]


def find_source(
    conn: Connection, *, turn_at: str | None = None, agent_name: str | None = None
) -> Source:
    """Inspect a host's tables and return how to read them.

    The tasks are ``tasks``, or else ``commands`` if ``turns`` refers to these. The instant of
    a turn is ``timestamp``, or else ``created_at``; without a time zone
    it is read as UTC. An agent's name is its ``name``, or else the first eight characters
    of its session's id, or else its number. ``agents.ended_at`` may be missing; then no
    agent is known to have ended. So may ``turns.intent``; then no turn is known to ask.
    And ``agents.origin``; then no agent is known to be automated.

    Args:
        conn: A connection to the host's database.
        turn_at: Column of ``turns`` to use as the instant.
        agent_name: Column of ``agents`` to use as the name.

    Raises:
        HostSchemaError: Tables or columns are missing or have another type; the error
            names all of them.
    """
    tables = read_columns(conn, [*EXPECTED_COLUMNS, *TASK_TABLES])
    instants = (turn_at,) if turn_at else TURN_INSTANT_COLUMNS
    names = (agent_name,) if agent_name else AGENT_NAMES
    if problems := list(_problems(tables, instants, agent_name)):
        raise HostSchemaError(problems)
    # What is used only if it is there need not be readable.
    tables = {name: _readable(columns) for name, columns in tables.items()}
    turns, agents, tasks = tables["turns"], tables["agents"], _task_table(tables)
    instant = next(column for column in instants if column in turns)
    title = None if agent_name or not _is_title(agents) else "name"
    name = next((column for column in names if column in agents and column != title), None)
    ended_at = agents.get("ended_at")
    return Source(
        task_table=tasks,
        turn_task_column=TASK_TABLES[tasks],
        turn_at_column=instant,
        turn_at_is_naive=turns[instant].type == NAIVE_TIMESTAMP_TYPE,
        turn_has_intent="intent" in turns,
        agent_name_column=name,
        agent_title_column=title,
        agent_has_origin="origin" in agents,
        agent_name_is_id=name is not None and _is_id(name, agents[name]),
        ended_at_column="ended_at" if ended_at else None,
        ended_at_is_naive=ended_at is not None and ended_at.type == NAIVE_TIMESTAMP_TYPE,
    )


def _is_title(agents: Mapping[str, Column]) -> bool:
    """Return whether agents have names, beside what identifies them."""
    return "name" in agents and not _is_id("name", agents["name"])


def _is_id(name: str, column: Column) -> bool:
    return name in SESSION_IDS or column.type == "uuid"


def _task_table(tables: Tables) -> str:
    """Return the table of the tasks: the first that exists and that turns refer to."""
    turns = tables.get("turns", {})
    known = (name for name, key in TASK_TABLES.items() if name in tables and key in turns)
    return next(known, "tasks")


def _problems(tables: Tables, instants: tuple[str, ...], agent_name: str | None) -> Iterator[str]:
    expected = {table: list(columns) for table, columns in EXPECTED_COLUMNS.items()}
    present = [name for name in instants if name in tables.get("turns", {})]
    instant = present[0] if present else " or turns.".join(instants)
    tasks = _task_table(tables)
    expected[tasks] = list(EXPECTED_OF_TASKS)
    reference = f"an integer referring to {tasks}.id"
    expected["turns"].insert(0, ExpectedColumn(TASK_TABLES[tasks], reference, INTEGER_TYPES))
    expected["turns"].append(ExpectedColumn(instant, EXPECTED_INSTANT, TIMESTAMP_TYPES))
    if "ended_at" in _readable(tables.get("agents", {})):
        expected["agents"].append(ExpectedColumn("ended_at", EXPECTED_INSTANT, TIMESTAMP_TYPES))
    if agent_name:
        expected["agents"].append(ExpectedColumn(agent_name, "a text"))
    for table, columns in expected.items():
        if table not in tables:
            named = " or ".join(TASK_TABLES) if table == "tasks" else table
            yield f"there is no table {named} in the schemas of search_path"
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
    elif not found.is_readable:
        yield f"{name} may not be read by this role (it needs SELECT)"


def _readable(columns: Mapping[str, Column]) -> dict[str, Column]:
    return {name: column for name, column in columns.items() if column.is_readable}
