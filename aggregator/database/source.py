"""Names and types of the host's columns that differ between hosts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, func, literal_column, null

from aggregator.database.models import TIMESTAMPTZ_TYPE, Agent

SHORT_ID = 8
"""Number of characters of a session id that are shown to people."""


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
    """

    turn_at_column: str = "timestamp"
    turn_at_is_naive: bool = False
    agent_name_column: str | None = "session_id"
    agent_name_is_id: bool = True
    ended_at_column: str | None = "ended_at"
    ended_at_is_naive: bool = False

    @property
    def turn_at(self) -> ColumnElement[datetime]:
        """SQL for the instant of a row of ``turns``, a ``timestamptz``."""
        return literal_column(self.turn_at_of("turns"), TIMESTAMPTZ_TYPE)

    def turn_at_of(self, row: str) -> str:
        """SQL text for the instant of a row of ``turns`` under another name: an alias, ``NEW``.

        Null if the row has no instant.
        """
        return _instant(row, self.turn_at_column, is_naive=self.turn_at_is_naive)

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
            return number
        name = cast(literal_column(f"agents.{_quoted(self.agent_name_column)}", Text), Text)
        shown = func.left(name, SHORT_ID) if self.agent_name_is_id else func.btrim(name)
        return func.coalesce(func.nullif(shown, ""), number)


def _instant(row: str, column: str, *, is_naive: bool) -> str:
    sql = f"{row}.{_quoted(column)}"
    return f"({sql} AT TIME ZONE 'UTC')" if is_naive else sql


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


STANDALONE = Source()
"""Our own tables: an agent's name is the first eight characters of its session id."""
