"""A window as it can be told of: what of it is kept and has begun, cut into buckets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.series import Freq, bucket_edges
from aggregator.metrics.windows import RetainedHours, Window, ceil_hour, elapsed_hours, floor_hour

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Span:
    """What an answer covers, and in which buckets.

    Attributes:
        window: What was asked for, as of now.
        retained: Which hours count.
        freq: The length of the buckets.
        zone: Whose days and weeks these are.
    """

    window: Window
    retained: RetainedHours
    freq: Freq = "hour"
    zone: ZoneInfo = UTC_ZONE

    @property
    def since(self) -> datetime:
        """Start of its first hour that is kept, UTC, on the hour."""
        return floor_hour(self.retained.part(self.window.since, self.window.until)[0])

    @property
    def until(self) -> datetime:
        """End of its last hour that has begun, UTC; not after ``since`` where there is none."""
        return ceil_hour(self.retained.part(self.window.since, self.window.until)[1])

    @property
    def edges(self) -> pd.DatetimeIndex:
        """The edges of its buckets, see :func:`aggregator.metrics.series.bucket_edges`."""
        return bucket_edges(self.since, self.until, self.freq, self.zone)

    @property
    def elapsed_hours(self) -> float:
        """The divisor of its turn rates: hours that are kept and have passed, at least 1."""
        return elapsed_hours(self.since, min(self.window.until, self.retained.now))

    def is_partial(self, last_pass_at: datetime | None) -> bool:
        """Whether its numbers are not, or no longer, those of the whole window.

        They may still grow until a pass was made after its end, and lack what was
        before the retention.
        """
        end = ceil_hour(self.window.until)
        over = last_pass_at is not None and last_pass_at >= end
        return not over or self.window.since < self.retained.since
