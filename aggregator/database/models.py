"""SQLAlchemy models of the tables.

There are two groups, each with its own migrations (see ``migrations/``):

* ours: ``activity_metrics``, ``activity_intervals``, ``activity_runs``, ``activity_changes``
  and ``activity_state``, on every database;
* the host's: ``projects``, ``agents``, ``tasks`` and ``turns``. A host brings its own.
  Standalone there is no host, so we create them, and also ``signals``, facts beside
  turns, and ``transcript_files``, the state of the importer. Code that runs on hosts reads
  only the columns not marked "standalone" below.

All instants are ``timestamptz``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from aggregator.metrics.measures import MEASURES, Measure, SqlType

TIMESTAMPTZ_TYPE = DateTime(timezone=True)


class HostId(BigInteger):
    """An id of a host's row: ``integer`` in our own tables, perhaps ``bigint`` in a host's.

    Parameters are sent as ``bigint``, so that either can be compared with them.
    """

    __visit_name__ = "integer"


class Base(DeclarativeBase):
    """Registry of all tables."""


class ActivityMetric(Base):
    """One bucket (UTC hour) of one scope: an agent, a project, or overall.

    Buckets without turns and without time have no row. Apart from its bucket and scope, a
    row has one column for each of :data:`aggregator.metrics.measures.MEASURES`.
    """

    __tablename__ = "activity_metrics"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    bucket_start: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)
    agent_id: Mapped[int | None] = mapped_column(
        HostId, ForeignKey("agents.id", ondelete="CASCADE")
    )
    project_id: Mapped[int | None] = mapped_column(
        HostId, ForeignKey("projects.id", ondelete="CASCADE")
    )
    is_overall: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    # The measures are added below; here they are only typed.
    if TYPE_CHECKING:
        turn_count: Mapped[int]
        avg_turn_time_seconds: Mapped[float | None]
        active_agents: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE, server_default=func.now())

    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(agent_id, project_id) + is_overall::int = 1",
            name="ck_activity_metrics_one_scope",
        ),
        Index(
            "uq_activity_metrics_bucket_scope",
            "bucket_start",
            "agent_id",
            "project_id",
            "is_overall",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_activity_metrics_agent_bucket", "agent_id", "bucket_start"),
        Index("ix_activity_metrics_project_bucket", "project_id", "bucket_start"),
        Index("ix_activity_metrics_overall_bucket", "is_overall", "bucket_start"),
    )


SQL_TYPES: Mapping[SqlType, type[TypeEngine[Any]]] = {
    "integer": Integer,
    "double precision": Float,
}
for _measure in MEASURES:
    setattr(
        ActivityMetric,
        _measure.column,
        mapped_column(
            _measure.column,
            SQL_TYPES[_measure.sql_type],
            nullable=not _measure.required and _measure.default is None,
            server_default=None if _measure.default is None else text(str(_measure.default)),
        ),
    )


def column_of(measure: Measure) -> InstrumentedAttribute[Any]:
    """Column of the model for a measure."""
    column: InstrumentedAttribute[Any] = getattr(ActivityMetric, measure.column)
    return column


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


class ActivityChange(Base):
    """A change that no pass has processed yet: an entry of a queue.

    It is an hour in which a turn was added, deleted or moved (``bucket_start``); a task
    that was deleted or moved to another agent, with all its hours (``task_id``); an agent
    that was deleted or moved to another project, with all its hours (``agent_id``); or,
    if all three are null, every hour. Triggers write it
    (:mod:`aggregator.schema.capture`).
    """

    __tablename__ = "activity_changes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    bucket_start: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    task_id: Mapped[int | None] = mapped_column(BigInteger)
    agent_id: Mapped[int | None] = mapped_column(BigInteger)


class ActivityFingerprint(Base):
    """Fingerprint of the turns of one hour when a pass last saw them.

    Only written where no triggers record changes, see
    :mod:`aggregator.passes.fingerprints`.
    """

    __tablename__ = "activity_fingerprints"

    bucket_start: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE, primary_key=True)
    turn_count: Mapped[int] = mapped_column(BigInteger)
    fingerprint: Mapped[int] = mapped_column(BigInteger)


class ActivityState(Base):
    """State of the aggregator between passes: exactly one row, id 1.

    ``complete_since``: from this instant on, the rows of every hour match its turns,
    except for the changes queued in ``activity_changes``. Null if that is not known.
    ``rebuilt_at``: when every hour was last recomputed.
    """

    __tablename__ = "activity_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last_pass_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    last_pass_seconds: Mapped[float | None] = mapped_column(Float)
    changed_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    retention_days: Mapped[int | None] = mapped_column(Integer)
    complete_since: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    rebuilt_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)

    __table_args__ = (CheckConstraint("id = 1", name="ck_activity_state_one_row"),)


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


class Signal(Base):
    """A fact beside the turns, without any text (standalone): the input of intervals.

    It belongs to the agent of its session, which may be known later. ``until`` is the end of
    a signal that lasts, null while it is open. ``key`` identifies it: a signal is stored
    once, no matter how many transcripts repeat it. Its kinds are those of
    :data:`aggregator.intervals.kinds.SIGNALS`, ``steering``, ``call`` and ``origin``. For
    ``is_copy`` see :class:`Turn`.
    """

    __tablename__ = "signals"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    session_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)
    until: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    source: Mapped[str | None] = mapped_column(Text)
    tool: Mapped[str | None] = mapped_column(Text)
    mode: Mapped[str | None] = mapped_column(Text)
    milliseconds: Mapped[int | None] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(Text, unique=True)
    is_copy: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    __table_args__ = (
        Index("ix_signals_session_end", "session_id", text("coalesce(until, at)")),
        Index("ix_signals_at", "at"),
        Index("ix_signals_until", "until"),
    )


class LiveSession(Base):
    """A session that runs on some machine, or did so (standalone).

    Of sessions with a file of Claude Code ``status`` is what it says, and ``status_at`` when
    that began. ``gone_at`` is when its process was found to be gone; null while it runs.
    ``changed_at`` is when the row last changed.
    """

    __tablename__ = "live_sessions"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    session_id: Mapped[str] = mapped_column(Text, index=True)
    status: Mapped[str] = mapped_column(Text)
    status_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)
    gone_at: Mapped[datetime | None] = mapped_column(TIMESTAMPTZ_TYPE)
    changed_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)


class Watch(Base):
    """A machine that learns of changed transcripts (standalone): by ``events`` or ``polling``.

    ``reason`` says why not by events, if so; ``seen_at`` is when that was last so.
    """

    __tablename__ = "watches"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    machine: Mapped[str] = mapped_column(Text)
    folders: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    seen_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)


class TranscriptFile(Base):
    """Reading position in one transcript (standalone).

    ``read_bytes`` is the offset after the last complete line; ``read_digest`` is
    a digest of the bytes just before it, which reveals a replaced file.
    ``lines`` (not blank) and ``objects`` are counted up to it; ``waiting`` is true
    if an incomplete line follows it. ``skipped`` counts unusable lines by kind.
    ``sessions`` holds facts about sessions by their ids, see
    :class:`aggregator.transcripts.sessions.Session`; ``format`` is the number of the rules
    by which the file was read. ``signals`` holds what later lines need to become signals, see
    :class:`aggregator.transcripts.signals.tracker.Tracker`. Of a sub-agent's file (not ``is_main``)
    only the instants are read.
    """

    __tablename__ = "transcript_files"

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    is_main: Mapped[bool] = mapped_column(Boolean)
    size: Mapped[int] = mapped_column(BigInteger)
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    read_bytes: Mapped[int] = mapped_column(BigInteger)
    read_digest: Mapped[str] = mapped_column(Text)
    lines: Mapped[int] = mapped_column(BigInteger)
    objects: Mapped[int] = mapped_column(BigInteger)
    waiting: Mapped[bool] = mapped_column(Boolean)
    skipped: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sessions: Mapped[dict[str, Any]] = mapped_column(JSONB)
    signals: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    format: Mapped[int] = mapped_column(Integer, server_default=text("1"))


OWN_TABLES = frozenset(
    {
        "activity_metrics",
        "activity_intervals",
        "activity_runs",
        "activity_changes",
        "activity_fingerprints",
        "activity_state",
    }
)
STANDALONE_TABLES = frozenset(
    {
        "projects",
        "agents",
        "tasks",
        "turns",
        "signals",
        "live_sessions",
        "watches",
        "transcript_files",
    }
)
