"""Tables of the importer of transcripts, standalone only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from aggregator.database.models.base import TIMESTAMPTZ_TYPE, Base


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
