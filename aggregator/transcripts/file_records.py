"""Store how far each transcript has been read.

The caller owns the transaction and holds the import lock.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, Text, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from aggregator.database.models import TranscriptFile
from aggregator.transcripts.discovery import storable_name
from aggregator.transcripts.reading import UNREADABLE, Reading


class FileStatus(NamedTuple):
    """Status of a transcript when it was last read.

    Attributes:
        size: Size in bytes.
        modified_ns: Time of the last change in ns since 1970.
        format: Number of the rules by which it was read.
    """

    size: int
    modified_ns: int
    format: int


def load_readings(conn: Connection, names: Sequence[str]) -> dict[str, Reading]:
    """Load the saved state of these files, by path."""
    rows = conn.execute(select(*TranscriptFile.__table__.c).where(TranscriptFile.path.in_(names)))
    return {row.path: Reading.from_row(row._asdict()) for row in rows}


def save_readings(conn: Connection, readings: Iterable[Reading]) -> None:
    """Save the state of files that have been read."""
    rows = [reading.to_row() for reading in readings]
    if not rows:
        return
    stmt = insert(TranscriptFile)
    replaced = {name: stmt.excluded[name] for name in rows[0] if name != "path"}
    conn.execute(stmt.on_conflict_do_update(index_elements=["path"], set_=replaced), rows)


def load_file_stats(conn: Connection, names: Iterable[str] | None = None) -> dict[str, FileStatus]:
    """Load the status of some files, or of all, when last seen, by path."""
    known = TranscriptFile
    stats = select(known.path, known.size, known.modified_ns, known.format)
    if names is not None:
        stats = stats.where(known.path.in_(names))
    return {path: FileStatus(*status) for path, *status in conn.execute(stats)}


def forget_unreadable(conn: Connection, folders: Iterable[Path], present: Container[str]) -> None:
    """Forget unreadable files below these folders that no longer exist."""
    unreadable = conn.scalars(
        select(TranscriptFile.path).where(TranscriptFile.skipped.has_key(UNREADABLE))
    ).all()
    below = tuple(os.path.join(storable_name(folder), "") for folder in folders)
    gone = [path for path in unreadable if path.startswith(below) and path not in present]
    if not gone:
        return
    is_gone, without = TranscriptFile.path.in_(gone), TranscriptFile.skipped.op("-")
    conn.execute(delete(TranscriptFile).where(is_gone, TranscriptFile.read_bytes == 0))
    conn.execute(
        update(TranscriptFile).where(is_gone).values(skipped=without(literal(UNREADABLE, Text)))
    )
