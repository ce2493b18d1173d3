"""API, CSV, Prometheus and notebooks give the time of the stored intervals and runs."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text

from aggregator import load_intervals, load_metrics, load_overview
from aggregator.database.models import Agent, Project, Signal, Task, Turn
from aggregator.metrics.hourly_time import TIMED
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard import formatting
from dashboard.api.blueprint import blueprint
from dashboard.context import PageContext
from dashboard.labels import KIND_LABELS, TIME
from dashboard.page import mount
from dashboard.pictures.picture import Subject, picture

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
EMPTY = "TRUNCATE projects, signals, activity_state RESTART IDENTITY CASCADE"
INTERVALS = text(
    "SELECT kind, greatest(started_at, :since) AS start, least(ended_at, :until) AS end, tool,"
    " is_exact FROM activity_intervals"
    " WHERE agent_id = ANY(:agents) AND ended_at > :since AND started_at < :until"
)
RESPONSES = text(
    "SELECT working_seconds + blocked_seconds FROM activity_runs WHERE is_response"
    " AND agent_id = ANY(:agents) AND ended_at >= :since AND ended_at < :until"
)
STEP = timedelta(minutes=5)
WORKING_IN_STEPS = text(
    "SELECT step, sum(extract(epoch FROM least(ended_at, step + interval '5 min')"
    " - greatest(started_at, step))) FROM generate_series(CAST(:since AS timestamptz),"
    " CAST(:until AS timestamptz) - interval '5 min', interval '5 min') AS step"
    " JOIN activity_intervals ON ended_at > step AND started_at < step + interval '5 min'"
    " WHERE kind = 'working' AND agent_id = ANY(:agents) GROUP BY step"
)
TURNS_IN_STEPS = text(
    "SELECT date_bin('5 min', timestamp, '2000-01-01Z') AS step, count(*) FROM turns"
    " JOIN tasks ON tasks.id = task_id"
    " WHERE agent_id = ANY(:agents) AND timestamp >= :since AND timestamp < :until GROUP BY step"
)
PROJECT_OF = {1: 1, 2: 1, 3: 2}
AUTOMATED = 2
"""The agent that a program started."""
FILTERED = {
    ("overall", "automated"): (2,),
    ("overall", "interactive"): (1, 3),
    ("projects/1", "interactive"): (1,),
    ("projects/2", "automated"): (),
}
TIMED_COLUMNS = (*(f"{kind}_seconds" for kind in TIMED), "turn_count", "responses")
SCOPES = {"overall": (1, 2, 3), "projects/1": (1, 2), "projects/2": (3,), "agents/2": (2,)}


class Run(NamedTuple):
    """A prompt, what the agent did with it, and how long the person then did something else."""

    work: int
    asked: int
    measured: bool
    pause: int


runs = st.builds(
    Run,
    work=st.integers(1, 4000),
    asked=st.integers(0, 900),
    measured=st.booleans(),
    pause=st.integers(1, 6000),
)
histories = st.fixed_dictionaries({agent: st.lists(runs, max_size=12) for agent in PROJECT_OF})


class Everything:
    """A database and a server with its API."""

    def __init__(self, engine) -> None:
        self.engine = engine
        server = Flask("host")
        server.register_blueprint(blueprint(MetricReader(engine), lambda: NOW, RETENTION))
        self.client = server.test_client()

    def fill(self, history: dict[int, list[Run]]) -> None:
        """Write turns and signals, and make a pass."""
        with self.engine.begin() as conn:
            conn.execute(text(EMPTY))
            conn.execute(insert(Project), [{"name": f"p{n}", "path": f"/{n}"} for n in (1, 2)])
            for agent, project in PROJECT_OF.items():
                session = f"session-{agent}"
                origin = "sdk" if agent == AUTOMATED else None
                conn.execute(
                    insert(Agent).values(project_id=project, session_id=session, origin=origin)
                )
                conn.execute(insert(Task).values(agent_id=agent, state="processing"))
            for agent, told in history.items():
                write(conn, agent, told)
        make_pass(self.engine, NOW, RETENTION)

    def intervals(self, agents: tuple[int, ...]) -> list[Any]:
        """Read what is stored of these agents' time in the last 24 hours, clipped."""
        with self.engine.connect() as conn:
            return conn.execute(INTERVALS, {"agents": list(agents), **DAY}).all()

    def responses(self, agents: tuple[int, ...]) -> list[float]:
        with self.engine.connect() as conn:
            return list(conn.scalars(RESPONSES, {"agents": list(agents), **DAY}))

    def get(self, path: str) -> Any:
        answer = self.client.get(f"/api/metrics/{path}")
        assert answer.status_code == 200
        return answer


