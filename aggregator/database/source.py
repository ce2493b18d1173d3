"""Names and types of the host's columns that differ between hosts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    SQLColumnExpression,
    Text,
    case,
    cast,
    column,
    func,
    literal_column,
    null,
    table,
)

from aggregator.database.models import TIMESTAMPTZ_TYPE, Agent, HostId

SHORT_ID = 8
"""Number of characters of a session id that are shown to people."""
AUTOMATED = ("sdk", "scheduled", "background")
"""Origins of agents that a program started."""
LONGEST_NAME = 200
"""Number of characters of a name that are shown; only a mistake or an attack has more."""

_SPACE = r"[\s\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
# Control characters, marks that change the direction of writing, and characters without
# width. Not the joiners of Persian words and of emoji, which only stand between others.
_UNSEEN = (
    r"[\u0001-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]+"
)
_ENDS = r"^[\s\u200c\u200d\ufe00-\ufe0f]+|[\s\u200c\u200d]+$"


def shown_name(name: SQLColumnExpression[Any]) -> ColumnElement[str]:
    """SQL for a name on one line that can be seen, of :data:`LONGEST_NAME` characters at most.

    What has no look of its own is left out, so that a name cannot be empty to the eye,
    look like another text or change the direction of what stands beside it. Null if
    nothing is left.
    """
    line = func.regexp_replace(name, _SPACE, " ", "g")
    seen = func.regexp_replace(line, _UNSEEN, "", "g")
    return func.nullif(func.left(func.regexp_replace(seen, _ENDS, "", "g"), LONGEST_NAME), "")


@dataclass(frozen=True, slots=True)
class Source:
    """The columns of a host's tables whose name or type differs between hosts.

    The fields are plain values, so that a source can be sent to another process; the
    properties turn them into SQL. The defaults describe our own tables.

    Attributes:
        turn_at_column: Column of ``turns`` with the instant.
        turn_at_is_naive: Whether it has no time zone; it is then read as UTC.
        agent_name_column: Column of ``agents`` with the name shown to people, or None.
        agent_name_is_id: Whether that is an id, shown as :data:`SHORT_ID` characters.
        ended_at_column: Column of ``agents`` with the instant it ended, or None if no
            end is recorded.
        ended_at_is_naive: Whether it has no time zone; it is then read as UTC.
        task_table: Table of the tasks: ``tasks``, or ``commands``.
        turn_task_column: Column of ``turns`` with the task.
        turn_has_intent: Whether ``turns`` has a column ``intent``, which may be ``question`` or
            ``answer``.
        agent_title_column: Column of ``agents`` with a name that comes first, if it has one.
        agent_has_origin: Whether ``agents`` has a column ``origin``, one of
            :data:`AUTOMATED` for agents that a program started.
    """

    turn_at_column: str = "timestamp"
    turn_at_is_naive: bool = False
    agent_name_column: str | None = "session_id"
    agent_name_is_id: bool = True
    ended_at_column: str | None = "ended_at"
    ended_at_is_naive: bool = False
    task_table: str = "tasks"
    turn_task_column: str = "task_id"
    turn_has_intent: bool = False
    agent_title_column: str | None = "name"
    agent_has_origin: bool = True

    @property
    def task(self) -> FromClause:
        """The tasks in statements, named ``tasks``: ``id``, ``agent_id`` and ``state``."""
        return _tasks(self.task_table)

    @property
    def turn_task_id(self) -> ColumnElement[Any]:
        """SQL for the task of a row of ``turns``."""
        return literal_column(self.turn_task_of("turns"), HostId)

    def turn_task_of(self, row: str) -> str:
        """SQL text for the task of a row of ``turns`` under another name."""
        return f"{row}.{_quoted(self.turn_task_column)}"

    @property
    def turn_at(self) -> ColumnElement[datetime]:
        """SQL for the instant of a row of ``turns``, a ``timestamptz``."""
        return literal_column(self.turn_at_of("turns"), TIMESTAMPTZ_TYPE)

    def turn_at_of(self, row: str) -> str:
        """SQL text for the instant of a row of ``turns`` under another name: an alias, ``NEW``.

        Null if the row has no instant.
        """
        return _instant(row, self.turn_at_column, is_naive=self.turn_at_is_naive)

    def turn_intent_of(self, row: str) -> str:
        """SQL text for the intent of a row of ``turns`` under another name, in small letters.

        Null if the row has none.
        """
        return (
            f"lower(CAST({row}.intent AS text))" if self.turn_has_intent else "CAST(NULL AS text)"
        )

    @property
    def ended_at(self) -> ColumnElement[datetime | None]:
        """SQL for the end of a row of ``agents``, a ``timestamptz``; null while it runs."""
        if self.ended_at_column is None:
            return cast(null(), TIMESTAMPTZ_TYPE)
        sql = _instant("agents", self.ended_at_column, is_naive=self.ended_at_is_naive)
        return literal_column(sql, TIMESTAMPTZ_TYPE)

    @property
    def agent_name(self) -> ColumnElement[str]:
        """SQL for the displayed name of a row of ``agents``, a text that is never empty."""
        number = func.concat("agent ", Agent.id)
        if self.agent_name_column is None:
            return func.coalesce(*self._title, number)
        name = cast(literal_column(f"agents.{_quoted(self.agent_name_column)}", Text), Text)
        shown = func.left(name, SHORT_ID) if self.agent_name_is_id else name
        return func.coalesce(*self._title, shown_name(shown), number)

    @property
    def agent_origin(self) -> ColumnElement[str | None]:
        """SQL for the origin of a row of ``agents``; null if a person started it."""
        if not self.agent_has_origin:
            return cast(null(), Text)
        origin = cast(literal_column("agents.origin", Text), Text)
        # A host may mean something else by other words.
        return case((origin.in_(AUTOMATED), origin))

    @property
    def _title(self) -> list[ColumnElement[Any]]:
        if self.agent_title_column is None:
            return []
        title = cast(literal_column(f"agents.{_quoted(self.agent_title_column)}", Text), Text)
        return [shown_name(title)]


@lru_cache(maxsize=8)
def _tasks(name: str) -> FromClause:
    """Make the tasks once for each name, so that all parts of a statement mean the same."""
    columns = column("id", HostId), column("agent_id", HostId), column("state", Text)
    return table(name, *columns).alias("tasks")


def _instant(row: str, column: str, *, is_naive: bool) -> str:
    sql = f"{row}.{_quoted(column)}"
    return f"({sql} AT TIME ZONE 'UTC')" if is_naive else sql


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


STANDALONE = Source()
"""Our own tables: an agent without a name is called by the start of its session id."""
