"""Contents of views that requests share: one of them has a view read and drawn for all.

A view and its viewer decide about a content as long as the version of the numbers stays the
same. Pages that stay open keep it that long; so may all others that ask for the same view, by
opening a page, with a control, or because numbers have changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from plotly.io.json import config, to_json_plotly

from aggregator.metrics.windows import floor_minute
from aggregator.query.reader import MetricReader
from dashboard.context import Clock
from dashboard.selection.answer import Viewer
from dashboard.selection.view import View
from dashboard.single_flight import Places, SingleFlight

try:
    from orjson import Fragment
except ImportError:  # A host may have none, or an old one.
    Fragment = None  # type: ignore[assignment, misc]

KEPT = 16
"""Number of contents in memory, of one to three megabytes each."""
AT_ONCE = 2
"""Contents that are made at once: one may compute while the other waits for the database."""
PATIENCE = 5.0
"""Seconds to wait for one of these places; then a content is made without one."""
LATE = timedelta(seconds=30)
"""Age up to which a content of an earlier version is shown by a busy server."""
SLOW = 2.0
"""Seconds that a content takes to make, from which on a person should not wait for it."""
PAUSES = 4
"""A content that takes so long is made for news after so many times as long.

But after half of ``LATE`` at the latest, so that a new one is there before the last is too old.
"""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A view as it was drawn, to be read only.

    Attributes:
        content: The content of elements, by the names of the callback's outputs: each in JSON
            already if Dash can pass that on, but for ``version``, see
            :func:`dashboard.page.freshness.freshness`.
        problems: Sentences about requested things that do not exist.
        name: Name of the scope that is shown.
    """

    content: dict[str, Any]
    problems: tuple[str, ...]
    name: str

    @classmethod
    def of(cls, content: Mapping[str, Any], problems: tuple[str, ...], name: str) -> Drawn:
        """Serialize a content, once for all who will ask for it."""
        parts = {part: _serialized(value) for part, value in content.items()}
        return cls({**parts, "version": content["version"]}, problems, name)

    @property
    def read_at(self) -> datetime:
        """The instant at which it was read."""
        return datetime.fromisoformat(self.content["version"]["as_of"])

    def holds(self, as_of: datetime) -> bool:
        """Return whether it is still true, if only time has passed."""
        return self.read_at <= as_of < datetime.fromisoformat(self.content["version"]["stale_at"])

    def seen(self, as_of: datetime) -> Drawn:
        """Return it as of a later instant; the browser sets its clocks by that."""
        version = {**self.content["version"], "as_of": as_of.isoformat()}
        return replace(self, content={**self.content, "version": version})


Maker = Callable[[View, Viewer, datetime], Drawn]
"""Reads and draws a view for a viewer, as of the present."""


class SharedContents:
    """The contents of the views that were asked for last.

    Args:
        make: Makes a content.
        reader: Reads the version of the numbers.
        now: The clock.
    """

    def __init__(self, make: Maker, reader: MetricReader, now: Clock) -> None:
        self._make = make
        self._reader = reader
        self._now = now
        self._known = lru_cache(maxsize=KEPT)(_Known)
        self._flights = SingleFlight()
        self._places = Places(AT_ONCE, PATIENCE)

    def are_being_made(self) -> bool:
        """Return whether any content is made at this moment."""
        return self._places.free < AT_ONCE

    def content(self, view: View, viewer: Viewer, *, are_news: bool = False) -> Drawn:
        """Return the content of a view, with the numbers of the present version.

        It may be of an earlier version if it was read in the last seconds and the server is
        busy: it makes a content at this moment, or this one took long to make. Then nobody
        waits for it, and news come after a pause. Many changes and many pages cost a bounded
        part of the server's time, and threads for those who can be answered. A content says
        by its instants what it is, and a page that finds it too old asks for news.

        Args:
            view: The view.
            viewer: Its viewer.
            are_news: Whether the page shows a content of this view, so that nobody waits.
        """
        # Those who ask at once get one reading, and its instant, so that it is never too new.
        version = self._flights.do("version", lambda: self._reader.version(self._now()))
        as_of = version.as_of
        known = self._known(view, viewer)
        found = known.of_version(version.facts, as_of)
        if found:
            return found.seen(as_of)
        recent = known.recent(as_of)
        if recent and (self.are_being_made() or known.may_rest(as_of, are_news=are_news)):
            return recent
        return self._flights.do((view, viewer), lambda: self._read(known, view, viewer))

    def _read(self, known: _Known, view: View, viewer: Viewer) -> Drawn:
        asked = time.monotonic()
        with self._places.one():
            as_of = self._now()
            # From before the reading: what changes during it may be missing from it.
            facts = self._reader.version(as_of).facts
            drawn = self._make(view, viewer, as_of)
            known.last, known.took = (facts, drawn), time.monotonic() - asked
            return drawn


class _Known:
    """The last content of a view and a viewer, and the facts of the version it was made of.

    Attributes:
        last: Those facts and the content; None before it is made for the first time.
        took: Seconds that it took, with those of waiting for a place.
    """

    def __init__(self, *_: object) -> None:
        self.last: tuple[tuple[datetime | None, ...], Drawn] | None = None
        self.took = 0.0

    def of_version(self, facts: tuple[datetime | None, ...], as_of: datetime) -> Drawn | None:
        if self.last is None:
            return None
        known, drawn = self.last
        # Names may change without a new version, but not for longer than a minute.
        is_same = known == facts and floor_minute(drawn.read_at) == floor_minute(as_of)
        return drawn if is_same and drawn.holds(as_of) else None

    def recent(self, as_of: datetime) -> Drawn | None:
        if self.last is None:
            return None
        _, drawn = self.last
        return drawn if timedelta() <= as_of - drawn.read_at <= LATE else None

    def may_rest(self, as_of: datetime, *, are_news: bool) -> bool:
        if self.last is None or self.took < SLOW:
            return False
        _, drawn = self.last
        rest = min(timedelta(seconds=PAUSES * self.took), LATE / 2)
        return not are_news or as_of - drawn.read_at < rest


def _serialized(value: Any) -> Any:
    """Return a value in JSON where Dash passes that on, which it does with orjson alone."""
    if Fragment is None or config.default_engine == "json":
        return value
    return Fragment(to_json_plotly(value))
