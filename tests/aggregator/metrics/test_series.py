from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from aggregator.metrics.freqs import FREQS
from aggregator.metrics.hourly import INSTANT_DTYPE
from aggregator.metrics.series import (
    ROW_DTYPES,
    add_up_each,
    bucket_edges,
    distinct_agents,
    filled,
    resample,
    with_agents,
)
from aggregator.metrics.windows import HOUR, ceil_hour, floor_hour
from tests.no_time import NO_PEAKS, NO_TIME

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia")
NONE = float("nan")


def utc(day: int, hour: int = 0, month: int = 10) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def rows(*values: tuple[int, datetime, int, float, int, int | None]) -> pd.DataFrame:
    """Make rows of turns; those of agents, without active agents, have no peaks either."""
    turns = list(ROW_DTYPES)[: len(ROW_DTYPES) - len(NO_TIME)]
    frame = pd.DataFrame(values, columns=turns).assign(**NO_TIME)
    peaks = {name: frame[name].mask(frame["active_agents"].isna()) for name in NO_PEAKS}
    return frame.assign(**peaks).astype(ROW_DTYPES)


def edges(*instants: datetime) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(instants, dtype=INSTANT_DTYPE)


@pytest.mark.parametrize(
    ("freq", "zone", "expected"),
    [
        ("hour", "Europe/Berlin", [utc(24, 21), utc(24, 22), utc(24, 23)]),
        ("day", "UTC", [utc(24), utc(25)]),
        # Clocks go back on the 25th: a day of 25 hours.
        ("day", "Europe/Berlin", [utc(23, 22), utc(24, 22), utc(25, 23)]),
        # Days begin at half past; the running hour belongs to the old one.
        ("day", "Asia/Kolkata", [utc(24, 19), utc(25, 19)]),
        ("week", "Europe/Berlin", [utc(18, 22), utc(25, 23)]),
    ],
)
def test_buckets_cover_a_range_and_begin_where_they_naturally_do(freq, zone, expected):
    since, until = utc(24, 21), utc(24, 22) + timedelta(minutes=30)

    assert bucket_edges(since, until, freq, ZoneInfo(zone)).tolist() == expected


@pytest.mark.parametrize("freq", FREQS)
def test_an_empty_range_has_no_buckets(freq):
    assert bucket_edges(utc(24), utc(24), freq, ZoneInfo("UTC")).tolist() == []
    assert bucket_edges(utc(24), utc(23), freq, ZoneInfo("UTC")).tolist() == []


def test_a_day_that_a_zone_has_left_out_is_no_bucket():
    # Samoa went from the 29th straight to the 31st of December 2011, at 10:00 UTC.
    since = datetime(2011, 12, 29, 12, tzinfo=UTC)
    found = bucket_edges(since, since + timedelta(days=2), "day", ZoneInfo("Pacific/Apia"))

    assert found.tolist() == [datetime(2011, 12, day, 10, tzinfo=UTC) for day in (29, 30, 31)] + [
        datetime(2012, 1, 1, 10, tzinfo=UTC)
    ]


@given(
    st.sampled_from(FREQS),
    st.sampled_from(ZONES),
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(minutes=1), timedelta(days=40)),
)
def test_buckets_touch_hold_the_range_and_no_whole_bucket_more(freq, zone, since, length):
    found = bucket_edges(since, since + length, freq, ZoneInfo(zone)).tolist()

    assert found == sorted(set(found))
    assert found[0] <= floor_hour(since) < found[1]
    assert found[-2] < ceil_hour(since + length) <= found[-1]
    if freq == "day":
        # Every hour belongs to the local day in which it starts.
        for start, end in pairwise(found):
            hours = pd.date_range(start, end - HOUR, freq="h").tz_convert(zone)
            assert len(set(hours.date)) == 1
            assert (start - HOUR).astimezone(ZoneInfo(zone)).date() < hours[0].date()


def test_hours_stay_as_they_are_and_longer_buckets_pool_all_their_gaps():
    hours = rows(
        (7, utc(24, 23), 4, 10.0, 3, None),
        (3, utc(24, 1), 5, 60.0, 3, 2),
        (3, utc(24, 9), 1, NONE, 0, 1),
        (3, utc(25, 9), 3, 30.0, 1, 2),
    )
    days = edges(utc(24), utc(25), utc(26))

    assert resample(hours, days, "hour")["bucket_start"].tolist() == [
        utc(24, 1),
        utc(24, 9),
        utc(25, 9),
        utc(24, 23),
    ]
    assert_frame_equal(
        resample(hours, days, "day"),
        rows(
            (3, utc(24), 6, 60.0, 3, 0),
            (3, utc(25), 3, 30.0, 1, 0),
            (7, utc(24), 4, 10.0, 3, None),
        ).assign(active_agents=pd.array([None] * 3, "Int64")),
    )
    # Not 60 and 30 averaged, but three gaps of 60 s and one of 30 s.
    week = resample(hours, edges(utc(19), utc(26)), "week")
    assert week["avg_turn_time_seconds"].tolist() == [52.5, 10.0]
    each = add_up_each(hours)
    assert each["turn_count"].to_dict() == {3: 9, 7: 4}
    assert each["avg_turn_time_seconds"].to_dict() == {3: 52.5, 7: 10.0}
    assert each["gap_count"].to_dict() == {3: 4, 7: 3}
    assert each["active_hours"].to_dict() == {3: 3, 7: 1}


def test_an_agent_counts_once_in_a_day_and_for_its_own_project_only():
    days = edges(utc(24), utc(25), utc(26))
    agents = rows(
        (1, utc(24, 1), 1, NONE, 0, None),
        (1, utc(24, 2), 1, NONE, 0, None),
        (2, utc(24, 2), 1, NONE, 0, None),
        (2, utc(25, 2), 1, NONE, 0, None),
        (9, utc(25, 2), 1, NONE, 0, None),
    )
    owners = pd.Series({1: 30, 2: 40})

    assert distinct_agents(agents, owners, days).to_dict() == {
        (30, utc(24)): 1,
        (40, utc(24)): 1,
        (40, utc(25)): 1,
    }
    everybody = distinct_agents(agents, None, days)
    assert everybody.to_dict() == {(0, utc(24)): 2, (0, utc(25)): 2}
    buckets = rows((0, utc(24), 3, NONE, 0, None), (0, utc(25), 2, NONE, 0, None))
    assert with_agents(buckets, everybody)["active_agents"].tolist() == [2, 2]


def test_a_bucket_without_turns_is_zero_and_its_average_is_missing():
    two = edges(utc(24, 1), utc(24, 2), utc(24, 3))
    found = rows((3, utc(24, 2), 5, 60.0, 3, 2))

    assert_frame_equal(
        filled(found, two, of_agents=False),
        rows((3, utc(24, 1), 0, NONE, 0, 0), (3, utc(24, 2), 5, 60.0, 3, 2)),
    )
    assert_frame_equal(
        filled(rows(), two, [8], of_agents=True),
        rows((8, utc(24, 1), 0, NONE, 0, None), (8, utc(24, 2), 0, NONE, 0, None)),
    )
    assert_frame_equal(filled(rows(), edges(), [8], of_agents=True), rows())


def test_weeks_begin_on_monday_in_every_zone():
    for zone in ZONES:
        found = bucket_edges(utc(1), utc(31), "week", ZoneInfo(zone))
        days = {at.tz_convert(zone).date() for at in found}
        assert {day.weekday() for day in days} == {date(2026, 10, 5).weekday()}
