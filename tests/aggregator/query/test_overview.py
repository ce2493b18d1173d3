from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlalchemy import event, text, update

from aggregator.database.models import Agent
from aggregator.database.state import Version
from aggregator.errors import UnknownScopeError
from aggregator.metrics.comparisons import Comparison, Part
from aggregator.metrics.periods import calendar_period, custom_period
from aggregator.metrics.scope import OVERALL, Scope
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader, Totals, Zoom
from tests.no_time import NO_SUMMED_TIME, NO_TIME, turns_of

BERLIN = ZoneInfo("Europe/Berlin")
# Sunday, 15:30 in Berlin.
NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
TODAY = calendar_period("day", date(2026, 11, 22), BERLIN)
WEEK = calendar_period("week", date(2026, 11, 22), BERLIN)
MONTH = calendar_period("month", date(2026, 11, 22), BERLIN)


def utc(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def reader(empty_engine, record):
    """Agents 1 and 2 in project alpha, 3 and 4 in beta."""
    with empty_engine.begin() as conn:
        today, yesterday = utc(22, 14, 20), utc(21, 13, 50)
        record(conn, "alpha", "aaaaaaaa-1", [today, utc(22, 14, 21), utc(22, 9), yesterday])
        record(conn, "alpha", "bbbbbbbb-2", [utc(22, 9, 10), utc(22, 9, 12), utc(21, 20)])
        record(conn, "beta", "cccccccc-3", [utc(22, 9, 50), utc(18, 9), utc(18, 10)])
        record(conn, "beta", "dddddddd-4", [utc(12, 9)])
    make_pass(empty_engine, NOW, RETENTION)
    return MetricReader(empty_engine)


def values(turns, average, agents):
    return {
        "turn_count": turns,
        "avg_turn_time_seconds": average,
        "active_agents": agents,
        **NO_TIME,
    }


NONE = pytest.approx(float("nan"), nan_ok=True)


def read(reader, scope=OVERALL, period=TODAY, retention=RETENTION, **options):
    return reader.overview(scope, period, NOW, retention=retention, **options)


@pytest.mark.parametrize("scope", [OVERALL, Scope("project", (1,)), Scope("agent", (1,))])
def test_steps_add_up_to_the_hours_of_the_day(reader, scope):
    overview = read(reader, scope, zoom=Zoom("5min"))
    zoomed = overview.zoomed()

    assert (overview.freq, zoomed.freq, zoomed.shown) == (
        "hour",
        "5min",
        (utc(21, 23), utc(22, 23)),
    )
    assert len(zoomed.buckets) == 24 * 12
    hours = zoomed.buckets["start"].dt.floor("h")
    assert zoomed.buckets["turn_count"].groupby(hours).sum().tolist() == (
        overview.buckets["turn_count"].tolist()
    )
    phases = zoomed.buckets["phase"].tolist()
    assert phases == ["past"] * (15 * 12 + 6) + ["running"] + ["future"] * 101
    for before, after in ((overview, zoomed), (read(reader, scope), overview)):
        assert before.totals == after.totals
    by_project = zoomed.project_buckets.groupby(["project_id"])["turn_count"].sum()
    assert by_project.to_dict() == dict(
        zip(overview.projects["project_id"], overview.projects["turn_count"], strict=True)
    )


def test_one_hour_has_its_minutes(reader):
    nine = read(reader, zoom=Zoom("1min", utc(22, 9))).zoomed()

    busy = nine.buckets[nine.buckets["turn_count"] > 0]
    assert len(nine.buckets) == 60
    assert nine.shown == (utc(22, 9), utc(22, 10))
    assert [at.minute for at in busy["start"]] == [0, 10, 12, 50]
    # A minute has the gap to the turn before it.
    assert busy["avg_turn_time_seconds"].tolist() == [NONE, NONE, 120.0, NONE]
    assert nine.project_buckets["project_id"].tolist() == [1, 1, 1, 2]
    gone = read(reader, zoom=Zoom("1min", utc(22, 9)), retention=timedelta(hours=2)).zoomed()
    assert set(gone.buckets["phase"]) == {"gone"}
    assert gone.buckets["turn_count"].sum() == 0


def test_a_day_so_far_beside_yesterday_up_to_the_same_time(reader):
    overview = read(reader)

    assert overview.totals == Totals(values(6, 90.0, 3), active_hours=2, elapsed_hours=15.5)
    assert (overview.totals.turn_rate, overview.totals.turns_per_active_hour) == (6 / 15.5, 3.0)
    # The running hour is not over, and yesterday after 15:00 has no counterpart yet.
    assert overview.compared == Comparison(
        kind="before",
        period=TODAY,
        part=Part(utc(21, 23), utc(22, 14)),
        parts=(Part(utc(20, 23), utc(21, 14)),),
        now=Totals(values(4, 120.0, 3), 1, 15),
        then=(Totals(values(1, None, 1), 1, 15),),
    )
    hours = overview.buckets[overview.buckets["turn_count"] > 0]
    assert turns_of(hours) == {
        "start": [utc(22, 9), utc(22, 14)],
        "end": [utc(22, 10), utc(22, 15)],
        "turn_count": [4, 2],
        "avg_turn_time_seconds": [120.0, 60.0],
        "active_agents": [3, 1],
        "phase": ["past", "running"],
    }
    assert overview.buckets["phase"].value_counts().to_dict() == {
        "past": 15,
        "running": 1,
        "future": 8,
    }


def test_projects_and_agents_come_with_the_most_turns_first(reader):
    overview = read(reader)

    assert overview.project_ids == (1, 2)
    assert overview.projects.drop(columns="spark").to_dict("records") == [
        {
            "project_id": 1,
            "name": "alpha",
            "turn_count": 5,
            "avg_turn_time_seconds": 90.0,
            **NO_SUMMED_TIME,
            "active_hours": 2,
            "last_active_at": utc(22, 14, 21),
            "active_agents": 2,
            "response_p50_seconds": NONE,
        },
        {
            "project_id": 2,
            "name": "beta",
            "turn_count": 1,
            "avg_turn_time_seconds": NONE,
            **NO_SUMMED_TIME,
            "active_hours": 1,
            "last_active_at": utc(22, 9, 50),
            "active_agents": 1,
            "response_p50_seconds": NONE,
        },
    ]
    assert overview.agents.drop(columns="spark").to_dict("records")[1] == {
        "agent_id": 2,
        "project_id": 1,
        "name": "bbbbbbbb",
        "turn_count": 2,
        "avg_turn_time_seconds": 120.0,
        **NO_SUMMED_TIME,
        "active_hours": 1,
        "last_active_at": utc(22, 9, 12),
        "ended": False,
        "origin": "",
        "response_p50_seconds": NONE,
    }
    # From midnight in Berlin to the running hour.
    assert overview.agents["spark"].tolist() == [
        [0] * 10 + [1, 0, 0, 0, 0, 2],
        [0] * 10 + [2, 0, 0, 0, 0, 0],
        [0] * 10 + [1, 0, 0, 0, 0, 0],
    ]


def test_an_ended_agent_is_there_for_every_period_in_which_it_worked(reader, empty_engine):
    with empty_engine.begin() as conn:
        conn.execute(update(Agent).where(Agent.id == 2).values(ended_at=utc(22, 10)))
        conn.execute(update(Agent).where(Agent.id == 3).values(ended_at=utc(22, 15)))

    agents = read(reader).agents

    assert agents[["agent_id", "ended"]].values.tolist() == [[1, False], [2, True], [3, False]]
    assert agents["last_active_at"][1] == utc(22, 9, 12)


def test_everyone_includes_those_who_did_nothing_in_the_period(reader):
    agents = read(reader, period=TODAY.earlier(), everyone=True).agents

    assert agents[["agent_id", "turn_count", "active_hours"]].values.tolist() == [
        [1, 1, 1],
        [2, 1, 1],
        [3, 0, 0],
        [4, 0, 0],
    ]
    # Ten days ago is known by the hour only.
    assert agents["last_active_at"].tolist()[2:] == [utc(22, 9, 50), utc(12, 10)]
    assert agents["spark"][3] == [0] * 24


@pytest.mark.parametrize(
    ("scope", "turns", "average", "agents", "projects"),
    [
        (Scope("project", (1,)), 5, 90.0, [1, 2], [1]),
        (Scope("project", (1, 2)), 6, 90.0, [1, 2, 3], [1, 2]),
        (Scope("agent", (3,)), 1, None, [3], [2]),
        (Scope("agent", (2, 3)), 3, 120.0, [2, 3], [1, 2]),
        (Scope("agent", (4,)), 0, None, [], []),
    ],
)
def test_a_scope_is_what_its_projects_or_agents_did(
    *, reader, scope, turns, average, agents, projects
):
    overview = read(reader, scope)

    assert (overview.totals.turn_count, overview.totals.avg_turn_time_seconds) == (turns, average)
    assert overview.agents["agent_id"].tolist() == agents
    assert overview.projects["project_id"].tolist() == projects
    assert overview.projects["turn_count"].sum() == turns
    assert overview.project_buckets["turn_count"].sum() == turns


def test_an_hour_that_two_agents_of_a_project_share_is_one_active_hour(reader):
    projects = read(reader, Scope("agent", (1, 2))).projects

    assert projects[["active_hours", "active_agents"]].values.tolist() == [[2, 2]]


def test_a_project_was_last_active_when_the_scopes_agents_were(reader):
    assert read(reader, Scope("agent", (2,))).projects["last_active_at"].tolist() == [
        utc(22, 9, 12)
    ]


def test_without_its_turns_an_agent_was_active_in_its_newest_bucket_up_to_now(reader, empty_engine):
    with empty_engine.begin() as conn:
        conn.execute(text("DELETE FROM turns"))

    assert read(reader).agents["last_active_at"].tolist() == [NOW, utc(22, 10), utc(22, 10)]


def test_in_an_hour_of_its_own_one_agent_is_active(reader):
    buckets = read(reader, Scope("agent", (1,))).buckets

    assert buckets.loc[buckets["turn_count"] > 0, "active_agents"].tolist() == [1, 1]
    assert buckets["active_agents"].sum() == 2


def test_a_month_is_made_of_local_days_that_count_an_agent_once(reader):
    buckets = read(reader, period=MONTH).buckets.set_index("start")

    assert len(buckets) == 30
    assert buckets.loc[utc(21, 23)].tolist() == [
        utc(22, 23),
        6,
        90.0,
        3,
        *NO_TIME.values(),
        "running",
    ]
    assert buckets.loc[utc(17, 23), ["turn_count", "active_agents"]].tolist() == [2, 1]
    assert buckets["phase"].iloc[-8:].tolist() == ["future"] * 8


def test_what_is_no_longer_kept_counts_nowhere_even_where_it_is_still_there(reader):
    # Kept since Tuesday, 15:00: agent 3's hours on Wednesday are, Thursday before is not.
    overview = read(reader, period=WEEK.earlier(), retention=timedelta(days=5))

    assert overview.kept_since == utc(17, 14)
    assert overview.totals == Totals(values(0, None, 0), 0, 1.0)
    assert set(overview.buckets["phase"]) == {"gone"}
    assert overview.compared is None
    assert overview.agents.empty
    assert read(reader, retention=timedelta(days=5), everyone=True).agents["agent_id"].tolist() == [
        1,
        2,
        3,
    ]
    assert overview.newest_turn_at == utc(22, 14, 21)


def test_a_day_kept_in_part_is_gone_unless_it_still_shows_something(reader):
    period = custom_period(date(2026, 11, 12), date(2026, 11, 22), BERLIN)

    def phases(retention: timedelta) -> list[str]:
        return read(reader, period=period, retention=retention).buckets["phase"].tolist()

    # Agent 4 spoke on the 12th at 9:00.
    assert phases(NOW - utc(12, 9)) == ["past"] * 10 + ["running"]
    assert phases(NOW - utc(12, 10)) == ["gone"] + ["past"] * 9 + ["running"]


def test_a_sparkline_begins_with_what_is_kept_and_ends_now(reader):
    overview = read(reader, period=WEEK, retention=timedelta(days=1, hours=12))

    # Kept since Saturday, 3:00: quarters from Saturday to this afternoon.
    assert overview.agents["spark"].tolist()[0] == [0, 0, 1, 0, 0, 1, 2]
    assert overview.projects["spark"].tolist()[0] == [0, 0, 1, 1, 0, 3, 2]


def test_turns_of_a_clock_that_is_ahead_have_not_happened_yet(reader, empty_engine, record):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "aaaaaaaa-1", [utc(22, 17)])
    make_pass(empty_engine, NOW, RETENTION)

    overview = read(reader, everyone=True)

    assert overview.totals.turn_count == 6
    assert overview.agents["last_active_at"][0] == utc(22, 14, 21)
    assert overview.newest_bucket == utc(22, 14)