DAY = {
    "since": NOW.replace(minute=0) - timedelta(hours=23),
    "until": NOW.replace(minute=0) + timedelta(hours=1),
}


def write(conn, agent: int, told: list[Run]) -> None:
    """Write runs one after the other, the last of which ends before now."""
    length = sum(run.work + run.asked + run.pause for run in told)
    at = NOW - timedelta(seconds=length + 60 * agent)
    turns, signals = [], []

    def signal(kind: str, start: datetime, end: datetime | None = None, **facts: Any) -> None:
        common = {"source": None, "tool": None, "mode": None, "milliseconds": None, **facts}
        key = f"{agent}/{len(signals)}"
        own = {"session_id": f"session-{agent}", "kind": kind, "at": start, "until": end}
        signals.append({**own, **common, "key": key})

    for number, run in enumerate(told):
        end = at + timedelta(seconds=run.work + run.asked)
        for actor, when in (("USER", at), ("AGENT", end)):
            key = f"{agent}/{number}/{actor}"
            turns.append({"task_id": agent, "actor": actor, "timestamp": when, "key": key})
        signal("lines", at, end)
        signal("work", at, end, source="reply")
        if run.asked:
            asked = at + timedelta(seconds=run.asked)
            signal("call", at, asked, tool="Edit", mode="default", source="rejected")
        if run.measured:
            signal("duration", end, milliseconds=run.work * 1000)
        at = end + timedelta(seconds=run.pause)
    if turns:
        conn.execute(insert(Turn), turns)
        conn.execute(insert(Signal), signals)


@pytest.fixture
def everything(empty_engine):
    return Everything(empty_engine)


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-5)


@settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(histories)
def test_all_give_the_time_that_is_stored(everything, history):
    everything.fill(history)
    several = everything.get("activity").get_json()
    in_steps = everything.get("activity?freq=5min").get_json()
    for path, agents in SCOPES.items():
        intervals = everything.intervals(agents)
        answer = everything.get(path).get_json()
        check_totals(answer, intervals, everything.responses(agents))
        check_csv(everything.get(f"{path}.csv").text, answer["totals"])
        check_notebook(everything.engine, path, answer["totals"])
        own_steps = check_steps(everything, path, agents, answer)
        check_rows_of_steps(everything, path, own_steps, in_steps)
        kind, _, number = path.partition("/")
        if number:
            own = [each for each in several[kind] if str(each[f"{kind[:-1]}_id"]) == number]
            assert [each["totals"] for each in own] == [answer["totals"]] * len(own)
    for (path, origin), agents in FILTERED.items():
        check_filtered(everything, path, origin, agents)
    check_timeline(everything, (2,))
    check_prometheus(everything)


