"""The view that an address asks for, and the address of a view.

``?window=week&project=3&agent=7&until=2026-08-21T22:00Z``: whatever it leaves out,
and whatever makes no sense, is the default. ``&open=2,5`` unfolds two of all projects,
``&open=none`` none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode

from aggregator.scope import OVERALL, Scope
from aggregator.windows import SPANS

DEFAULT_WINDOW = "day"
FOLDED = "none"
"""In an address: no project is unfolded."""


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows.

    Attributes:
        window: ``day``, ``week`` or ``month``.
        project: The chosen project's id, or None for all.
        agent: The chosen agent's id, or None for all.
        until: End of the window, UTC, or None for now.
        unfolded: Ids of the projects that show their agents, ascending; None where
            the viewer has not chosen.
    """

    window: str = DEFAULT_WINDOW
    project: int | None = None
    agent: int | None = None
    until: datetime | None = None
    unfolded: tuple[int, ...] | None = None

    @classmethod
    def parse(cls, search: str | None) -> View:
        """Read the query string of an address, with or without its question mark."""
        given = {name: values[-1] for name, values in parse_qs((search or "").lstrip("?")).items()}
        window = given.get("window", "")
        return cls(
            window=window if window in SPANS else DEFAULT_WINDOW,
            project=_id(given.get("project", "")),
            agent=_id(given.get("agent", "")),
            until=_instant(given.get("until", "")),
            unfolded=_ids(given.get("open", "")),
        )

    @property
    def search(self) -> str:
        """The query string, empty for the default view."""
        given = {
            "window": None if self.window == DEFAULT_WINDOW else self.window,
            "project": self.project,
            "agent": self.agent,
            "until": self.until and f"{self.until:%Y-%m-%dT%H:%MZ}",
            "open": None if self.unfolded is None else ",".join(map(str, self.unfolded)) or FOLDED,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        query = urlencode(chosen, safe=":,")
        return f"?{query}" if query else ""

    @property
    def address(self) -> str:
        """The same as a link, in which an empty query string needs its question mark."""
        return self.search or "?"

    @property
    def scope(self) -> Scope:
        """The narrowest choice."""
        if self.agent is not None:
            return Scope("agent", self.agent)
        return OVERALL if self.project is None else Scope("project", self.project)

    @property
    def wider(self) -> View:
        """The same without the narrowest choice."""
        return replace(self, agent=None) if self.agent is not None else replace(self, project=None)


def _ids(raw: str) -> tuple[int, ...] | None:
    if raw == FOLDED:
        return ()
    return (
        tuple(sorted({found for part in raw.split(",") if (found := _id(part)) is not None}))
        or None
    )


def _id(raw: str) -> int | None:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None


def _instant(raw: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        return None
    # The years keep a window before it, and any zone, inside what datetime can hold.
    if at.tzinfo is None or not 1970 < at.year < 9999:
        return None
    return at.astimezone(UTC)