def test_the_pattern_counts_hours_that_are_kept_and_over(reader):
    overview = read(reader)
    pattern = overview.pattern.set_index(["weekday", "hour"])

    assert (overview.pattern_since, overview.pattern_until) == (
        date(2026, 10, 26),
        date(2026, 11, 22),
    )
    # Sundays at 10, of which there were four; this one at 15 is not over.
    assert pattern.loc[(6, 10)].tolist() == [4, 4, 120.0, 3, *NO_TIME.values()]
    assert pattern.loc[(6, 15), ["hours", "turn_count"]].tolist() == [3, 0]
    assert pattern["hours"].sum() == 28 * 24 - 9


def test_the_pattern_of_an_earlier_period_ends_with_it(reader):
    overview = read(reader, period=WEEK.earlier())

    assert overview.pattern_until == date(2026, 11, 15)
    assert overview.pattern["turn_count"].sum() == 1
    # The rest of the four weeks is no longer kept.
    assert overview.pattern["hours"].sum() == (utc(15, 23) - utc(23, 14, month=10)) // timedelta(
        hours=1
    )


def test_the_day_that_begins_within_the_hour_is_empty(reader):
    tomorrow = read(reader, period=TODAY.later(), everyone=True)

    assert tomorrow.totals == Totals(values(0, None, 0), 0, 1.0)
    assert set(tomorrow.buckets["phase"]) == {"future"}
    assert tomorrow.agents["spark"].tolist() == [[], [], [], []]
    assert tomorrow.pattern_until == date(2026, 11, 22)
    assert tomorrow.newest_turn_at == utc(22, 14, 21)