def test_the_page_and_its_pictures_show_the_time_that_is_stored(everything, visit):
    everything.fill(
        {
            1: [Run(1800, 300, True, 900), Run(600, 0, False, 4000)],
            2: [Run(2400, 120, False, 60), Run(30, 0, True, 30)],
            3: [Run(3000, 900, True, 6000)],
        }
    )
    server = Flask("host")
    mount.mount(server, MetricReader(everything.engine), PageContext(30), now=lambda: NOW)
    page = visit(server)
    for path, agents in SCOPES.items():
        kind, _, number = path.partition("/")
        scope = f"&{kind[:-1]}={number}" if number else ""
        answer = page.update(url=f"?window=last-24-hours&tz=UTC{scope}")
        seconds = defaultdict(float)
        for row in everything.intervals(agents):
            seconds[row.kind] += (row.end - row.start).total_seconds()
        check_page(answer, page.cards(answer), seconds)
        choice = {kind[:-1]: int(number)} if number else {}
        overview = load_overview(everything.engine, window="last-24-hours", now=NOW, **choice)
        traces = picture(overview, {}, Subject(TIME)).data
        check_bars([{"name": trace.name, "y": trace.y} for trace in traces], seconds)


@pytest.mark.parametrize("path", SCOPES)
def test_the_steps_of_the_page_are_those_that_are_stored(everything, visit, path):
    everything.fill(
        {
            1: [Run(1800, 300, True, 900), Run(600, 0, False, 4000)],
            2: [Run(2400, 120, False, 60), Run(30, 0, True, 30)],
            3: [Run(3000, 900, True, 6000)],
        }
    )
    server = Flask("host")
    mount.mount(server, MetricReader(everything.engine), PageContext(30), now=lambda: NOW)
    page, (kind, _, number) = visit(server), path.partition("/")
    scope = f"&{kind[:-1]}={number}" if number else ""
    for metric, statement in (("time", WORKING_IN_STEPS), ("turns", TURNS_IN_STEPS)):
        answer = page.update(url=f"?tz=UTC&step=5min&metric={metric}{scope}")
        with everything.engine.connect() as conn:
            stored = conn.execute(statement, {"agents": list(SCOPES[path]), **DAY}).all()
        assert bars_of(answer, metric) == {at: close(float(value)) for at, value in stored}
    by_hour = everything.get(path).get_json()["history"]
    minutes = page.update(url=f"?tz=UTC&hour={by_hour[-1]['bucket_start']}{scope}")
    assert sum(bars_of(minutes, "time").values()) == close(by_hour[-1]["working_seconds"])


def bars_of(answer: dict[str, Any], metric: str) -> dict[datetime, float]:
    """Add up the stacked bars of working time or of turns, by start of their bucket."""
    sums: dict[datetime, float] = defaultdict(float)
    traces = answer["activity-chart"]["figure"]["data"]
    parts = [each for each in traces if "stackgroup" in each]
    # The bars that take the pointer are what is drawn of turns of a single project.
    own = parts[:1] if metric == "time" else parts or [e for e in traces if e["type"] == "bar"]
    for trace in own:
        # An area has the first and the last bucket twice.
        heights = dict(zip((start for _, start in trace["customdata"]), trace["y"], strict=True))
        for start, height in heights.items():
            sums[datetime.fromisoformat(start)] += height or 0
    return {at: height for at, height in sums.items() if height}


def check_page(answer: dict[str, Any], cards: dict[str, str], seconds: dict[str, float]) -> None:
    """Compare the cards, the bars of the chart, its table and that of agents with intervals."""
    assert cards["card-working"] == formatting.duration(seconds["working"])
    mine = seconds["blocked"] + seconds["waiting"]
    assert cards["card-waiting"] == formatting.duration(mine)
    tables = answer["downloads"]["data"]["tables"]
    for kind in TIMED:
        check_column(tables["chart"], f"{KIND_LABELS[kind]} (s)", seconds[kind])
    check_column(tables["agent-table"], "Working (s)", seconds["working"])
    check_column(tables["agent-table"], "Waiting for me (s)", mine)
    check_bars(answer["activity-chart"]["figure"]["data"], seconds)


def check_column(table: dict[str, Any], name: str, seconds: float) -> None:
    columns = table["columns"]
    # Of projects and agents, those of agents.
    rows = [row for row in table["rows"] if "Agent" not in columns or row[columns.index("Agent")]]
    cells = [row[columns.index(name)] for row in rows]
    # Each cell is rounded to a tenth of a second.
    assert sum(cells) == pytest.approx(seconds, abs=0.05 * len(cells))


