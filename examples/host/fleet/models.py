"""Projects, agents, tasks and turns."""

from __future__ import annotations

import enum
from datetime import UTC, datetime

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

INSTANT = DateTime(timezone=True)


class Base(DeclarativeBase):
    """The registry of all tables."""


db = SQLAlchemy(model_class=Base)


class TaskState(enum.Enum):
    """The state of a task."""

    PROCESSING = "processing"
    AWAITING_INPUT = "awaiting input"
    COMPLETE = "complete"


class TurnActor(enum.Enum):
    """The author of a turn."""

    USER = "user"
    AGENT = "agent"


class Project(db.Model):
    """One codebase."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)

    agents: Mapped[list[Agent]] = relationship(back_populates="project", order_by="Agent.id")


class Agent(db.Model):
    """One session of Claude Code, which runs until it has an end."""

    __tablename__ = "agents"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey(Project.id), index=True)
    name: Mapped[str]
    started_at: Mapped[datetime] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)

    project: Mapped[Project] = relationship(back_populates="agents")
    tasks: Mapped[list[Task]] = relationship(back_populates="agent", order_by="Task.id")

    @property
    def status(self) -> str:
        """The state of the newest task, or ``ended``."""
        return "ended" if self.ended_at else self.tasks[-1].state.value

    def end(self) -> None:
        """Mark the session as ended."""
        self.ended_at = datetime.now(UTC)


class Task(db.Model):
    """A piece of work by an agent."""

    __tablename__ = "tasks"

    id: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey(Agent.id), index=True)
    state: Mapped[TaskState]

    agent: Mapped[Agent] = relationship(back_populates="tasks")


class Turn(db.Model):
    """One message, by a person or by the agent."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey(Task.id), index=True)
    actor: Mapped[TurnActor]
    timestamp: Mapped[datetime] = mapped_column(INSTANT, index=True)
