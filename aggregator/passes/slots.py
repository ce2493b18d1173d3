"""When passes are due: at whole multiples of the interval, on all machines alike.

Processes that never speak with each other agree on the slot a moment belongs to. So a
pass made by one of them in a slot tells the others that theirs is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of time in which something is done once: ``[start, end)``, UTC."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime | None) -> bool:
        """Whether an instant lies in the slot; None, for never, does not."""
        return at is not None and self.start <= at < self.end


def slot_at(at: datetime, seconds: int) -> Slot:
    """The slot that holds an instant.

    Its ``end`` is when the next pass is due.

    Args:
        at: An instant with a time zone.
        seconds: Length of the slots, of which one starts at the epoch.
    """
    length = timedelta(seconds=seconds)
    start = at - (at - UNIX_EPOCH) % length
    return Slot(start.astimezone(UTC), start.astimezone(UTC) + length)
