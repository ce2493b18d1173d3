"""Read Claude Code's files about the sessions that run now: ``<config>/sessions/<pid>.json``.

Interactive sessions of 2.1.139 and later write them. They are not documented: whatever is
missing or unknown is no error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from aggregator.transcripts.parser import LONGEST_ID, parse_timestamp, storable

LONGEST_STATUS = 40
CLOCK_STEP = timedelta(seconds=2)
"""Allowed difference between the start of a process and the time in its file."""
MILLISECONDS_FROM = 1e11
"""A greater number is in milliseconds since 1970, a smaller one in seconds."""


class SessionFile(NamedTuple):
    """Content of one file.

    Attributes:
        pid: Process of the session.
        session_id: The session.
        status: Its status, such as ``busy``, ``idle``, ``waiting`` or ``shell``; empty if
            the file has none.
        since: When it took the status, in UTC.
        is_alive: Whether that process still runs.
    """

    pid: int
    session_id: str
    status: str
    since: datetime
    is_alive: bool


def sessions_folders(transcripts: Iterable[Path]) -> tuple[Path, ...]:
    """Return the folders with files about sessions that belong to folders of transcripts."""
    found = (folder.parent / "sessions" for folder in transcripts if folder.name == "projects")
    return tuple(dict.fromkeys(found))


def read_session_files(folder: Path) -> tuple[list[SessionFile], set[int]]:
    """Read all files of a folder, which need not exist.

    Returns:
        The files, and the processes of those that cannot be read now, such as a file that
        is half written.
    """
    found: list[SessionFile] = []
    unreadable: set[int] = set()
    for path in sorted(folder.glob("*.json")):
        if not path.stem.isascii() or not path.stem.isdigit():
            continue
        pid = int(path.stem)
        try:
            file = _read(path, pid)
        except FileNotFoundError:
            continue
        except (OSError, ValueError):
            file = None
        if file is None:
            unreadable.add(pid)
        else:
            found.append(file)
    return found, unreadable


def _read(path: Path, pid: int) -> SessionFile | None:
    # Bytes: the encoding is decided by the content, and a bad one is a ValueError.
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        return None
    session_id = storable(content.get("sessionId"), LONGEST_ID)
    if session_id is None:
        return None
    modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    since = _instant(content.get("statusUpdatedAt")) or modified
    status = storable(content.get("status"), LONGEST_STATUS) or ""
    return SessionFile(pid, session_id, status, since, _is_alive(pid, since))


def _instant(value: Any) -> datetime | None:
    if isinstance(value, str):
        return parse_timestamp(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = value / 1000 if value > MILLISECONDS_FROM else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _is_alive(pid: int, since: datetime) -> bool:
    """Return whether the process that wrote a status at an instant still runs."""
    try:
        process = psutil.Process(pid)
        started = datetime.fromtimestamp(process.create_time(), UTC)
        # A process that is younger than its status has only been given the same number.
        return started <= since + CLOCK_STEP and process.status() != psutil.STATUS_ZOMBIE
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, OverflowError, ValueError):
        return False
