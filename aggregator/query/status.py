"""Read the status of a database: running processes, counts, and the last pass."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select, text

from aggregator.database.engine import display_url
from aggregator.database.facts import has_signals
from aggregator.database.models import (
    ActivityMetric,
    ActivityState,
    Agent,
    Project,
    Turn,
)
from aggregator.database.source import STANDALONE, Source
from aggregator.query.imported import import_totals, read_watches
from aggregator.schema.capture import is_installed

_RUNNING = text(
    """
    SELECT application_name, datname, min(backend_start) FROM pg_stat_activity
    WHERE application_name LIKE 'headspace-activity %' AND pid <> pg_backend_pid()
    GROUP BY application_name, datname ORDER BY 3
    """
)


def read_status(conn: Connection, now: datetime, source: Source = STANDALONE) -> dict[str, Any]:
    """Read facts about a database, ready for JSON.

    ``database``, its address without the password; ``running``, the connected processes
    of this program; counts of projects, agents and turns by actor; ``newest_turn_at``;
    ``buckets``, the distinct hours with metrics; ``metric_rows``; ``last_pass`` and
    ``lag_seconds``, the time since then; ``changes_captured``, whether triggers record
    which hours a pass has to recompute; ``live``, how each machine learns of changed
    transcripts, by its name and folders; ``import``, see
    :func:`aggregator.query.imported.import_totals`, None on a host, which imports nothing.
    Instants are ISO 8601, UTC.
    """
    actor = func.lower(cast(Turn.actor, Text))
    by_actor: dict[str, int] = dict(conn.execute(select(actor, func.count()).group_by(actor)).all())
    last = conn.execute(
        select(ActivityState.last_pass_at, ActivityState.last_pass_seconds)
    ).one_or_none()
    last_at = last.last_pass_at if last else None
    newest = conn.scalar(select(func.max(source.turn_at)).select_from(Turn))
    return {
        "database": display_url(conn.engine.url),
        "running": _running(conn),
        "projects": _count(conn, Project),
        "agents": _count(conn, Agent),
        "turns": {"user": by_actor.get("user", 0), "agent": by_actor.get("agent", 0)},
        "newest_turn_at": _iso(newest),
        "buckets": conn.scalar(select(func.count(ActivityMetric.bucket_start.distinct()))),
        "metric_rows": _count(conn, ActivityMetric),
        "last_pass": {
            "at": _iso(last_at),
            "seconds": last and last.last_pass_seconds,
        },
        "lag_seconds": (now - last_at).total_seconds() if last_at else None,
        "changes_captured": is_installed(conn, source),
        "live": _watches(conn, now) if has_signals(conn) else None,
        "import": import_totals(conn),
    }


def _watches(conn: Connection, now: datetime) -> dict[str, str]:
    return {
        f"{watch.machine}: {watch.folders}": f"{watch.mode}, because {watch.reason}"
        if watch.reason
        else watch.mode
        for watch in read_watches(conn, now)
    }


def _iso(at: datetime | None) -> str | None:
    # Sessions of a host may use another time zone.
    return at.astimezone(UTC).isoformat() if at else None


def _count(conn: Connection, model: type) -> int:
    return conn.scalar(select(func.count()).select_from(model)) or 0


def _running(conn: Connection) -> list[dict[str, Any]]:
    processes = []
    for name, database, since in conn.execute(_RUNNING):
        match = re.fullmatch(r"headspace-activity (\S+) \((\d+)\)", name)
        if match:
            processes.append(
                {
                    "command": match[1],
                    "pid": int(match[2]),
                    "database": database,
                    "since": _iso(since),
                }
            )
    return processes
