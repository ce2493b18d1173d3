"""Tables of passes: hours to recompute, fingerprints, and the state."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    Integer,
)
from sqlalchemy.orm import Mapped, mapped_column

from aggregator.database.models.base import TIMESTAMPTZ_TYPE, Base


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
