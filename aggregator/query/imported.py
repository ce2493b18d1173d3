"""Count what the importer has read, and tell how it learns of changes.

Apart from the importer, whose packages a host need not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, cast, func, inspect, select, true

from aggregator.database.models import TranscriptFile, Watch

SEEN_WITHIN = timedelta(minutes=5)
"""A machine that has not told for longer how it learns of changes does not do so now."""


def import_totals(conn: Connection) -> dict[str, Any] | None:
    """Count what has been read so far, over all files ever found.

    Returns:
        ``files``, readable or not; ``files_main``, the main files that were read;
        ``lines`` (not blank) and ``objects`` in them; ``waiting``, the files that end in
        an incomplete line; and ``skipped``, the number of unusable lines by kind. None
        on a host, which imports nothing and has no such table.
    """
    if not inspect(conn).has_table(TranscriptFile.__tablename__):
        return None
    is_main = TranscriptFile.is_main
    totals = conn.execute(
        select(
            func.count().label("files"),
            func.count().filter(is_main).label("files_main"),
            func.coalesce(func.sum(TranscriptFile.lines).filter(is_main), 0).label("lines"),
            func.coalesce(func.sum(TranscriptFile.objects).filter(is_main), 0).label("objects"),
            func.count().filter(TranscriptFile.waiting, is_main).label("waiting"),
        )
    ).one()
    kinds = func.jsonb_each_text(TranscriptFile.skipped).table_valued("key", "value")
    skipped = conn.execute(
        select(kinds.c.key, func.sum(cast(kinds.c.value, BigInteger)))
        .select_from(TranscriptFile)
        .join(kinds, true())
        .group_by(kinds.c.key)
        .order_by(kinds.c.key)
    )
    return {
        **{name: int(number) for name, number in totals._mapping.items()},
        "skipped": {kind: int(count) for kind, count in skipped},
    }


def read_watches(conn: Connection, now: datetime) -> Sequence[Row[str, str, str, str]]:
    """Read how machines learn of changed transcripts now (standalone), polling ones first.

    Returns:
        Rows of ``machine``, ``folders``, ``mode`` (``events`` or ``polling``) and ``reason``,
        which is empty where nothing forbids events.
    """
    return conn.execute(
        select(Watch.machine, Watch.folders, Watch.mode, Watch.reason)
        .where(Watch.seen_at > now - SEEN_WITHIN)
        .order_by(Watch.mode.desc(), Watch.key)
    ).all()
