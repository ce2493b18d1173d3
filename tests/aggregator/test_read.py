from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from aggregator.errors import UnknownScopeError
from aggregator.passes import make_pass
from aggregator.read import MetricReader, Totals
from aggregator.scope import OVERALL, Scope
from aggregator.windows import Window, rolling_window

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


def test_a_day_overall(reader):
    activity = reader.activity(OVERALL, rolling_window("day", NOW))

    # Gaps: 60 and 120 s of agent 1, 30 s of agent 2, all in the running hour.
    assert activity.totals == Totals(
        turn_count=8,
        avg_turn_time_seconds=70.0,
        active_agents=3,
        active_hours=4,
        turn_rate=8 / 23.5,
        turns_per_active_hour=2.0,
    )
    assert activity.hours.to_dict("list") == {
        "bucket_start": [
            pd.Timestamp(f"2026-11-22 {hour}:00", tz="UTC") for hour in (10, 11, 13, 14)
        ],
        "turn_count": [1, 1, 1, 5],
        "avg_turn_time_seconds": pytest.approx([float("nan")] * 3 + [70.0], nan_ok=True),
        "active_agents": [1, 1, 1, 2],
    }
    assert activity.projects.to_dict("records") == [
        {
            "project_id": 1,
            "name": "alpha",
            "turn_count": 6,
            "avg_turn_time_seconds": 70.0,
            "active_hours": 2,
            "active_agents": 2,
        },
        {
            "project_id": 2,
            "name": "beta",
            "turn_count": 2,
            "avg_turn_time_seconds": pytest.approx(float("nan"), nan_ok=True),
            "active_hours": 2,
            "active_agents": 1,
        },
    ]
    assert activity.agents[["agent_id", "project_id", "name", "turn_count"]].values.tolist() == [
        [1, 1, "aaaaaaaa", 4],
        [2, 1, "bbbbbbbb", 2],
        [3, 2, "cccccccc", 2],
    ]
    assert activity.newest_bucket == NOW.replace(minute=0)
    assert activity.last_pass_at == NOW


def test_a_month_counts_an_agent_once_however_many_hours_it_worked(reader):
    assert reader.activity(OVERALL, rolling_window("month", NOW)).totals.active_agents == 4


@pytest.mark.parametrize(
    ("scope", "turns", "average", "agents", "projects"),
    [
        (Scope("project", (1,)), 6, 70.0, [1, 2], [1]),
        (Scope("project", (2,)), 2, None, [3], [2]),
        (Scope("agent", (1,)), 4, 90.0, [1], [1]),
        (Scope("agent", (4,)), 0, None, [], []),
    ],
)
def test_a_narrower_scope_sees_only_its_own(*, reader, scope, turns, average, agents, projects):
    activity = reader.activity(scope, rolling_window("day", NOW))

    assert activity.totals.turn_count == turns
    assert activity.totals.avg_turn_time_seconds == average
    assert activity.agents["agent_id"].tolist() == agents
    if scope.kind == "project":
        assert activity.projects["project_id"].tolist() == projects


def test_an_empty_window_tells_when_there_was_activity(reader):
    activity = reader.activity(Scope("agent", (4,)), rolling_window("day", NOW))

    assert activity.newest_bucket == datetime(2026, 11, 12, 14, tzinfo=UTC)
    assert activity.newest_turn_at == minutes_ago(60 * 24 * 10)[0]


def test_the_newest_turn_is_known_when_its_metrics_are_no_longer_kept(reader, empty_engine):
    make_pass(empty_engine, NOW, timedelta(days=1))

    activity = reader.activity(Scope("agent", (4,)), rolling_window("month", NOW))

    assert activity.newest_bucket is None
    assert activity.newest_turn_at == minutes_ago(60 * 24 * 10)[0]


@pytest.mark.parametrize(
    ("kind", "ids"), [("project", (1, 99)), ("agent", (99,)), ("agent", (1, 2, 2**40))]
)
def test_an_unknown_scope_is_an_error_that_names_it(reader, kind, ids):
    with pytest.raises(UnknownScopeError, match=f"no {kind} with id {ids[-1]}"):
        reader.activity(Scope(kind, ids), rolling_window("day", NOW))


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
    activity = MetricReader(empty_engine).activity(OVERALL, rolling_window("week", NOW))

    assert activity.totals == Totals(0, None, 0, 0, 0.0, None)
    assert activity.newest_bucket is None
    assert activity.newest_turn_at is None
    assert activity.last_pass_at is None


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


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
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

    totals = MetricReader(empty_engine).activity(OVERALL, window).totals

    with empty_engine.connect() as conn:
        turns, average, agents = conn.execute(
            WINDOW_TOTALS, {"since": window.since, "until": window.until}
        ).one()
    assert (totals.turn_count, totals.active_agents) == (turns, agents)
    assert totals.avg_turn_time_seconds == (average and pytest.approx(average, abs=1e-6))
