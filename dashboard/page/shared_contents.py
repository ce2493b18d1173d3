"""Contents of the page that requests share for as long as nothing has changed.

Whoever opens a page, or has it open while new numbers come, gets the content of a view that the
address alone decides. A page that stays open keeps it until the version changes or time makes
it wrong; so may all others that ask for the same view, and only the first of them waits for it
to be read and drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from aggregator.errors import HostSchemaError, NotMigratedError, RightsMissingError
from aggregator.query.reader import DATABASE_AWAY, MetricReader
from dashboard.selection.answer import Viewer
from dashboard.single_flight import SingleFlight

Content = dict[str, Any]
Maker = Callable[[str | None, Viewer, datetime], Content]
"""Makes the content of a view, from the query of its address, a viewer and the present."""

KEPT = 16
"""Number of contents in memory, of one to three megabytes each."""


class SharedContents:
    """The contents of the views that were asked for last.

    Args:
        make: Makes a content. Its ``version`` has the ``stale_at`` of
            :func:`dashboard.page.freshness.freshness`, or is None if it shows nothing.
        reader: Reads the version of the numbers.
    """

    def __init__(self, make: Maker, reader: MetricReader) -> None:
        self._make = make
        self._reader = reader
        self._known = lru_cache(maxsize=KEPT)(_Kept)
        self._flights = SingleFlight()

    def content(self, search: str | None, viewer: Viewer, as_of: datetime) -> Content:
        """Return the content of a view, to be read only.

        It was read at most a minute ago, with the numbers of the present version; or of the
        one before, if that is being read right now. Many changes then cost one reading at a
        time, and a page that finds its content too old asks again.
        """
        try:
            facts = self._reader.version(as_of).facts
        except (*DATABASE_AWAY, HostSchemaError, NotMigratedError, RightsMissingError):
            # The content says so.
            return self._make(search, viewer, as_of)
        # Names may change without a new version, but not for longer than a minute.
        minute = as_of.astimezone(UTC).replace(second=0, microsecond=0)
        kept = self._known(search, viewer, facts, minute)
        content = kept.content or self._flights.do(
            (search, viewer), lambda: kept.fill(self._make(search, viewer, as_of))
        )
        if content["version"] is None:
            return content
        if not _holds(content["version"], as_of):
            return self._make(search, viewer, as_of)
        # The browser sets its clocks by it.
        return {**content, "version": {**content["version"], "as_of": as_of.isoformat()}}


class _Kept:
    """A place for the content of one version."""

    def __init__(self, *_: object) -> None:
        self.content: Content | None = None

    def fill(self, content: Content) -> Content:
        if content["version"] is not None:
            self.content = content
        return content


def _holds(version: Mapping[str, str], as_of: datetime) -> bool:
    since, until = (datetime.fromisoformat(version[name]) for name in ("as_of", "stale_at"))
    return since <= as_of < until
