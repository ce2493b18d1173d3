"""Spans of lines: from the first to the last line without a silence between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aggregator.transcripts.signals.signal import SILENCE_AFTER, Kind, Signal


@dataclass(slots=True)
class Span:
    """A span that may go on.

    Changed in place, since nearly every line of a transcript lengthens one.

    Attributes:
        key: Identity of its signal.
        kind: Kind of its signal.
        session_id: Its session.
        at: Instant of its first line, in UTC.
        until: Instant of its last line, in UTC.
        source: What its last line is; None if lines of the last instant differ in that.
        is_new: Whether it has changed since it was last taken.
    """

    key: str
    kind: Kind
    session_id: str
    at: datetime
    until: datetime
    source: str | None = None
    is_new: bool = True

    def grow(self, at: datetime, source: str | None) -> bool:
        """Extend the span to a line; return False if a silence lies between them."""
        if at > self.until:
            if at - self.until > SILENCE_AFTER and self.kind != "work":
                return False
            self.until, self.source, self.is_new = at, source, True
        elif at < self.at:
            if self.at - at > SILENCE_AFTER and self.kind != "work":
                return False
            self.at, self.is_new = at, True
        if at == self.until and source != self.source:
            self.source, self.is_new = None, True
        return True

    def signal(self) -> Signal:
        """Signal of the span as it is now."""
        return Signal(self.key, self.kind, self.session_id, self.at, self.until, self.source)


@dataclass(slots=True)
class Spans:
    """Spans of one session.

    Attributes:
        going_on: Last span of each name: ``lines``, ``work``, or a sub-agent.
        ended: Spans that ended since the last :meth:`take`.
    """

    going_on: dict[str, Span] = field(default_factory=dict)
    ended: list[Span] = field(default_factory=list)

    def grow(self, name: str, at: datetime, source: str | None = None) -> bool:
        """Extend a span to a line; return False if the line begins another one.

        Args:
            name: Name of the span.
            at: Instant of the line, in UTC.
            source: What the line is for the span.
        """
        span = self.going_on.get(name)
        return span is not None and span.grow(at, source)

    def begin(self, name: str, span: Span) -> None:
        """Begin a span, and end the one of this name."""
        self.close(name)
        self.going_on[name] = span

    def close(self, *names: str) -> None:
        """End spans: the next line begins another one."""
        for name in names:
            span = self.going_on.pop(name, None)
            if span is not None and span.is_new:
                self.ended.append(span)

    def take(self) -> Iterator[Signal]:
        """Return the spans that began, grew or ended since the last call."""
        changed = [*self.ended, *(span for span in self.going_on.values() if span.is_new)]
        self.ended = []
        for span in changed:
            span.is_new = False
            yield span.signal()

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values, apart from what :meth:`take` returns."""
        return {name: span.signal().to_json() for name, span in self.going_on.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Sequence[Any]]) -> Spans:
        """Restore spans from :meth:`to_json`."""
        spans = {}
        for name, value in values.items():
            key, kind, session_id, at, until, source, *_ = Signal.from_json(value)
            spans[name] = Span(key, kind, session_id, at, until or at, source, is_new=False)
        return cls(spans)
