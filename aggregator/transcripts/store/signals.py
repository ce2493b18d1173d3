"""Store signals from transcripts.

The caller owns the transaction and holds the import lock, so that nobody else writes
signals between the look at the stored ones and their replacement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from aggregator.database.models import Agent, Signal
from aggregator.transcripts.reading import Reading
from aggregator.transcripts.signals import signal as signals
from aggregator.transcripts.signals.tracker import Tracker

KEYS_AT_ONCE = 10_000

_COLUMNS = [getattr(Signal, name) for name in signals.Signal._fields]


def save_signals(conn: Connection, readings: Iterable[Reading]) -> None:
    """Store the signals that were found since they were last saved.

    A signal that is stored already is merged with the new one. The order in which they
    are stored does not matter.
    """
    trackers = [tracker for reading in readings for tracker in reading.trackers.values()]
    if not trackers:
        return
    found: dict[str, signals.Signal] = {}
    for tracker in trackers:
        for signal in tracker.take():
            known = found.get(signal.key)
            found[signal.key] = signals.merged(known, signal) if known else signal
    for keys in _batches(list(found), KEYS_AT_ONCE):
        _merge(conn, {key: found[key] for key in keys})
    _save_open(conn, trackers)
    _save_origins(conn, {tracker.session_id for tracker in trackers})


def _merge(conn: Connection, found: Mapping[str, signals.Signal]) -> None:
    stored = _stored(conn, found)
    result = {
        key: signals.merged(stored[key], signal) if key in stored else signal
        for key, signal in found.items()
    }
    # Rows that do not change are not written: each write has their hours computed again.
    _write(conn, [signal for key, signal in result.items() if signal != stored.get(key)])


def _stored(conn: Connection, keys: Iterable[str]) -> dict[str, signals.Signal]:
    rows = conn.execute(select(*_COLUMNS).where(Signal.key.in_(keys)))
    return {row.key: signals.Signal(*row) for row in rows}


def _write(conn: Connection, changed: list[signals.Signal]) -> None:
    if not changed:
        return
    # One statement with an array for each column: much faster than one for each row.
    arrays = [
        func.unnest(cast(list(values), ARRAY(column.type)))
        for column, values in zip(_COLUMNS, zip(*changed, strict=True), strict=True)
    ]
    stmt = insert(Signal).from_select(signals.Signal._fields, select(*arrays))
    replaced = {name: stmt.excluded[name] for name in signals.Signal._fields if name != "key"}
    conn.execute(stmt.on_conflict_do_update(index_elements=["key"], set_=replaced))


def _save_open(conn: Connection, trackers: Iterable[Tracker]) -> None:
    """Store which calls have no result, as the transcript with a session's last line tells.

    So it does with a message that may go on.
    """
    latest: dict[str, Tracker] = {}
    for tracker in trackers:
        known = latest.get(tracker.session_id, tracker)
        if tracker.last is not None and (known.last is None or tracker.last >= known.last):
            latest[tracker.session_id] = tracker
    ends = conn.execute(
        select(Signal.session_id, func.max(Signal.until))
        .where(Signal.kind == "lines", Signal.session_id.in_(latest))
        .group_by(Signal.session_id)
    )
    told = [latest[session_id] for session_id, until in ends if latest[session_id].last == until]
    found = {signal.key: signal for tracker in told for signal in tracker.open_signals()}
    rows = conn.execute(
        select(*_COLUMNS).where(
            Signal.kind.in_(("call", "message")),
            Signal.until.is_(None),
            Signal.session_id.in_([tracker.session_id for tracker in told]),
        )
    )
    stored = {row.key: signals.Signal(*row) for row in rows}
    if gone := stored.keys() - found.keys():
        conn.execute(delete(Signal).where(Signal.key.in_(gone)))
    _write(conn, [signal for key, signal in found.items() if signal != stored.get(key)])


def _save_origins(conn: Connection, sessions: Iterable[str]) -> None:
    """Set which program started the agents of these sessions."""
    origins = (
        select(Signal.session_id, func.min(Signal.source).label("origin"))
        .where(Signal.kind == "origin", Signal.session_id.in_(sessions))
        .group_by(Signal.session_id)
        .subquery()
    )
    conn.execute(
        update(Agent)
        .where(
            Agent.session_id == origins.c.session_id,
            Agent.origin.is_distinct_from(origins.c.origin),
        )
        .values(origin=origins.c.origin)
    )


def _batches(keys: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]
