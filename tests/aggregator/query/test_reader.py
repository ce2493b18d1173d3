from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sqlalchemy import text

from aggregator.errors import UnknownScopeError
from aggregator.metrics.freqs import Freq
from aggregator.metrics.scope import OVERALL, Scope
from aggregator.metrics.spans import Span
from aggregator.metrics.windows import Window, retained_hours, rolling_window
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader, Totals
from tests.no_time import NO_TIME, turns_of

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=minute) for minute in minutes]


@pytest.fixture
def reader(empty_engine, record):
    """Agents 1 and 2 in project alpha, 3 in beta; beta also has a quiet agent 4."""
    with empty_engine.begin() as conn:
        record(conn, "alpha", "aaaaaaaa-1", minutes_ago(5, 6, 8, 70))
        record(conn, "alpha", "bbbbbbbb-2", minutes_ago(10, 10.5), state="awaiting_input")
        record(conn, "beta", "cccccccc-3", minutes_ago(200, 260), state="awaiting_input")
        record(conn, "beta", "dddddddd-4", minutes_ago(60 * 24 * 10))
    make_pass(empty_engine, NOW, RETENTION)
    return MetricReader(empty_engine)


def span(window: Window, freq: Freq = "hour", zone: str = "UTC", retention=RETENTION) -> Span:
    return Span(window, retained_hours(NOW, retention), freq, ZoneInfo(zone))


def values(turns, average, agents):
    return {
        "turn_count": turns,
        "avg_turn_time_seconds": average,
        "active_agents": agents,
        **NO_TIME,
    }


DAY, WEEK, MONTH = (span(rolling_window(name, NOW)) for name in ("day", "week", "month"))


def test_a_day_overall(reader):
    activity = reader.activity(OVERALL, DAY)

    # Gaps: 60 and 120 s of agent 1, 30 s of agent 2, all in the running hour.
    assert activity.totals == Totals(values(8, 70.0, 3), active_hours=4, elapsed_hours=23.5)
    assert (activity.totals.turn_rate, activity.totals.turns_per_active_hour) == (8 / 23.5, 2.0)
    assert turns_of(activity.buckets) == {
        "series": [0, 0, 0, 0],
        "bucket_start": [
            pd.Timestamp(f"2026-11-22 {hour}:00", tz="UTC") for hour in (10, 11, 13, 14)
        ],
        "turn_count": [1, 1, 1, 5],
        "avg_turn_time_seconds": pytest.approx([float("nan")] * 3 + [70.0], nan_ok=True),
        "gap_count": [0, 0, 0, 3],
        "active_agents": [1, 1, 1, 2],
    }
    assert activity.last_pass_at == NOW


def test_the_fleet_of_a_day(reader):
    breakdown = reader.breakdown(DAY)

    assert breakdown.totals == reader.activity(OVERALL, DAY).totals
    assert [(one.id, one.name, one.project_id) for one in breakdown.projects] == [
        (1, "alpha", 1),
        (2, "beta", 2),
    ]
    assert [(one.id, one.name, one.project_id) for one in breakdown.agents] == [
        (1, "aaaaaaaa", 1),
        (2, "bbbbbbbb", 1),
        (3, "cccccccc", 2),
    ]
    assert [one.totals for one in breakdown.projects] == [
        Totals(values(6, 70.0, 2), 2, 23.5),
        Totals(values(2, None, 1), 2, 23.5),
    ]


@pytest.mark.parametrize("freq", ["hour", "day", "week"])
def test_each_of_the_fleet_has_what_it_has_by_itself(reader, freq):
    breakdown = reader.breakdown(replace(MONTH, freq=freq, zone=ZoneInfo("Asia/Kolkata")))

    for kind, members in (("project", breakdown.projects), ("agent", breakdown.agents)):
        for one in members:
            alone = reader.activity(Scope(kind, (one.id,)), breakdown.span)
            assert one.totals == alone.totals
            buckets = breakdown.buckets[kind]
            own = buckets[buckets["series"] == one.id].assign(series=0)
            assert_frame_equal(own.reset_index(drop=True), alone.buckets)
    assert_frame_equal(
        breakdown.buckets["overall"], reader.activity(OVERALL, breakdown.span).buckets
    )


def test_a_month_counts_an_agent_once_however_many_hours_it_worked(reader):
    assert reader.activity(OVERALL, MONTH).totals.active_agents == 4


@pytest.mark.parametrize(
    ("scope", "turns", "average", "agents"),
    [
        (Scope("project", (1,)), 6, 70.0, 2),
        (Scope("project", (2,)), 2, None, 1),
        (Scope("project", (1, 2)), 8, 70.0, 3),
        (Scope("agent", (1,)), 4, 90.0, 1),
        (Scope("agent", (1, 2)), 6, 70.0, 2),
        (Scope("agent", (4,)), 0, None, 0),
    ],
)
def test_a_narrower_scope_sees_only_its_own(*, reader, scope, turns, average, agents):
    totals = reader.activity(scope, DAY).totals

    assert totals.turn_count == turns
    assert totals.avg_turn_time_seconds == average
    assert totals.active_agents == agents


