from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import NaiveTimestampError, ParameterError
from aggregator.metrics.windows import (
    SPANS,
    Window,
    custom_window,
    elapsed_hours,
    rolling_window,
)

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def hour(number: int, day: int = 22) -> datetime:
    return datetime(2026, 11, day, number, tzinfo=UTC)


@pytest.mark.parametrize(("name", "since"), [("day", hour(15, 21)), ("week", hour(15, 15))])
def test_a_rolling_window_ends_now_and_counts_the_running_hour(name, since):
    assert rolling_window(name, NOW) == Window(name, since, NOW, NOW)


def test_on_the_full_hour_a_day_still_has_24_buckets():
    assert rolling_window("day", hour(14)).since == hour(14, 21)


@given(
    st.sampled_from(sorted(SPANS)),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_rolling_window_holds_the_same_number_of_buckets_at_any_moment(name, now):
    window = rolling_window(name, now)
    buckets = -(-(window.until - window.since) // timedelta(hours=1))

    assert buckets == SPANS[name] // timedelta(hours=1)


def test_a_custom_window_is_widened_to_whole_utc_hours():
    kolkata = timezone(timedelta(hours=5, minutes=30))
    since, until = datetime(2026, 11, 20, tzinfo=kolkata), datetime(2026, 11, 21, tzinfo=kolkata)

    assert custom_window(since, until, NOW) == Window("custom", hour(18, 19), hour(19, 20), NOW)


def test_elapsed_hours_are_at_least_one():
    assert elapsed_hours(hour(12), NOW) == 2.5
    assert elapsed_hours(hour(8), hour(12)) == 4
    assert elapsed_hours(hour(14), NOW) == 1
    assert elapsed_hours(hour(18), NOW) == 1


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (hour(3), hour(3), "until: .* expected an instant after since"),
        (hour(4), hour(3), "until: .* expected an instant after since"),
        (
            hour(3).replace(year=2024),
            hour(3),
            "since: .* expected an instant at most 366 days before",
        ),
    ],
)
def test_reversed_empty_and_absurd_ranges_are_refused(since, until, words):
    with pytest.raises(ParameterError, match=words):
        custom_window(since, until, NOW)


def test_an_unknown_window_is_refused_with_what_is_allowed():
    with pytest.raises(ParameterError, match="window: 'year' is not allowed; expected day, week"):
        rolling_window("year", NOW)


def test_an_instant_without_a_zone_is_refused():
    with pytest.raises(NaiveTimestampError, match="now must have a time zone"):
        rolling_window("day", NOW.replace(tzinfo=None))
