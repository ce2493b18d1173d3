"""Read and write the only row of ``activity_state``: the state between passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from aggregator.database.models import ActivityState


def mark_incomplete_before(conn: Connection, before: datetime) -> None:
    """Record that rows older than an instant may be missing."""
    conn.execute(
        update(ActivityState)
        .where(ActivityState.complete_since < before)
        .values(complete_since=before)
    )


def mark_complete_since(conn: Connection, since: datetime) -> None:
    """Record that every hour from an instant on is correct, except for queued changes.

    Says nothing about hours that a pass has pruned meanwhile.
    """
    known = func.greatest(ActivityState.complete_since, since)
    conn.execute(update(ActivityState).values(complete_since=known))


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the metrics, to detect changes without reading the metrics.

    Attributes:
        as_of: When the version was read.
        changed_at: When a pass last changed a metric, or None before the first change.
        last_pass_at: When the table was last brought up to date, or None.
        sessions_at: When it last changed which sessions run, and how; None on a host.
        live: How the importer learns of changes: ``events``, ``polling``, or empty where it
            does not, as on a host.
        live_reason: Why not by events; may be empty.
    """

    as_of: datetime
    changed_at: datetime | None
    last_pass_at: datetime | None
    sessions_at: datetime | None = None
    live: str = ""
    live_reason: str = ""

    @property
    def facts(self) -> tuple[datetime | None, ...]:
        """The facts that decide, together with the present, about all that is shown."""
        return self.changed_at, self.last_pass_at, self.sessions_at


def read_version(conn: Connection, now: datetime) -> Version:
    """Read the version of the metrics: one row by its key."""
    found = conn.execute(
        select(ActivityState.changed_at, ActivityState.last_pass_at).where(ActivityState.id == 1)
    ).one_or_none()
    return Version(now, *(found or (None, None)))


def save_state(conn: Connection, at: datetime, *, changed: bool, **values: Any) -> None:
    """Write columns of ``activity_state``.

    Args:
        conn: A connection.
        at: The present.
        changed: Whether metrics have changed; sets ``changed_at``.
        values: Other columns, by name.
    """
    if changed:
        values["changed_at"] = at
    conn.execute(
        insert(ActivityState)
        .values(id=1, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


def last_retention_days(conn: Connection) -> int | None:
    """Return the retention of the last pass in days, or None before the first pass."""
    return conn.scalar(select(ActivityState.retention_days))


def last_pass_at(conn: Connection) -> datetime | None:
    """Return the instant of the last pass, or None before the first pass."""
    return conn.scalar(select(ActivityState.last_pass_at))


def last_rebuild_at(conn: Connection) -> datetime | None:
    """Return the instant when every hour was last recomputed, or None if it never was."""
    return conn.scalar(select(ActivityState.rebuilt_at))
