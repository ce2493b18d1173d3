from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from aggregator.passes.slots import Slot, slot_at

INSTANTS = st.datetimes(timezones=st.just(UTC))


def test_a_slot_starts_at_a_multiple_of_the_interval():
    at = datetime(2026, 11, 22, 14, 33, 12, 345, tzinfo=UTC)
    five_minutes = Slot(
        datetime(2026, 11, 22, 14, 30, tzinfo=UTC), datetime(2026, 11, 22, 14, 35, tzinfo=UTC)
    )

    assert slot_at(at, 300) == five_minutes
    assert slot_at(at.astimezone(timezone(timedelta(hours=5, minutes=45))), 300) == five_minutes


@given(INSTANTS, st.integers(1, 86_400))
def test_every_instant_lies_in_its_slot_alone_and_slots_touch(at, seconds):
    slot = slot_at(at, seconds)

    assert at in slot
    assert at not in slot_at(slot.end, seconds)
    assert slot_at(slot.end, seconds).start == slot.end
    assert slot_at(slot.start - timedelta(microseconds=1), seconds).end == slot.start


def test_never_lies_in_no_slot():
    assert None not in slot_at(datetime(2026, 11, 22, tzinfo=UTC), 300)
