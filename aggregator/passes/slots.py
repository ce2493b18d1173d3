"""Slots: equal intervals in each of which a job is due once, identical on all machines.

They start at whole multiples of the interval, so processes agree on the current slot
without communicating. A pass made by one process in a slot makes those of the others
unnecessary.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slot:
    """An interval in which a job is due once: ``[start, end)``, UTC."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime | None) -> bool:
        """Return whether an instant lies in the slot; None, for never, does not."""
        return at is not None and self.start <= at < self.end

    def is_done(self, last: datetime | None) -> bool:
        """Return whether the job is done for this slot when it was last done at an instant.

        An instant in the next slot counts: another process was faster than this one, which
        was held up after it had looked at the clock.
        """
        return last in self or last in Slot(self.end, self.end + (self.end - self.start))


def slot_at(at: datetime, seconds: int) -> Slot:
    """Return the slot that contains an instant; the next pass is due at its ``end``.

    Args:
        at: An instant with a time zone.
        seconds: Length of the slots; one of them starts at the Unix epoch.
    """
    length = timedelta(seconds=seconds)
    start = at - (at - UNIX_EPOCH) % length
    return Slot(start.astimezone(UTC), start.astimezone(UTC) + length)