def test_an_unknown_member_of_a_scope_is_named(reader):
    with pytest.raises(UnknownScopeError, match="no agent with id 9") as caught:
        read(reader, Scope("agent", (1, 9)))

    assert (caught.value.kind, caught.value.scope_ids) == ("agent", {9})


def test_the_version_tells_of_the_last_pass_and_the_last_change(reader, empty_engine):
    later = NOW + timedelta(minutes=5)
    make_pass(empty_engine, later, RETENTION)

    assert reader.version(later) == Version(later, changed_at=NOW, last_pass_at=later)


def test_an_empty_database_has_an_overview_and_a_version(empty_engine):
    reader = MetricReader(empty_engine)
    overview = read(reader, period=MONTH, everyone=True)

    assert overview.totals == Totals(values(0, None, 0), 0, elapsed_hours=21 * 24 + 15.5)
    assert overview.agents.empty
    assert overview.states.empty
    assert overview.newest_turn_at is None
    assert reader.version(NOW) == Version(NOW, None, None)


def test_frames_have_the_same_types_with_and_without_rows(reader, empty_engine):
    def types(overview) -> dict[str, pd.Series]:
        frames = ("buckets", "project_buckets", "pattern", "projects", "agents", "states")
        return {name: getattr(overview, name).dtypes.to_dict() for name in frames}

    full = types(read(reader))
    with empty_engine.begin() as conn:
        conn.execute(text("TRUNCATE projects CASCADE"))

    assert types(read(reader)) == full


def test_the_hours_of_agents_are_added_up_before_they_travel(reader, empty_engine):
    with empty_engine.begin() as conn:
        conn.execute(
            text(
                """
                WITH more AS (
                    INSERT INTO agents (project_id, session_id)
                    SELECT 1 + i % 2, 'more-' || i FROM generate_series(1, 50) i RETURNING id
                )
                INSERT INTO activity_metrics (bucket_start, agent_id, turn_count)
                SELECT at, id, 1 FROM more, generate_series(
                    '2026-11-01Z'::timestamptz, '2026-11-11Z', '1 hour') at
                """
            )
        )
    travelled: list[int] = []

    def note(conn, cursor, *_):
        travelled.append(cursor.rowcount)

    event.listen(empty_engine, "after_cursor_execute", note)
    try:
        overview = read(reader, period=MONTH)
    finally:
        event.remove(empty_engine, "after_cursor_execute", note)

    assert len(overview.agents) == 54
    assert max(travelled) == 54
