"""Store which sessions run on this machine, for every process that shows states."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from aggregator.database.models import LiveSession
from aggregator.intervals.kinds import EXIT_LASTS
from aggregator.sessions.files import SessionFile, read_session_files
from aggregator.sessions.processes import Candidate, gone_sessions

KEPT_FOR = timedelta(days=2)
"""Rows of sessions that are gone are deleted after this time, when nobody asks for them."""
SILENT_FOR = timedelta(minutes=1)
"""A session may be gone without a trace if it has been silent for longer."""
LOOKED_AT = timedelta(hours=24)

# A session without a file: it may run, as far as anything stored says.
_CANDIDATES = text(
    """
    SELECT agents.session_id, agents.cwd, lines.last FROM agents
    JOIN LATERAL (
        SELECT max(until) AS last, max(at) FILTER (WHERE kind = 'exit') AS left_at
        FROM signals WHERE signals.session_id = agents.session_id AND kind IN ('lines', 'exit')
            AND coalesce(until, at) > :since
    ) AS lines ON lines.last IS NOT NULL
    WHERE agents.cwd IS NOT NULL AND (left_at IS NULL OR left_at < lines.last - :exit_lasts)
        AND NOT EXISTS (
            SELECT FROM live_sessions AS live WHERE live.session_id = agents.session_id
                AND (live.gone_at IS NULL OR live.gone_at >= lines.last)
        )
    """
)


def note_session_files(conn: Connection, folders: Iterable[Path], now: datetime) -> bool:
    """Store what the files of these folders say; return whether anything has changed.

    A file whose process is gone when it is first seen says nothing. A session that was
    seen alive, and whose file or process is gone now, is marked as gone. A file that cannot
    be read at the moment changes nothing. While a status stays, so does its instant.
    """
    changed = [_note_folder(conn, folder, now) for folder in folders]
    return any(changed)


def _note_folder(conn: Connection, folder: Path, now: datetime) -> bool:
    files, unreadable = read_session_files(folder)
    prefix = f"{socket.gethostname()}:{folder}:"
    stored = {
        row.key: row
        for row in conn.execute(
            select(*LiveSession.__table__.c).where(
                LiveSession.key.startswith(prefix, autoescape=True)
            )
        )
    }
    alive = {f"{prefix}{file.pid}:{file.session_id}": file for file in files if file.is_alive}
    untold = tuple(f"{prefix}{pid}:" for pid in unreadable)
    gone = [
        key
        for key, row in stored.items()
        if row.gone_at is None and key not in alive and not key.startswith(untold)
    ]
    new = [
        _row(key, file, now)
        for key, file in alive.items()
        if key not in stored or _differs(stored[key], file)
    ]
    _write(conn, new)
    if gone:
        conn.execute(
            update(LiveSession).where(LiveSession.key.in_(gone)).values(gone_at=now, changed_at=now)
        )
    return bool(gone or new)


def _differs(row: Row[Any], file: SessionFile) -> bool:
    return row.gone_at is not None or row.status != file.status


def _row(key: str, file: SessionFile, now: datetime) -> dict[str, Any]:
    told = {"key": key, "session_id": file.session_id, "status": file.status}
    return {**told, "status_at": min(file.since, now), "gone_at": None, "changed_at": now}


def _write(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    statement = insert(LiveSession)
    replaced = {name: statement.excluded[name] for name in rows[0] if name != "key"}
    conn.execute(statement.on_conflict_do_update(index_elements=["key"], set_=replaced), list(rows))


def note_gone_processes(conn: Connection, now: datetime) -> bool:
    """Mark the sessions without a file that are certainly gone; return whether there are any.

    See :func:`aggregator.sessions.processes.gone_sessions`. Also deletes what is old.
    """
    conn.execute(delete(LiveSession).where(LiveSession.gone_at < now - KEPT_FOR))
    rows = conn.execute(_CANDIDATES, {"since": now - LOOKED_AT, "exit_lasts": EXIT_LASTS}).all()
    last = {row.session_id: row.last for row in rows}
    gone = [
        session
        for session in gone_sessions(Candidate(row.session_id, row.cwd) for row in rows)
        if now - last[session] > SILENT_FOR
    ]
    told = {"status": "", "gone_at": now, "changed_at": now}
    machine = socket.gethostname()
    _write(
        conn,
        [
            {
                **told,
                "key": f"{machine}::{session}",
                "session_id": session,
                "status_at": last[session],
            }
            for session in gone
        ],
    )
    return bool(gone)
