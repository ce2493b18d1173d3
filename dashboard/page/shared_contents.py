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
from threading import Lock
from typing import Any

from aggregator.errors import HostSchemaError, NotMigratedError, RightsMissingError
from aggregator.query.reader import DATABASE_AWAY, MetricReader
from dashboard.selection.answer import Viewer

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
        self._known = lru_cache(maxsize=KEPT)(_Once)

    def content(self, search: str | None, viewer: Viewer, as_of: datetime) -> Content:
        """Return the content of a view, to be read only.

        It was read at most a minute ago, with the numbers of the present version.
        """
        try:
            facts = self._reader.version(as_of).facts
        except (*DATABASE_AWAY, HostSchemaError, NotMigratedError, RightsMissingError):
            # The content says so.
            return self._make(search, viewer, as_of)
        # Names may change without a new version, but not for longer than a minute.
        minute = as_of.astimezone(UTC).replace(second=0, microsecond=0)
        once = self._known(search, viewer, facts, minute)
        content = once.get(lambda: self._make(search, viewer, as_of))
        if content["version"] is None:
            return content
        if not _holds(content["version"], as_of):
            return self._make(search, viewer, as_of)
        # The browser sets its clocks by it.
        return {**content, "version": {**content["version"], "as_of": as_of.isoformat()}}


class _Once:
    """One content, made by the first who needs it while others wait."""

    def __init__(self, *_: object) -> None:
        self._lock = Lock()
        self._content: Content | None = None

    def get(self, make: Callable[[], Content]) -> Content:
        with self._lock:
            if self._content is None or self._content["version"] is None:
                self._content = make()
            return self._content


def _holds(version: Mapping[str, str], as_of: datetime) -> bool:
    since, until = (datetime.fromisoformat(version[name]) for name in ("as_of", "stale_at"))
    return since <= as_of < until
