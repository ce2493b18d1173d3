"""The only row of ``activity_state``: what the last pass did, and how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from aggregator.database.models import ActivityState


def forget_before(conn: Connection, before: datetime) -> None:
    """Note that rows older than an instant may be missing."""
    conn.execute(
        update(ActivityState)
        .where(ActivityState.complete_since < before)
        .values(complete_since=before)
    )


def trust_from(conn: Connection, since: datetime) -> None:
    """Note that every hour has been recomputed, but for changes in the queue.

    Of what a pass has pruned meanwhile it is not said.
    """
    known = func.greatest(ActivityState.complete_since, since)
    conn.execute(update(ActivityState).values(complete_since=known))


@dataclass(frozen=True, slots=True)
class Version:
    """Tells without reading any metrics whether they are still the same.

    Attributes:
        as_of: The moment of the question.
        changed_at: When a pass last changed a metric, or None before the first change.
        last_pass_at: When the table was last brought up to date, or None.
    """

    as_of: datetime
    changed_at: datetime | None
    last_pass_at: datetime | None


def read_version(conn: Connection, now: datetime) -> Version:
    """Read how fresh the metrics are, one row by its key."""
    found = conn.execute(
        select(ActivityState.changed_at, ActivityState.last_pass_at).where(ActivityState.id == 1)
    ).one_or_none()
    return Version(now, *(found or (None, None)))


def save_state(conn: Connection, at: datetime, *, changed: bool, **values: Any) -> None:
    """Write columns of ``activity_state``.

    Args:
        conn: A connection.
        at: The present.
        changed: Whether rows of metrics have changed, which sets ``changed_at``.
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
    """The retention of the last pass in days, or None before the first."""
    return conn.scalar(select(ActivityState.retention_days))


def last_pass_at(conn: Connection) -> datetime | None:
    """When the last pass was, or None before the first."""
    return conn.scalar(select(ActivityState.last_pass_at))


def last_rebuild_at(conn: Connection) -> datetime | None:
    """When every hour was last recomputed, or None before the first time."""
    return conn.scalar(select(ActivityState.rebuilt_at))
