"""Overviews of random histories, against plain loops over the turns themselves.

The loops know one rule: a bucket belongs to the local day in which it starts. They walk
over hours and ask the clock on the wall; edges, SQL and pandas do not occur in them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, text

from aggregator.database.models import Agent, Project, Task, Turn
from aggregator.metrics.measures import TURN_MEASURES
from aggregator.metrics.periods import (
    Period,
    calendar_period,
    custom_period,
    last_days,
    last_hours,
)
from aggregator.metrics.scope import OVERALL, Scope
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader, Totals

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CLOCKS_CHANGE = {
    "Europe/Berlin": (date(2026, 10, 25), date(2026, 3, 29)),
    "America/New_York": (date(2026, 11, 1), date(2026, 3, 8)),
    "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5)),
    "Asia/Kolkata": (date(2026, 11, 1),),
    "Asia/Kathmandu": (date(2026, 11, 1),),
    "UTC": (date(2026, 11, 1),),
}
PROJECT_OF = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}
SCOPES = (
    OVERALL,
    Scope("project", (1,)),
    Scope("project", (2, 3)),
    Scope("agent", (3,)),
    Scope("agent", (1, 2, 5)),
)


class Said(NamedTuple):
    agent: int
    at: datetime

    @property
    def hour(self) -> datetime:
        return self.at.replace(minute=0, second=0, microsecond=0)


class Case(NamedTuple):
    turns: list[Said]
    times: list[Said]
    scope: Scope
    period: Period
    now: datetime
    retention: timedelta


@st.composite
def cases(draw) -> Case:
    zone_name = draw(st.sampled_from(sorted(CLOCKS_CHANGE)))
    zone = ZoneInfo(zone_name)
    change = draw(st.sampled_from(CLOCKS_CHANGE[zone_name]))
    changed = datetime(change.year, change.month, change.day, tzinfo=UTC)
    now = changed + timedelta(minutes=draw(st.integers(-2 * 24 * 60, 12 * 24 * 60)))
    today = now.astimezone(zone).date()
    on = today - timedelta(days=draw(st.integers(-1, 16)))
    names = ["day", "week", "month", "custom", "last-24-hours", "last-7-days"]
    name = draw(st.sampled_from(names))
    length = timedelta(days=draw(st.integers(0, 12)))
    period = {
        "custom": lambda: custom_period(on - length, on, zone),
        "last-24-hours": lambda: last_hours(now - length, zone),
        "last-7-days": lambda: last_days(name, on, zone),
    }.get(name, lambda: calendar_period(name, on, zone))()
    # Around the period most of all, but also before it and after now; agents in company.
    around = st.integers(-26 * 60, (period.last - period.first).days * 24 * 60 + 50 * 60)
    bursts = st.tuples(
        around | around | st.integers(-24 * 24 * 60, 20 * 60),
        st.lists(
            st.tuples(st.sampled_from(sorted(PROJECT_OF)), st.integers(0, 3_900_000)),
            min_size=3,
            max_size=7,
        ),
    )
    midnight = datetime(period.first.year, period.first.month, period.first.day, tzinfo=UTC)
    turns = {
        Said(agent, midnight + timedelta(minutes=minutes, milliseconds=milliseconds))
        for minutes, said in draw(st.lists(bursts, min_size=5, max_size=15))
        for agent, milliseconds in said
    }
    retention = timedelta(days=draw(st.sampled_from([30, 90, 4])))
    times = [
        Said(agent, midnight + timedelta(minutes=minutes))
        for agent, minutes in draw(
            st.lists(st.tuples(st.sampled_from(sorted(PROJECT_OF)), around), max_size=20)
        )
    ]
    return Case(sorted(turns), times, draw(st.sampled_from(SCOPES)), period, now, retention)


class Oracle:
    """The expected overview of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        scope, zone = case.scope, case.period.zone
        self.running = Said(0, case.now).hour
        self.kept_since = Said(0, case.now - case.retention).hour
        self.turns = [
            turn
            for turn in case.turns
            if self.kept_since <= turn.hour <= self.running
            and (
                scope.kind == "overall"
                or (turn.agent if scope.kind == "agent" else PROJECT_OF[turn.agent]) in scope.ids
            )
        ]
        period, today = case.period, self.running.date()
        oldest = min(today - 30 * DAY, period.first - (period.last - period.first) - 32 * DAY)
        newest = max(today, period.last) + 2 * DAY
        start = datetime(oldest.year, oldest.month, oldest.day, tzinfo=UTC)
        every_hour = [start + number * HOUR for number in range((newest - oldest).days * 24)]
        self.wall = {hour: hour.astimezone(zone).replace(tzinfo=None) for hour in every_hour}

    def told(self, hour: datetime) -> bool:
        return self.kept_since <= hour <= self.running

    @cached_property
    def own(self) -> list[datetime]:
        """The hours of the period, oldest first."""
        if self.case.period.end:
            return [self.case.period.end + number * HOUR for number in range(-24, 0)]
        return self.hours(self.case.period.first, self.case.period.last)

    def hours(self, first: date, last: date) -> list[datetime]:
        return [hour for hour, wall in self.wall.items() if first <= wall.date() <= last]

    def average(self, turns: list[Said]) -> float | None:
        by_agent_and_hour = defaultdict(list)
        for turn in turns:
            by_agent_and_hour[turn.agent, turn.hour].append(turn.at)
        gaps = [
            (later - earlier).total_seconds()
            for instants in by_agent_and_hour.values()
            for earlier, later in pairwise(sorted(instants))
        ]
        return pytest.approx(sum(gaps) / len(gaps), abs=1e-6) if gaps else None

    def totals(self, hours: list[datetime]) -> Totals:
        wanted = {hour for hour in hours if self.told(hour)}
        turns = [turn for turn in self.turns if turn.hour in wanted]
        elapsed = len(wanted)
        if self.running in wanted:
            elapsed += (self.case.now - self.running) / HOUR - 1
        active = len({turn.hour for turn in turns})
        values = {
            "turn_count": len(turns),
            "avg_turn_time_seconds": self.average(turns),
            "active_agents": len({turn.agent for turn in turns}),
        }
        return Totals(values, active, elapsed_hours=pytest.approx(max(1, elapsed)))

    def bins(self, key) -> list[list[datetime]]:
        """Group the hours of the period by a key, oldest first."""
        groups = defaultdict(list)
        for hour in self.own:
            groups[key(hour)].append(hour)
        return list(groups.values())

    def chart_bins(self) -> list[list[datetime]]:
        hourly = self.case.period.end or (self.case.period.last - self.case.period.first < 8 * DAY)
        return self.bins((lambda hour: hour) if hourly else (lambda hour: self.wall[hour].date()))

    def spark_bins(self) -> list[list[datetime]]:
        days = (self.case.period.last - self.case.period.first).days + 1
        if self.case.period.end or days == 1 or days > 8:
            return self.chart_bins()
        return self.bins(lambda hour: (self.wall[hour].date(), self.wall[hour].hour // 6))

    def bucket(self, hours: list[datetime]) -> list[object]:
        turns = [turn for turn in self.turns if turn.hour in hours]
        start, end = hours[0], hours[-1] + HOUR
        if start > self.case.now:
            phase = "future"
        elif end > self.case.now:
            phase = "running"
        elif end <= self.kept_since or (start < self.kept_since and not turns):
            phase = "gone"
        else:
            phase = "past"
        average, agents = self.average(turns), len({turn.agent for turn in turns})
        return [start, end, len(turns), average, agents, phase]

    def spark(self, turns: list[Said]) -> list[int]:
        bins = [hours for hours in self.spark_bins() if any(map(self.told, hours))]
        return [sum(turn.hour in hours for turn in turns) for hours in bins]

    def group(self, key: int, turns: list[Said]) -> list[object]:
        hours = len({turn.hour for turn in turns})
        return [key, len(turns), self.average(turns), hours, self.spark(turns)]

    def groups(self, key) -> list[list[object]]:
        """Return the numbers of each agent or project in the period, most turns first."""
        wanted = set(self.own)
        found = defaultdict(list)
        for turn in self.turns:
            if turn.hour in wanted:
                found[key(turn.agent)].append(turn)
        rows = [self.group(group, turns) for group, turns in found.items()]
        return sorted(rows, key=lambda row: (-row[1], row[0]))

    def last_active(self, agents: set[int]) -> datetime:
        mine = [turn for turn in self.turns if turn.agent in agents]
        exact = [turn.at for turn in mine if self.case.now - DAY < turn.at <= self.case.now]
        return max(exact, default=min(max(turn.hour for turn in mine) + HOUR, self.case.now))

    def comparison(self) -> list[object] | None:
        facts = [*self.case.turns, *self.case.times]
        if not facts or self.own[0] >= self.running:
            return None
        known, used = self.since(facts), self.since([f for f in facts if self.in_scope(f.agent)])
        if self.case.period.name in ("day", "last-24-hours"):
            weeks = [self.week_before(week) for week in (1, 2, 3, 4)]
            usual = [hours for hours in weeks if hours and hours[0] >= max(used, known)]
            if len(usual) >= 2:
                return ["usual", self.totals(self.over(self.own)), *map(self.totals, usual)]
        now, then = self.before()
        if not then or then[0] < known:
            return None
        return ["before", self.totals(now), self.totals(then)]

    def in_scope(self, agent: int) -> bool:
        scope = self.case.scope
        ids = agent if scope.kind == "agent" else PROJECT_OF[agent]
        return scope.kind == "overall" or ids in scope.ids

    def since(self, facts: list[Said]) -> datetime:
        """Return the first hour of the day with the oldest fact, or of what is retained."""
        zone = self.case.period.zone
        if not facts:
            return self.case.period.until
        day = min(fact.hour for fact in facts).astimezone(zone).date()
        first = next((hour for hour, wall in self.wall.items() if wall.date() >= day), None)
        return max(self.kept_since, first)

    def over(self, hours: list[datetime]) -> list[datetime]:
        return [hour for hour in hours if hour < self.running]

    def week_before(self, weeks: int) -> list[datetime]:
        shift, period = 7 * weeks * DAY, self.case.period
        whole = self.own[-1] < self.running
        clock = self.own[-1] + HOUR if whole else self.running
        if period.end:
            start, end = (
                at.astimezone(period.zone).replace(tzinfo=None) - shift
                for at in (self.own[0], clock)
            )
            return [hour for hour, wall in self.wall.items() if start <= wall < end]
        then = self.hours(period.first - shift, period.last - shift)
        end = self.wall[clock] - shift
        return then if whole else [hour for hour in then if self.wall[hour] < end]

    def before(self) -> tuple[list[datetime], list[datetime]]:
        period, now = self.case.period, self.over(self.own)
        if period.end:
            return now, [hour - DAY for hour in now]
        first, last = period.first - (period.last - period.first) - DAY, period.first - DAY
        if period.name == "month":
            first = last.replace(day=1)
        shared = min(period.last - period.first, last - first)
        shift = period.first - first
        now = [hour for hour in now if self.wall[hour].date() <= period.first + shared]
        then = self.hours(first, first + shared)
        if self.running in self.hours(period.first, period.first + shared):
            clock = self.wall[self.running]
            then = [hour for hour in then if self.wall[hour] < clock - shift]
        return now, then

    def pattern(self) -> list[list[object]]:
        last = min(self.case.period.last, self.wall[self.running].date())
        kinds = defaultdict(list)
        for hour in self.hours(last - 27 * DAY, last):
            if self.kept_since <= hour < self.running:
                kinds[self.wall[hour].weekday(), self.wall[hour].hour].append(hour)
        rows = []
        for kind in [(weekday, hour) for weekday in range(7) for hour in range(24)]:
            turns = [turn for turn in self.turns if turn.hour in kinds[kind]]
            agents = len({(turn.agent, turn.hour) for turn in turns})
            rows.append([*kind, len(kinds[kind]), len(turns), self.average(turns), agents])
        return rows


def of_turns(totals: Totals) -> Totals:
    """Leave out the measures of time."""
    values = {each.column: totals.values[each.column] for each in TURN_MEASURES}
    return replace(totals, values=values)


def rows(frame: pd.DataFrame, *columns: str) -> list[list[object]]:
    """Convert a frame to plain lists, with None for missing values."""
    return [
        [None if pd.api.types.is_scalar(value) and pd.isna(value) else value for value in row]
        for row in frame[list(columns)].astype("object").to_numpy().tolist()
    ]


def store(engine: Engine, case: Case, add_time_rows) -> None:
    """Write the turns, and make a pass with a longer retention than the overview's.

    Hours that have only time change nothing of what is counted here.
    """
    agents = sorted(PROJECT_OF)
    with engine.begin() as conn:
        conn.execute(text("TRUNCATE projects RESTART IDENTITY CASCADE"))
        conn.execute(insert(Project), [{"name": f"p{n}", "path": f"/p{n}"} for n in (1, 2, 3)])
        conn.execute(
            insert(Agent), [{"project_id": PROJECT_OF[n], "session_id": f"a{n}"} for n in agents]
        )
        conn.execute(insert(Task), [{"agent_id": n, "state": "processing"} for n in agents])
        turns = [
            {"task_id": turn.agent, "actor": "AGENT", "timestamp": turn.at, "key": str(number)}
            for number, turn in enumerate(case.turns)
        ]
        if turns:
            conn.execute(insert(Turn), turns)
    make_pass(engine, case.now, timedelta(days=120))
    add_time_rows(engine, case.times)


@settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cases())
def test_an_overview_equals_a_plain_count_over_the_turns(empty_engine, add_time_rows, case):
    store(empty_engine, case, add_time_rows)
    period, oracle = case.period, Oracle(case)

    overview = MetricReader(empty_engine).overview(
        case.scope, period, case.now, retention=case.retention
    )

    assert overview.kept_since == oracle.kept_since
    assert of_turns(overview.totals) == oracle.totals(oracle.own)
    compared = overview.compared
    totals = compared and map(of_turns, (compared.now, *compared.then))
    assert (compared and [compared.kind, *totals]) == oracle.comparison()
    buckets = ("start", "end", "turn_count", "avg_turn_time_seconds", "active_agents", "phase")
    assert rows(overview.buckets, *buckets) == [
        oracle.bucket(hours) for hours in oracle.chart_bins()
    ]
    assert rows(overview.project_buckets, "start", "project_id", "turn_count") == [
        [hours[0], project, turns]
        for hours in oracle.chart_bins()
        for project in overview.projects["project_id"]
        if (turns := sum(t.hour in hours and PROJECT_OF[t.agent] == project for t in oracle.turns))
    ]
    pattern = ("weekday", "hour", "hours", "turn_count", "avg_turn_time_seconds", "active_agents")
    assert rows(overview.pattern, *pattern) == oracle.pattern()
    numbers = ("turn_count", "avg_turn_time_seconds", "active_hours", "spark")
    # Agents and projects may have time alone.
    silent = overview.agents.loc[overview.agents["turn_count"] == 0, "agent_id"]
    assert set(silent) <= {agent for agent, _ in case.times}
    agents, projects = (
        found[found["turn_count"] > 0] for found in (overview.agents, overview.projects)
    )
    assert rows(projects, "project_id", *numbers) == oracle.groups(PROJECT_OF.get)
    assert rows(agents, "agent_id", *numbers) == oracle.groups(lambda agent: agent)
    assert agents["last_active_at"].tolist() == [
        oracle.last_active({agent}) for agent in agents["agent_id"]
    ]
    of_scope = {turn.agent for turn in oracle.turns}
    assert projects["last_active_at"].tolist() == [
        oracle.last_active({agent for agent in of_scope if PROJECT_OF[agent] == project})
        for project in projects["project_id"]
    ]
    assert projects["active_agents"].tolist() == [
        sum(agents["project_id"] == project) for project in projects["project_id"]
    ]
    assert overview.newest_bucket == max((turn.hour for turn in oracle.turns), default=None)
