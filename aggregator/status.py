"""What is running, what there is, and how fresh it is."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Text, cast, func, select, text

from aggregator.database import shown
from aggregator.import_store import import_totals
from aggregator.models import ActivityMetric, ActivityState, Agent, Project, Turn

_RUNNING = text(
    """
    SELECT application_name, datname, min(backend_start) FROM pg_stat_activity
    WHERE application_name LIKE 'headspace-activity %' AND pid <> pg_backend_pid()
    GROUP BY application_name, datname ORDER BY 3
    """
)


def read_status(conn: Connection, now: datetime) -> dict[str, Any]:
    """Facts about a standalone database, ready for JSON.

    ``database``, its address without the password; ``running``, the processes of this
    program that are connected now; counts of projects, agents and turns by actor;
    ``newest_turn_at``; ``buckets``, the distinct hours with metrics; ``metric_rows``;
    ``last_pass`` and ``lag_seconds``, the time since; ``import``, see
    :func:`aggregator.import_store.import_totals`. Instants are ISO 8601, UTC.
    """
    by_actor: dict[str, int] = dict(
        conn.execute(
            select(func.lower(cast(Turn.actor, Text)), func.count()).group_by(Turn.actor)
        ).all()
    )
    last = conn.execute(
        select(ActivityState.last_pass_at, ActivityState.last_pass_seconds)
    ).one_or_none()
    last_at = last.last_pass_at if last else None
    newest = conn.scalar(select(func.max(Turn.timestamp)))
    return {
        "database": shown(conn.engine.url),
        "running": _running(conn),
        "projects": _count(conn, Project),
        "agents": _count(conn, Agent),
        "turns": {"user": by_actor.get("user", 0), "agent": by_actor.get("agent", 0)},
        "newest_turn_at": newest and newest.isoformat(),
        "buckets": conn.scalar(select(func.count(ActivityMetric.bucket_start.distinct()))),
        "metric_rows": _count(conn, ActivityMetric),
        "last_pass": {
            "at": last_at and last_at.isoformat(),
            "seconds": last and last.last_pass_seconds,
        },
        "lag_seconds": (now - last_at).total_seconds() if last_at else None,
        "import": import_totals(conn),
    }


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
                    "since": since.isoformat(),
                }
            )
    return processes
