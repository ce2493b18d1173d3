from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from aggregator.database.models import Agent
from aggregator.database.source import STANDALONE, Source
from aggregator.metrics.scope import OVERALL, Scope
from aggregator.metrics.spans import Span
from aggregator.metrics.windows import retained_hours, rolling_window
from aggregator.passes.run import make_pass
from aggregator.query.agents.states import read_present
from aggregator.query.reader import MetricReader
from aggregator.query.status import read_status
from aggregator.schema.host import find_source
from aggregator.schema.migrate import upgrade

NOW = datetime(2026, 10, 25, 12, 30, tzinfo=UTC)
DAY = Span(rolling_window("day", NOW), retained_hours(NOW, timedelta(days=30)))


@pytest.fixture
def source(host):
    """The source of a host with unlike tables, whose turns have been counted."""
    host.create_tables()
    host.fill()
    upgrade(host.engine, "activity")
    with host.engine.connect() as conn:
        source = find_source(conn)
    make_pass(host.engine, NOW, timedelta(days=30), source)
    return source


def test_a_source_travels_to_another_process(source):
    assert pickle.loads(pickle.dumps(source)) == source


def test_the_instant_can_be_asked_of_a_row_by_another_name():
    naive = Source(turn_at_column='at "it"', turn_at_is_naive=True)

    assert naive.turn_at_of("NEW") == '(NEW."at ""it""" AT TIME ZONE \'UTC\')'
    assert STANDALONE.turn_at_of("t") == 't."timestamp"'


def test_turns_without_a_zone_are_counted_in_utc(host, source):
    early, late = NOW.replace(hour=0, minute=0), NOW.replace(minute=0)
    with host.engine.connect() as conn:
        rows = conn.execute(
            text(
                "SELECT bucket_start, agent_id, project_id, turn_count, avg_turn_time_seconds, "
                "active_agents FROM activity_metrics ORDER BY 1, 2, 3"
            )
        ).all()

    assert [tuple(row) for row in rows] == [
        (early, 1, None, 3, 90.0, None),
        (early, 2, None, 2, 1800.0, None),
        (early, None, 1, 5, 660.0, 2),
        (early, None, None, 5, 660.0, 2),
        (late, 1, None, 1, None, None),
        (late, 3_000_000_000, None, 1, None, None),
        (late, None, 1, 1, None, 1),
        (late, None, 2, 1, None, 1),
        (late, None, None, 2, None, 2),
    ]


def test_a_host_is_read_like_our_own_tables(host, source):
    reader = MetricReader(host.engine, source)
    activity, breakdown = reader.activity(OVERALL, DAY), reader.breakdown(DAY)

    assert activity.buckets["bucket_start"].tolist() == [
        NOW.replace(hour=0, minute=0),
        NOW.replace(minute=0),
    ]
    assert activity.totals.turn_count == 7
    assert [(one.id, one.name) for one in breakdown.agents] == [
        (1, "agent 1"),
        (2, "agent 2"),
        (3_000_000_000, "agent 3000000000"),
    ]
    assert [(one.name, one.totals.active_agents) for one in breakdown.projects] == [
        ("alpha", 2),
        ("project 2", 1),
    ]
    wide = reader.activity(Scope("agent", (3_000_000_000,)), DAY)
    assert wide.totals.turn_count == 1
    projects, agents = reader.choices()
    assert projects["name"].tolist() == ["alpha", "project 2"]
    assert agents["agent_id"].tolist() == [3_000_000_000, 2, 1]


def test_an_agent_that_loses_its_project_is_no_longer_shown(host, source):
    host.run("UPDATE agents SET project_id = NULL WHERE id = 2")

    reader = MetricReader(host.engine, source)
    breakdown = reader.breakdown(DAY)

    assert [one.id for one in breakdown.agents] == [1, 3_000_000_000]
    days = reader.activity(OVERALL, replace(DAY, freq="day")).buckets["active_agents"]
    assert days.max() == 2
    assert breakdown.totals.active_agents == reader.activity(OVERALL, DAY).totals.active_agents == 2
    assert reader.choices()[1]["agent_id"].tolist() == [3_000_000_000, 1]


def test_ends_without_a_zone_are_in_utc(host, source):
    with host.engine.connect() as conn:
        states = read_present(conn, NOW, source).at(NOW).states

    assert states[["agent_id", "state"]].values.tolist() == [
        [3_000_000_000, "stalled"],
        [1, "working"],
    ]


def test_where_no_end_is_recorded_agents_stay(host, source):
    with host.engine.connect() as conn:
        # Only the end is not as this host has it.
        states = read_present(conn, NOW, replace(source, ended_at_column=None)).at(NOW).states

    assert set(states["agent_id"]) == {1, 2, 3_000_000_000}


def test_the_status_of_a_host_has_no_import(host, source):
    with host.engine.connect() as conn:
        status = read_status(conn, NOW, source)

    assert status["turns"] == {"user": 9, "agent": 3}
    assert status["newest_turn_at"] == "2026-10-25T12:14:00+00:00"
    assert status["last_pass"]["at"] == "2026-10-25T12:30:00+00:00"
    assert status["import"] is None


@pytest.mark.parametrize(
    ("column", "is_id", "value", "name"),
    [
        ("nick", False, "  the navigator of the fleet ", "the navigator of the fleet"),
        ("nick", True, "0f14d0ab-9605-4a62-a9e4-5ed26688389b", "0f14d0ab"),
        ("nick", False, " ", "agent 7"),
        ("nick", True, None, "agent 7"),
        (None, False, "unread", "agent 7"),
    ],
)
def test_an_agent_always_has_a_name(host, column, is_id, value, name):
    host.create_tables(agents__nick="text")
    source = Source(agent_name_column=column, agent_name_is_id=is_id, agent_title_column=None)

    with host.engine.connect() as conn:
        conn.execute(text("INSERT INTO agents (id, nick) VALUES (7, :nick)"), {"nick": value})
        assert conn.scalar(select(source.agent_name).select_from(Agent)) == name
