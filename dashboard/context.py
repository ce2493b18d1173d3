"""The context of the page: its clock, and facts other than metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

Clock = Callable[[], datetime]
"""Returns the current time, with a time zone."""


@dataclass(frozen=True, slots=True)
class PageContext:
    """Facts for the texts on the page.

    Attributes:
        retention_days: Days for which hourly metrics are retained.
        looked_in: Folders searched for transcripts; empty on a host, whose turns come
            from elsewhere.
        demo: True if all activity is made up.
        interval_seconds: Time between two passes.
    """

    retention_days: int
    looked_in: tuple[Path, ...] = ()
    demo: bool = False
    interval_seconds: int = 300

    @property
    def is_resumable(self) -> bool:
        """True if a command can go on with a session: the agents are Claude Code's own here."""
        return bool(self.looked_in) and not self.demo


API_STYLE = "api.css"
"""The style sheet of the API's readable page: in ``assets``, but not used by the page."""
