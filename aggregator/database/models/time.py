"""``activity_intervals`` and ``activity_runs``: the time of agents."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    Index,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from aggregator.database.models.base import TIMESTAMPTZ_TYPE, Base


class ActivityInterval(Base):
    """A span of one agent's time, of one of :data:`aggregator.intervals.kinds.KINDS`.

    It is ``[started_at, ended_at)``, never empty. The intervals of an agent touch each
    other and do not overlap. ``reason`` says why the span is of its kind; ``tool`` and
    ``mode`` name the call and the permission mode of a blocked one. ``is_exact`` is true
    for working time that Claude Code itself has measured.

    There is no foreign key: rows of an agent that was deleted tell the next pass which
    hours differ, and go with that pass.
    """

    __tablename__ = "activity_intervals"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    agent_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)
    ended_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)
    run_started_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    reason: Mapped[str] = mapped_column(Text)
    tool: Mapped[str | None] = mapped_column(Text)
    mode: Mapped[str | None] = mapped_column(Text)
    is_exact: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (
        CheckConstraint("started_at < ended_at", name="ck_activity_intervals_not_empty"),
        Index("uq_activity_intervals_agent_start", "agent_id", "started_at", unique=True),
        Index("ix_activity_intervals_end", "ended_at"),
    )


class ActivityRun(Base):
    """A run of one agent: from a prompt, or another trigger, to the end of its work.

    ``trigger`` is one of :data:`aggregator.intervals.kinds.TRIGGERS`, ``ended_by`` one of
    :data:`aggregator.intervals.kinds.ENDS`. A response is a run that a person began, that
    has work and that is over. There is no foreign key, for the reason that intervals have
    none.
    """

    __tablename__ = "activity_runs"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    agent_id: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)
    ended_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)
    trigger: Mapped[str] = mapped_column(Text)
    ended_by: Mapped[str] = mapped_column(Text)
    working_seconds: Mapped[float] = mapped_column(Float)
    blocked_seconds: Mapped[float] = mapped_column(Float)
    is_exact: Mapped[bool] = mapped_column(Boolean)
    is_response: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (
        Index("uq_activity_runs_agent_start", "agent_id", "started_at", unique=True),
        Index("ix_activity_runs_end", "ended_at"),
    )
