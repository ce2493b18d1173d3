from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from aggregator.errors import NaiveTimestampError
from aggregator.metrics.hourly import METRIC_DTYPES, TURN_DTYPES, gap_counts, hourly_metrics, pool
from aggregator.metrics.measures import TIME_MEASURES
from tests.no_time import NO_TIME

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
ONE, NONE = 1.0, float("nan")


def turns(*rows: tuple[int, int, datetime]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(TURN_DTYPES)).astype(TURN_DTYPES)


def metrics(*rows: tuple[object, ...]) -> pd.DataFrame:
    """Rows without any time."""
    times = {measure.column: 0 for measure in TIME_MEASURES}
    own = [name for name in METRIC_DTYPES if name not in times]
    frame = pd.DataFrame(rows, columns=own).assign(**times).astype(METRIC_DTYPES)
    peaks = [measure.column for measure in TIME_MEASURES if measure.combine == "peak"]
    return frame.assign(**{name: frame[name].mask(frame["agent_id"].notna()) for name in peaks})


def at(minute: float, hour: datetime = NOON) -> datetime:
    return hour + timedelta(minutes=minute)


def test_no_turns_make_no_rows():
    assert_frame_equal(hourly_metrics(turns()), metrics())


def test_a_single_turn_counts_and_has_no_average():
    assert_frame_equal(
        hourly_metrics(turns((7, 3, at(5)))),
        metrics(
            (NOON, 7, None, False, 1, NONE, None),
            (NOON, None, 3, False, 1, NONE, 1),
            (NOON, None, None, True, 1, NONE, 1),
        ),
    )


def test_gaps_of_a_projects_agents_are_pooled_and_pairs_of_different_agents_are_not():
    # Agent 1 has gaps of 60 and 180 s, agent 2 one of 30 s, agent 3 (elsewhere) none.
    rows = turns(
        (1, 1, at(4)), (2, 1, at(10)), (1, 1, at(0)), (3, 2, at(7)), (1, 1, at(1)), (2, 1, at(10.5))
    )

    assert_frame_equal(
        hourly_metrics(rows),
        metrics(
            (NOON, 1, None, False, 3, 120.0, None),
            (NOON, 2, None, False, 2, 30.0, None),
            (NOON, 3, None, False, 1, NONE, None),
            (NOON, None, 1, False, 5, 90.0, 2),
            (NOON, None, 2, False, 1, NONE, 1),
            (NOON, None, None, True, 6, 90.0, 3),
        ),
    )


def test_a_bucket_is_half_open_and_a_gap_across_its_end_is_none():
    before, after = at(60) - timedelta(microseconds=1), at(60)

    agents = hourly_metrics(turns((1, 1, before), (1, 1, after))).query("agent_id == 1")

    assert agents["bucket_start"].tolist() == [NOON, NOON + timedelta(hours=1)]
    assert agents["turn_count"].tolist() == [1, 1]
    assert agents["avg_turn_time_seconds"].isna().all()


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Asia/Kathmandu"])
def test_buckets_are_utc_hours_whatever_the_zone_of_the_turns(zone):
    # Around the end of daylight saving time in New York, 06:00 UTC.
    hours = [datetime(2026, 11, 1, 5, 30, tzinfo=UTC) + timedelta(hours=n) for n in range(3)]
    rows = turns(*((1, 1, hour) for hour in hours))
    local = rows.assign(at=rows["at"].dt.tz_convert(ZoneInfo(zone)))

    assert_frame_equal(hourly_metrics(local), hourly_metrics(rows))
    assert hourly_metrics(rows)["bucket_start"].dt.hour.unique().tolist() == [5, 6, 7]


def test_naive_timestamps_are_refused():
    naive = turns((1, 1, NOON)).assign(at=pd.to_datetime(["2026-11-03 12:00"]))

    with pytest.raises(NaiveTimestampError, match=r"turns\['at'\] must have a time zone"):
        hourly_metrics(naive)


histories = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 1, 4)),  # noqa: DTZ001
    ).map(lambda row: (row[0], row[0] % 2 + 1, row[1].replace(tzinfo=UTC))),
    max_size=30,
)


@given(histories, st.randoms())
def test_the_order_of_turns_does_not_matter(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)

    assert_frame_equal(hourly_metrics(turns(*shuffled)), hourly_metrics(turns(*rows)))


@given(histories)
def test_averages_are_the_mean_gap_and_gaps_are_counted_by_the_formula(rows):
    hours = hourly_metrics(turns(*rows)).query("is_overall").reset_index(drop=True)

    for index, hour in hours.iterrows():
        gaps = [
            later - earlier
            for agent in {agent for agent, _, _ in rows}
            for own in [
                sorted(
                    at
                    for who, _, at in rows
                    if who == agent
                    and hour.bucket_start <= at < hour.bucket_start + pd.Timedelta("1h")
                )
            ]
            for earlier, later in pairwise(own)
        ]
        assert gap_counts(hours)[index] == len(gaps)
        if gaps:
            mean_us = sum(gap // timedelta(microseconds=1) for gap in gaps) / len(gaps)
            assert hour.avg_turn_time_seconds == pytest.approx(mean_us / 1e6, abs=1e-6)
        else:
            assert pd.isna(hour.avg_turn_time_seconds)


def test_pooling_weights_each_average_by_its_gaps():
    hours = pd.DataFrame(
        {
            "turn_count": [11, 3, 2],
            "avg_turn_time_seconds": [10.0, 100.0, NONE],
            "active_agents": pd.array([1, 2, 2], dtype="Int64"),
            **NO_TIME,
        }
    )

    pooled = pool(hours, pd.Series(["Tue", "Tue", "Wed"]))

    assert pooled["turn_count"].to_dict() == {"Tue": 14, "Wed": 2}
    # Ten gaps of 10 s and one of 100 s; weighting by turns would say 29.3.
    assert pooled.loc["Tue", "avg_turn_time_seconds"] == pytest.approx(200 / 11)
    assert pd.isna(pooled.loc["Wed", "avg_turn_time_seconds"])