def test_days_belong_to_a_zone_and_count_an_agent_once(reader):
    # 10:10 and 11:10, 13:20 and 14:2x of UTC: over midnight in Auckland (+13).
    days = span(rolling_window("day", NOW), "day", "Pacific/Auckland")

    activity = reader.activity(OVERALL, days)

    assert turns_of(activity.buckets) == {
        "series": [0, 0],
        "bucket_start": [
            pd.Timestamp("2026-11-21 11:00", tz="UTC"),
            pd.Timestamp("2026-11-22 11:00", tz="UTC"),
        ],
        "turn_count": [1, 7],
        "avg_turn_time_seconds": pytest.approx([float("nan"), 70.0], nan_ok=True),
        "gap_count": [0, 3],
        "active_agents": [1, 3],
    }


def test_hours_before_the_retention_and_after_now_count_nowhere(reader, empty_engine):
    with empty_engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO activity_metrics (bucket_start, is_overall, turn_count, active_agents)"
                " VALUES ('2026-11-22 13:00Z'::timestamptz - interval '30 days', true, 5, 1),"
                " ('2026-11-22 15:00Z', true, 7, 1)"
            )
        )
    wide = span(Window("custom", NOW - timedelta(days=40), NOW + timedelta(days=1), NOW))

    activity = reader.activity(OVERALL, wide)

    assert activity.totals.turn_count == 9
    assert activity.totals.turn_rate == 9 / 720.5


@pytest.mark.parametrize(
    ("window", "last_pass_at", "partial"),
    [
        (rolling_window("day", NOW), NOW, True),
        (Window("day", NOW - timedelta(days=1), NOW, NOW), NOW + timedelta(minutes=40), False),
        (Window("day", NOW - timedelta(days=1), NOW, NOW), NOW + timedelta(minutes=20), True),
        (Window("day", NOW - timedelta(days=1), NOW, NOW), None, True),
        (Window("day", NOW - timedelta(days=40), NOW, NOW), NOW + timedelta(hours=1), True),
    ],
)
def test_an_answer_is_partial_until_a_pass_after_its_end_and_beyond_the_retention(
    window, last_pass_at, partial
):
    assert span(window).is_partial(last_pass_at) is partial


@pytest.mark.parametrize(
    ("kind", "ids"), [("project", (1, 99)), ("agent", (99,)), ("agent", (1, 2, 2**40))]
)
def test_an_unknown_scope_is_an_error_that_names_it(reader, kind, ids):
    with pytest.raises(UnknownScopeError, match=f"no {kind} with id {ids[-1]}"):
        reader.activity(Scope(kind, ids), DAY)


def test_choices_are_what_has_metrics_at_any_time(reader):
    projects, agents = reader.choices()

    assert projects.values.tolist() == [[1, "alpha"], [2, "beta"]]
    assert agents.values.tolist() == [
        [4, 2, "dddddddd"],
        [3, 2, "cccccccc"],
        [2, 1, "bbbbbbbb"],
        [1, 1, "aaaaaaaa"],
    ]


def test_an_empty_database_is_readable(empty_engine):
    reader = MetricReader(empty_engine)

    activity, breakdown = reader.activity(OVERALL, WEEK), reader.breakdown(WEEK)

    assert activity.totals == breakdown.totals == Totals(values(0, None, 0), 0, WEEK.elapsed_hours)
    assert activity.last_pass_at is None
    assert (breakdown.projects, breakdown.agents) == ((), ())


WINDOW_TOTALS = text(
    """
    WITH gaps AS (
        SELECT a.id AS agent, t.timestamp - lag(t.timestamp) OVER (
            PARTITION BY a.id, date_trunc('hour', t.timestamp, 'UTC') ORDER BY t.timestamp
        ) AS gap
        FROM turns t JOIN tasks k ON k.id = t.task_id JOIN agents a ON a.id = k.agent_id
        WHERE t.timestamp >= :since AND t.timestamp < :until
    )
    SELECT count(*), extract(epoch FROM avg(gap))::float8, count(DISTINCT agent) FROM gaps
    """
)


@settings(
    max_examples=settings().max_examples // 3,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.floats(0, 60 * 24 * 8, allow_nan=False)),
        max_size=25,
    ),
    st.integers(1, 200),
)
def test_totals_of_any_window_equal_a_plain_count_over_the_turns(empty_engine, record, rows, hours):
    window = Window("custom", NOW.replace(minute=0) - timedelta(hours=hours), NOW, NOW)
    with empty_engine.begin() as conn:
        conn.execute(text("TRUNCATE projects CASCADE"))
        for agent, minutes in rows:
            record(conn, f"p{agent % 2}", f"agent-{agent}", minutes_ago(minutes + 0.001))
    make_pass(empty_engine, NOW, RETENTION)

    totals = MetricReader(empty_engine).activity(OVERALL, span(window)).totals

    with empty_engine.connect() as conn:
        turns, average, agents = conn.execute(
            WINDOW_TOTALS, {"since": window.since, "until": window.until}
        ).one()
    assert (totals.turn_count, totals.active_agents) == (turns, agents)
    assert totals.avg_turn_time_seconds == (average and pytest.approx(average, abs=1e-6))
