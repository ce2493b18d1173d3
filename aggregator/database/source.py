"""Where a database keeps what metrics are made from: the columns that differ between hosts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, func, literal_column, null

from aggregator.database.models import TIMESTAMPTZ_TYPE, Agent

SHORT_ID = 8
"""Characters by which people tell the ids of sessions apart."""


@dataclass(frozen=True, slots=True)
class Source:
    """The columns of a host's tables that have another name or type on another host.

    Plain facts, so that a source can travel to another process; the properties make
    SQL of them. The defaults are our own tables.

    Attributes:
        turn_at_column: Column of ``turns`` that holds the instant.
        turn_at_is_naive: Whether it has no time zone; then it is taken as UTC.
        agent_name_column: Column of ``agents`` that holds what people call it, or None.
        agent_name_is_id: Whether that is an id, of which :data:`SHORT_ID` characters do.
        ended_at_column: Column of ``agents`` that holds its end, or None where no end
            is recorded.
        ended_at_is_naive: Whether it has no time zone; then it is taken as UTC.
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
        """SQL text for the same, for a row of ``turns`` by another name: an alias, ``NEW``.

        Null where the row has no instant.
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
        """SQL for what people call a row of ``agents``, a text that is never empty."""
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
"""Our own tables: an agent is called by the first eight characters of its session id."""
