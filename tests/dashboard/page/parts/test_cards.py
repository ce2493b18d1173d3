from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.periods import calendar_period
from aggregator.metrics.totals import Totals
from aggregator.query.response_times import ResponseTimes, Times
from dashboard.page.parts.cards import cards, skyline, trends

BERLIN = ZoneInfo("Europe/Berlin")
LABELS = "Working time", "Waiting for me", "Response time p50", "Turns", "Active agents"
PACE = "– per hour, – between turns"
THEN = Totals(
    {
        "turn_count": 20,
        "avg_turn_time_seconds": 90.0,
        "active_agents": 2,
        "working_seconds": 3600.0,
        "blocked_seconds": 0.0,
        "waiting_seconds": 3000.0,
    },
    active_hours=4,
    elapsed_hours=20 / 1.4,
)


def utc(hour, day=22):
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_a_card_has_its_number_what_stands_beside_it_and_its_change(overview, texts):
    view = overview(
        (utc(9), 12, 60.0, 2, {"working": 3600.0, "exact": 1800.0, "peak_working_agents": 3}),
        (utc(13), 9, 120.0, 1, {"working": 900.0, "blocked": 600.0, "waiting": 900.0}),
        agents=[(1, 1, "a", 12), (2, 2, "b", 9)],
        then=THEN,
        times=Times(ResponseTimes(7, 120.0, 250.0, 100.0, 200.0)),
    )

    # Fifteen hours and five minutes of the day have passed.
    assert [texts(card) for card in cards(view)] == [
        "Working time 1 h 15 min ▲\u202f25\u202f% utilisation 75\u202f%",
        "Waiting for me 25 min ▼\u202f50\u202f% 10 min blocked, 15 min after turns",
        "Response time p50 2 min p90 4 min 10 s, 40\u202f% exact",
        "Turns 21 ▲\u202f5\u202f% 1.4 per hour, 1 min 27 s between turns",
        "Active agents 2 ±\u202f0\u202f% peak 3 at once",
    ]


def test_without_turns_there_is_no_average_and_no_change(overview, texts):
    view = overview(then=THEN)

    assert [texts(card) for card in cards(view)] == [
        "Working time 0 s",
        "Waiting for me 0 s",
        "Response time p50 –",
        "Turns 0 0 per hour, – between turns",
        "Active agents 0",
    ]


def test_what_is_no_longer_kept_is_not_zero(overview, texts):
    day = calendar_period("day", date(2026, 8, 21), BERLIN)

    assert [texts(card) for card in cards(overview(period=day))] == [
        f"{label} – {PACE if label == 'Turns' else 'no longer kept'}" for label in LABELS
    ]


def test_before_the_first_answer_the_cards_are_in_their_places(texts):
    assert [texts(card) for card in cards(None)] == [
        f"{label} – {PACE}" if label == "Turns" else f"{label} –" for label in LABELS
    ]


def test_a_course_has_the_means_of_all_its_buckets():
    starts = pd.date_range("2026-11-16", periods=168, freq="h", tz="UTC")
    buckets = pd.DataFrame(
        {
            "start": starts,
            "end": starts,
            "phase": "past",
            "responses": [number % 6 // 5 for number in range(168)],
            "response_seconds": 60.0,
            "turn_count": [number % 6 for number in range(168)],
            "avg_turn_time_seconds": float("nan"),
            "active_agents": pd.array([1] * 168, "Int64"),
        }
    )

    found = trends(buckets)

    # 13 columns of six buckets, then 18 of five.
    assert found["turn_count"][:14] == [2.5] * 13 + [2.0]
    assert len(found["turn_count"]) == 31
    assert found["avg_turn_time_seconds"] == [0.0] * 31
    assert found["active_agents"] == [1.0] * 31
    # One hour of six had a response, of 60 s.
    assert found["response_time"][:14] == [10.0] * 13 + [0.0]


def test_a_skyline_leaves_columns_of_these_heights():
    assert skyline([1, 0, 2, 1]) == (
        "polygon(0 100%, 0% 48.5%, 25% 48.5%, 25% 97%, 50% 97%, 50% 0%, 75% 0%, "
        "75% 48.5%, 100% 48.5%, 100% 100%)"
    )
    assert skyline([]) == skyline([0, 0]) == "polygon(0 100%, 100% 100%, 100% 97%, 0 97%)"
