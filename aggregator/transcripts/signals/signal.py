"""Signals: facts that transcripts tell beside turns, from which intervals are computed.

A signal has a kind, one or two instants, and names such as that of a tool. It holds no
text of prompts, replies, calls or results.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

from aggregator.transcripts.parser import parse_timestamp

Kind = Literal[
    "trigger", "steering", "duration", "interruption", "stop", "limit", "exit",
    "lines", "work", "subagent", "call", "background", "origin", "message",
]  # fmt: skip

SILENCE_AFTER = timedelta(seconds=600)
"""A longer gap between two lines is a silence, at which spans of lines end."""
SPANS = frozenset({"lines", "work", "subagent"})
REPLY = "reply"


class Signal(NamedTuple):
    """One fact about a session.

    Attributes:
        key: Identity across all transcripts.
        kind: What it tells.
        session_id: Session that it belongs to.
        at: Its instant, or the beginning of its span, in UTC.
        until: End of its span; None if it has none, or if it is not known yet.
        source: What it comes from, such as the sort of trigger.
        tool: Name of the tool.
        mode: Permission mode.
        milliseconds: Measured duration.
        is_copy: Whether its line says that it was copied from another session.
    """

    key: str
    kind: Kind
    session_id: str
    at: datetime
    until: datetime | None = None
    source: str | None = None
    tool: str | None = None
    mode: str | None = None
    milliseconds: int | None = None
    is_copy: bool = False

    def to_json(self) -> list[Any]:
        """Convert to a list of JSON values."""
        return [_json(value) for value in self]

    @classmethod
    def from_json(cls, values: Sequence[Any]) -> Signal:
        """Restore a signal from :meth:`to_json`."""
        at, until = instant_of(values[3]), parse_timestamp(values[4])
        return cls(*values)._replace(at=at, until=until)


def merged(one: Signal, other: Signal) -> Signal:
    """Return one signal for two with the same key. Their order does not matter.

    Spans are joined. Of others the original stays, as for turns, with the earliest end
    that a transcript told.
    """
    if one.kind in SPANS:
        return _joined(one, other)
    first = min(one, other, key=_rank)
    ends = [signal.until for signal in (one, other) if signal.until is not None]
    return first._replace(until=min(ends, default=None))


def _joined(one: Signal, other: Signal) -> Signal:
    """Join two spans; the source is that of the later end, and of both if they end together."""
    ends = one.until or one.at, other.until or other.at
    later = one if ends[0] >= ends[1] else other
    is_tie = ends[0] == ends[1] and one.source != other.source
    source = None if is_tie else later.source
    return one._replace(at=min(one.at, other.at), until=max(ends), source=source)


def _rank(signal: Signal) -> tuple[Any, ...]:
    """Order among signals of one key, of which the smallest is the original."""
    rest = (signal.source, signal.tool, signal.mode, signal.milliseconds)
    return signal.is_copy, signal.at, signal.session_id, [str(value or "") for value in rest]


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def instant_of(value: str) -> datetime:
    """Restore an instant that was saved as text, in UTC."""
    return datetime.fromisoformat(value).astimezone(UTC)
