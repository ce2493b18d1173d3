from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, cast, func, select, text

from aggregator.database.models import ActivityInterval, ActivityRun, Agent, Project, Turn
from aggregator.intervals.kinds import KINDS
from aggregator.passes.run import make_pass
from aggregator.query.agents.states import read_present
from aggregator.standalone.demo import continue_demo, fill_with_demo

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def test_two_months_of_working_hours_and_quiet_weekends_is_made_up(empty_engine):
    turns = fill_with_demo(empty_engine, NOW, NEW_YORK)

    with empty_engine.connect() as conn:
        first, last = conn.execute(select(func.min(Turn.timestamp), func.max(Turn.timestamp))).one()
        local = func.timezone("America/New_York", Turn.timestamp)
        weekend, workday = (
            conn.scalar(select(func.count()).where(func.extract("isodow", local).in_(days)))
            / len(days)
            for days in ((6, 7), (1, 2, 3, 4, 5))
        )
        night = conn.scalar(select(func.count()).where(func.extract("hour", local) < 6))
        assert conn.scalar(select(func.count()).select_from(Project)) == 5
        assert conn.scalar(select(func.count()).select_from(Agent)) == 20
        assert conn.scalar(select(func.count()).select_from(Turn)) == turns > 10_000
    assert NOW - timedelta(days=63) < first < NOW - timedelta(days=57)
    assert NOW - timedelta(minutes=5) < last < NOW
    assert weekend < workday / 5
    assert night < turns / 50


def test_some_agents_are_present_even_in_the_middle_of_the_night(empty_engine):
    fill_with_demo(empty_engine, NOW, NEW_YORK)

    with empty_engine.connect() as conn:
        states = set(read_present(conn, NOW).at(NOW).states["state"])

    assert {"working", "waiting"} <= states


def test_filling_again_replaces_and_the_same_moment_gives_the_same(empty_engine):
    everything = text("SELECT task_id, actor, timestamp, key FROM turns ORDER BY id")
    first = fill_with_demo(empty_engine, NOW, NEW_YORK)
    with empty_engine.connect() as conn:
        before = conn.execute(everything).all()

    second = fill_with_demo(empty_engine, NOW, NEW_YORK)

    with empty_engine.connect() as conn:
        assert conn.execute(everything).all() == before
    assert first == second == len(before)


def test_the_demo_goes_on_and_somebody_always_works(empty_engine):
    fill_with_demo(empty_engine, NOW, NEW_YORK)
    for hour in range(1, 9):
        now = NOW + timedelta(hours=hour)
        assert continue_demo(empty_engine, now, NEW_YORK) > 0

        with empty_engine.connect() as conn:
            assert (
                now - timedelta(minutes=15) < conn.scalar(select(func.max(Turn.timestamp))) <= now
            )
            assert {"working", "waiting"} & set(read_present(conn, now).at(now).states["state"])


def test_it_does_not_matter_how_often_the_demo_goes_on(empty_engine):
    stored = [
        text("SELECT task_id, actor, timestamp, key FROM turns ORDER BY key"),
        text(
            "SELECT session_id, kind, at, until, source, milliseconds, key FROM signals ORDER BY 7"
        ),
    ]

    def after(steps):
        fill_with_demo(empty_engine, NOW, NEW_YORK)
        for step in range(1, steps + 1):
            continue_demo(empty_engine, NOW + timedelta(hours=2) / steps * step, NEW_YORK)
        with empty_engine.connect() as conn:
            return [conn.execute(query).all() for query in stored]

    assert after(1) == after(7)


def test_agents_of_a_demo_work_ask_wait_and_rest_in_plausible_shares(empty_engine):
    fill_with_demo(empty_engine, NOW, NEW_YORK)
    make_pass(empty_engine, NOW, timedelta(days=30))

    with empty_engine.connect() as conn:
        seconds = func.sum(
            func.extract("epoch", ActivityInterval.ended_at - ActivityInterval.started_at)
        )
        of = dict(
            conn.execute(
                select(ActivityInterval.kind, seconds).group_by(ActivityInterval.kind)
            ).all()
        )
        measured = conn.scalar(select(func.avg(cast(ActivityRun.is_exact, Integer))))
    assert set(of) == set(KINDS)
    assert of["blocked"] < of["waiting"] < of["working"]
    assert max(of["stalled"], of["limited"]) < of["working"] / 5
    assert 0.3 < measured < 0.5
