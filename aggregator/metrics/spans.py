"""A span: the part of a window that is retained and has begun, cut into buckets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.freqs import STEPS, Freq
from aggregator.metrics.periods import Period
from aggregator.metrics.series import bucket_edges
from aggregator.metrics.windows import RetainedHours, Window, ceil_hour, elapsed_hours, floor_hour

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a window that is retained and has begun, cut into buckets.

    Attributes:
        window: The requested window, as of now.
        retained: The retained hours.
        freq: Length of the buckets.
        zone: Time zone of days and weeks.
        period: The period of the page that the window is, up to now, or None.
    """

    window: Window
    retained: RetainedHours
    freq: Freq = "hour"
    zone: ZoneInfo = UTC_ZONE
    period: Period | None = None

    @property
    def since(self) -> datetime:
        """Start of its first retained hour, UTC, on the hour."""
        return floor_hour(self.retained.clip(self.window.since, self.window.until)[0])

    @property
    def until(self) -> datetime:
        """End of its last hour that has begun, UTC; not after ``since`` if there is none."""
        return ceil_hour(self.retained.clip(self.window.since, self.window.until)[1])

    @property
    def edges(self) -> pd.DatetimeIndex:
        """Edges of its buckets, see :func:`aggregator.metrics.series.bucket_edges`.

        Steps of the running hour that have not begun are left out.
        """
        edges = bucket_edges(self.since, self.until, self.freq, self.zone)
        if self.freq not in STEPS:
            return edges
        return edges[: edges.searchsorted(pd.Timestamp(self.retained.now), side="right") + 1]

    @property
    def elapsed_hours(self) -> float:
        """Divisor of its turn rates: the retained hours that have passed, at least 1."""
        return elapsed_hours(self.since, min(self.window.until, self.retained.now))

    def is_partial(self, last_pass_at: datetime | None) -> bool:
        """Return whether its numbers do not yet, or no longer, cover the whole window.

        They may still grow until a pass is made after the end of the window, and they
        lack the hours before the retention.
        """
        end = ceil_hour(self.window.until)
        over = last_pass_at is not None and last_pass_at >= end
        return not over or self.window.since < self.retained.since