def check_bars(traces: list[Any], seconds: dict[str, float]) -> None:
    bars = {trace["name"]: trace["y"] for trace in traces}
    for kind in ("working", "blocked", "waiting"):
        assert np.nansum(np.array(bars[KIND_LABELS[kind]], "float64")) == close(seconds[kind])


def check_totals(answer: dict[str, Any], intervals: list[Any], responses: list[float]) -> None:
    totals, seconds = answer["totals"], defaultdict(float)
    for row in intervals:
        seconds[row.kind] += (row.end - row.start).total_seconds()
        seconds["exact"] += row.is_exact * (row.end - row.start).total_seconds()
    for kind in (*TIMED, "exact"):
        assert totals[f"{kind}_seconds"] == close(seconds[kind])
    for name, kinds in (("working", {"working"}), ("waiting", {"blocked", "waiting"})):
        own = [row for row in intervals if row.kind in kinds]
        at_once = [sum(row.start <= each.start < row.end for row in own) for each in own]
        assert totals[f"peak_{name}_agents"] == max(at_once, default=0)
    assert totals["responses"] == totals["response_times"]["count"] == len(responses)
    assert totals["response_seconds"] == close(sum(responses))
    if responses:
        p50, p90 = np.percentile(responses, [50, 90])
        assert totals["response_times"]["p50_seconds"] == close(p50)
        assert totals["response_times"]["p90_seconds"] == close(p90)
    mine = seconds["blocked"] + seconds["waiting"]
    both = seconds["working"] + mine
    assert totals["utilisation"] == (close(seconds["working"] / both) if both else None)
    blocked = [row for row in intervals if row.kind == "blocked"]
    assert sum(row["calls"] for row in answer["asking"]) == len(blocked)
    assert sum(row["seconds"] for row in answer["asking"]) == close(seconds["blocked"])
    assert {row["tool"] for row in answer["asking"]} == {row.tool for row in blocked}


def check_csv(answer: str, totals: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(answer)))
    for name in ("working_seconds", "blocked_seconds", "waiting_seconds", "responses"):
        assert sum(float(row[name]) for row in rows) == close(totals[name])


def check_notebook(engine, path: str, totals: dict[str, Any]) -> None:
    kind, _, number = path.partition("/")
    choice = {kind[:-1]: int(number)} if number else {}
    asked = {"since": DAY["since"], "until": DAY["until"], "now": NOW, **choice}
    by_day = load_metrics(engine, **asked, freq="day")
    intervals = load_intervals(engine, **asked)
    for name in TIMED:
        assert by_day[f"{name}_seconds"].sum() == close(totals[f"{name}_seconds"])
        stored = intervals.loc[intervals["kind"] == name, "seconds"].sum()
        assert stored == close(totals[f"{name}_seconds"])
    if kind != "agents":
        peaks = [0, *by_day["peak_working_agents"]]
        assert max(peaks) == totals["peak_working_agents"]


def check_filtered(everything: Everything, path: str, origin: str, agents: tuple[int, ...]) -> None:
    answer = everything.get(f"{path}?origin={origin}").get_json()
    totals = answer["totals"]
    assert answer["origin"] == origin
    check_totals(answer, everything.intervals(agents), everything.responses(agents))
    check_csv(everything.get(f"{path}.csv?origin={origin}").text, totals)
    steps = everything.get(f"{path}?origin={origin}&freq=5min").get_json()
    assert steps["totals"] == totals
    for name in ("working_seconds", "blocked_seconds", "turn_count", "responses"):
        assert sum(row[name] for row in steps["history"]) == close(totals[name])
    kind, _, number = path.partition("/")
    choice = {kind[:-1]: int(number)} if number else {}
    asked = {"since": DAY["since"], "until": DAY["until"], "now": NOW, "origin": origin, **choice}
    of_each = load_metrics(everything.engine, **asked)
    intervals = load_intervals(everything.engine, **asked)
    assert of_each["working_seconds"].sum() == close(totals["working_seconds"])
    assert of_each["turn_count"].sum() == totals["turn_count"]
    assert set(intervals["agent_id"]) <= set(agents)
    working = intervals.loc[intervals["kind"] == "working", "seconds"].sum()
    assert working == close(totals["working_seconds"])


