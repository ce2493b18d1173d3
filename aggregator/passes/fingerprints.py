"""Fingerprints of hours: find changed hours where no triggers record them.

The fingerprint of an hour is the sum of a 64-bit hash of each of its turns, of everything
that metrics depend on: its id, agent, project, author, intent and instant. A pass compares the
present fingerprints with those of the last one, in the database, so that it fetches the
turns of changed hours only. An hour also counts as changed if its overall row is missing or
has another number of turns. That two different sets of turns have the same fingerprint, and
the same number of turns, is as unlikely as 1 in 2⁶³; the daily rebuild would correct it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text

from aggregator.database.facts import BEGINNING_OF_TIME
from aggregator.database.models import ActivityFingerprint
from aggregator.database.source import Source
from aggregator.database.turns import END_OF_TIME

_COMPARE = """
    WITH present AS (
        SELECT date_trunc('hour', {at}, 'UTC') AS bucket_start, count(*) AS turn_count,
            (sum(hash_record_extended(
                ROW(
                    turns.id, agents.id, agents.project_id, lower(turns.actor::text), {intent}, {at}
                ), 0
            )::numeric) % 9223372036854775807)::bigint AS fingerprint
        FROM turns
        JOIN {tasks} AS tasks ON tasks.id = {task}
        JOIN agents ON agents.id = tasks.agent_id
        JOIN projects ON projects.id = agents.project_id
        WHERE {at} >= :since AND {at} < :until
        GROUP BY 1
    ), differing AS (
        SELECT bucket_start, present.turn_count, present.fingerprint
        FROM present FULL JOIN activity_fingerprints AS stored USING (bucket_start)
        FULL JOIN (
            SELECT bucket_start, turn_count FROM activity_metrics
            WHERE is_overall AND bucket_start >= :horizon AND bucket_start < :until
        ) AS overall USING (bucket_start)
        WHERE (present.turn_count, present.fingerprint)
            IS DISTINCT FROM (stored.turn_count, stored.fingerprint)
            OR bucket_start >= :horizon
            AND coalesce(overall.turn_count, 0) <> coalesce(present.turn_count, 0)
    ), gone AS (
        DELETE FROM activity_fingerprints WHERE bucket_start IN (
            SELECT bucket_start FROM differing WHERE fingerprint IS NULL
        )
    ), written AS (
        INSERT INTO activity_fingerprints (bucket_start, turn_count, fingerprint)
        SELECT * FROM differing WHERE fingerprint IS NOT NULL
        ON CONFLICT (bucket_start) DO UPDATE
            SET turn_count = excluded.turn_count, fingerprint = excluded.fingerprint
    )
    SELECT bucket_start FROM differing
    """


def take_changed_hours(conn: Connection, horizon: datetime, source: Source) -> set[datetime] | None:
    """Find the hours whose turns have changed since the last call, and note them.

    Hours before the retention, too: an interval that reaches into it may depend on them.

    The caller recomputes these hours in the same transaction, from turns that it reads
    later. So a turn that is written in between is either read now, or makes the hour
    differ the next time.

    Args:
        conn: A connection in a READ COMMITTED transaction.
        horizon: First retained hour.
        source: Columns of the turns and agents in this database.

    Returns:
        The hours, in UTC; None if no fingerprint is known, so that all hours count as
        changed.
    """
    known = conn.scalars(select(func.count()).select_from(ActivityFingerprint)).one()
    statement = text(
        _COMPARE.format(
            at=source.turn_at_of("turns"),
            intent=source.turn_intent_of("turns"),
            tasks=source.task_table,
            task=source.turn_task_of("turns"),
        )
    )
    hours = set(
        conn.scalars(
            statement, {"since": BEGINNING_OF_TIME, "horizon": horizon, "until": END_OF_TIME}
        )
    )
    return hours if known else None


def forget_fingerprints(
    conn: Connection, since: datetime | None = None, until: datetime | None = None
) -> None:
    """Forget the fingerprints of hours in ``[since, until)``; None for no limit.

    Whatever writes metrics without comparing fingerprints has to: a change that it has seen
    may be undone before the next pass, which would find the fingerprint as it was.
    """
    hour = ActivityFingerprint.bucket_start
    limits = [hour >= since] if since else []
    conn.execute(delete(ActivityFingerprint).where(*limits, *([hour < until] if until else [])))
