"""Tables that a host brings: projects, agents, tasks and turns."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Integer,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from aggregator.database.models.base import TIMESTAMPTZ_TYPE, Base, HostId


class Project(Base):
    """One codebase. ``path`` (standalone) is the folder of its repository."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(HostId, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text, unique=True)


class Agent(Base):
    """One Claude Code session.

    ``session_id`` is standalone, and so are ``known_since``, the earliest instant in the
    transcript that told its project, and ``origin``: ``sdk``, ``scheduled`` or ``background``
    if the transcript says that a program started the session, else null. Also ``name``, null
    if the transcript has none, and ``cwd``, the folder in which it was started; they are those
    of the transcript whose last line is at ``named_at``.
    """

    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(HostId, primary_key=True)
    project_id: Mapped[int] = mapped_column(
        HostId, ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[str] = mapped_column(Text, unique=True)
    known_since: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    origin: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    cwd: Mapped[str | None] = mapped_column(Text)
    named_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    started_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)


class Task(Base):
    """A piece of an agent's work, and its state. Standalone, an agent has exactly one task.

    ``state`` is ``processing`` or ``awaiting_input`` (standalone); hosts have more.
    ``state_at`` and ``state_rank`` (standalone) order the states that transcripts told.
    """

    __tablename__ = "tasks"

    id: Mapped[int] = mapped_column(HostId, primary_key=True)
    agent_id: Mapped[int] = mapped_column(
        HostId, ForeignKey("agents.id", ondelete="CASCADE"), unique=True
    )
    state: Mapped[str] = mapped_column(Text)
    state_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    state_rank: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class Turn(Base):
    """One message by the USER or by the AGENT, at an instant.

    ``key`` (standalone) identifies the message: a turn is stored once, no matter how
    many transcripts repeat it. ``is_copy`` (standalone) is true while only a fork has
    told it, which says that the message is another session's.
    """

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    task_id: Mapped[int] = mapped_column(
        HostId, ForeignKey("tasks.id", ondelete="CASCADE"), index=True
    )
    actor: Mapped[str] = mapped_column(Text)
    timestamp: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE, index=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    is_copy: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    __table_args__ = (CheckConstraint("actor IN ('USER', 'AGENT')", name="ck_turns_actor"),)