def check_steps(
    everything: Everything, path: str, agents: tuple[int, ...], by_hour: dict[str, Any]
) -> dict[str, Any]:
    answer = everything.get(f"{path}?freq=5min").get_json()
    steps = {datetime.fromisoformat(row["bucket_start"]): row for row in answer["history"]}
    for name, statement in (
        ("working_seconds", WORKING_IN_STEPS),
        ("turn_count", TURNS_IN_STEPS),
    ):
        with everything.engine.connect() as conn:
            stored = conn.execute(statement, {"agents": list(agents), **DAY}).all()
        assert {at: row[name] for at, row in steps.items() if row[name]} == {
            at: close(float(value)) for at, value in stored
        }
    assert answer["totals"] == by_hour["totals"]
    for hour in by_hour["history"]:
        start = datetime.fromisoformat(hour["bucket_start"])
        own = [steps[at] for n in range(12) if (at := start + n * STEP) in steps]
        for name in ("turn_count", "gap_count", "blocked_seconds", "exact_seconds", "responses"):
            assert sum(row[name] for row in own) == close(hour[name])
        if hour["peak_waiting_agents"] is not None:
            assert max(row["peak_waiting_agents"] for row in own) == hour["peak_waiting_agents"]
    return answer


def check_rows_of_steps(
    everything: Everything, path: str, answer: dict[str, Any], several: dict[str, Any]
) -> None:
    """Compare CSV, notebooks and the answer about everybody with that of one scope."""
    numbers = {name: [row[name] for row in answer["history"]] for name in TIMED_COLUMNS}
    rows = list(csv.DictReader(io.StringIO(everything.get(f"{path}.csv?freq=5min").text)))
    assert [row["bucket_start"] for row in rows] == [
        row["bucket_start"] for row in answer["history"]
    ]
    kind, _, number = path.partition("/")
    choice = {kind[:-1]: int(number)} if number else {}
    asked = {"since": DAY["since"], "until": DAY["until"], "now": NOW, **choice}
    loaded = load_metrics(everything.engine, **asked, freq="5min")
    every = several[kind] if number else [several["overall"]]
    (one,) = [each for each in every if str(each.get(f"{kind[:-1]}_id", "")) == number] or [{}]
    for name, values in numbers.items():
        assert [float(row[name]) for row in rows] == values
        assert loaded[name].tolist() == values
        filled = dict(zip(several["buckets"], one.get(name, ()), strict=bool(one)))
        assert {at: value for at, value in filled.items() if value} == {
            row["bucket_start"]: row[name] for row in answer["history"] if row[name]
        }


def check_timeline(everything: Everything, agents: tuple[int, ...]) -> None:
    path = f"agents/{agents[0]}/intervals"
    answer = everything.get(path).get_json()["intervals"]
    found = [
        (row["kind"], *(datetime.fromisoformat(row[name]) for name in ("started_at", "ended_at")))
        for row in answer
    ]
    stored = sorted(everything.intervals(agents), key=lambda row: row.start)
    assert found == [(row.kind, row.start, row.end) for row in stored]
    rows = csv.DictReader(io.StringIO(everything.get(f"{path}.csv").text))
    assert [row["started_at"] for row in rows] == [row["started_at"] for row in answer]


def check_prometheus(everything: Everything) -> None:
    families = text_string_to_metric_families(everything.get("prometheus").text)
    samples = [
        sample
        for family in families
        if family.name == "activity_working_seconds"
        for sample in family.samples
        if sample.labels["window"] == "day"
    ]
    overall = everything.get("overall").get_json()["totals"]["working_seconds"]
    assert sum(sample.value for sample in samples) == close(overall)
