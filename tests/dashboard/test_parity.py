"""One truth: page, API, CSV, notebook and plain SQL over the turns give the same totals."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from aggregator import load_metrics
from aggregator.database.models import Agent, Project, Task, Turn
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard import api, formatting
from dashboard.context import PageContext
from dashboard.page import mount
from tests.no_time import NO_TIME

RETENTION_DAYS = 20
RETENTION = timedelta(days=RETENTION_DAYS)
PROJECT_OF = {1: 1, 2: 1, 3: 2, 4: 2}
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


class Case(NamedTuple):
    """A history of turns and of hours that have only time, and a viewer."""

    turns: list[tuple[int, datetime]]
    times: list[tuple[int, datetime]]
    now: datetime
    zone: str
    window: str
    offset: int
    scope: tuple[str, int] | None

    @property
    def days(self) -> tuple[date, date]:
        """Return the first day, and the day after the last, by the local calendar."""
        # The local day of the running bucket.
        day = self.now.replace(minute=0).astimezone(ZoneInfo(self.zone)).date()
        if self.window == "day":
            first = day + timedelta(days=self.offset)
            return first, first + timedelta(days=1)
        if self.window == "week":
            first = day - timedelta(days=day.weekday() - 7 * self.offset)
            return first, first + timedelta(days=7)
        months = day.year * 12 + day.month - 1 + self.offset
        return (
            date(months // 12, months % 12 + 1, 1),
            date((months + 1) // 12, (months + 1) % 12 + 1, 1),
        )


@st.composite
def cases(draw) -> Case:
    now = datetime(2026, 11, 3, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 20 * 1440)))
    ago = st.one_of(st.floats(0, 3 * 60), st.floats(0, 3 * 1440), st.floats(0, 30 * 1440))
    turns, times = (
        draw(st.lists(st.tuples(st.sampled_from(sorted(PROJECT_OF)), ago), max_size=size))
        for size in (40, 20)
    )
    scopes = st.sampled_from([None, ("project", 1), ("project", 2), ("agent", 1), ("agent", 3)])
    return Case(
        [(agent, now - timedelta(minutes=minutes)) for agent, minutes in turns],
        [(agent, now - timedelta(minutes=minutes)) for agent, minutes in times],
        now,
        draw(st.sampled_from(ZONES)),
        draw(st.sampled_from(["day", "week", "month"])),
        draw(st.integers(-3, 0)),
        draw(scopes),
    )


# A day begins with the first full hour of UTC that is not before its midnight.
ORACLE = text(
    """
    WITH asked AS (
        SELECT greatest(
            date_trunc('hour', (:first)::timestamp AT TIME ZONE :zone + interval '59:59.999999'),
            date_trunc('hour', :now - :retention)
        ) AS since,
        least(
            date_trunc('hour', (:end)::timestamp AT TIME ZONE :zone + interval '59:59.999999'),
            date_trunc('hour', :now) + interval '1 hour'
        ) AS until
    ), said AS (
        SELECT a.id AS agent, date_trunc('hour', t.timestamp) AS hour,
            t.timestamp - lag(t.timestamp) OVER (
                PARTITION BY a.id, date_trunc('hour', t.timestamp) ORDER BY t.timestamp
            ) AS gap
        FROM turns t JOIN tasks k ON k.id = t.task_id JOIN agents a ON a.id = k.agent_id, asked
        WHERE t.timestamp >= since AND t.timestamp < until
            AND (:project = 0 OR a.project_id = :project) AND (:agent = 0 OR a.id = :agent)
    )
    SELECT count(*) AS turn_count, extract(epoch FROM avg(gap))::float8 AS avg_turn_time_seconds,
        count(DISTINCT agent) AS active_agents, count(DISTINCT hour) AS active_hours,
        count(*) / greatest(1, extract(epoch FROM
            (SELECT least(until, :now) - since FROM asked)) / 3600)::float8 AS turn_rate
    FROM said
    """
)


class Everything:
    """A database, and a server with page and API at a time that tests can set."""

    def __init__(self, engine, visit, add_time_rows) -> None:
        self.engine, self.visit, self.add_time_rows = engine, visit, add_time_rows
        self.serve(datetime(2026, 11, 22, tzinfo=UTC))

    def serve(self, now: datetime) -> None:
        """Start a server at an instant. It remembers contents, so each history needs its own."""
        reader, server = MetricReader(self.engine), Flask("host")
        server.register_blueprint(api.blueprint(reader, lambda: now, RETENTION))
        mount.mount(server, reader, PageContext(RETENTION_DAYS), now=lambda: now)
        self.page = self.visit(server)
        self.client = server.test_client()

    def fill(self, case: Case) -> None:
        """Write the history of a case, and make a pass."""
        self.serve(case.now)
        with self.engine.begin() as conn:
            conn.execute(text("TRUNCATE projects, activity_state RESTART IDENTITY CASCADE"))
            conn.execute(
                insert(Project), [{"name": f"p{one}", "path": f"/{one}"} for one in (1, 2)]
            )
            agents = [
                {"id": agent, "project_id": project, "session_id": f"agent-{agent}"}
                for agent, project in PROJECT_OF.items()
            ]
            conn.execute(insert(Agent), agents)
            tasks = [{"id": one, "agent_id": one, "state": "processing"} for one in PROJECT_OF]
            conn.execute(insert(Task), tasks)
            turns = [
                {"task_id": agent, "actor": "AGENT", "timestamp": at, "key": str(number)}
                for number, (agent, at) in enumerate(case.turns)
            ]
            if turns:
                conn.execute(insert(Turn), turns)
        make_pass(self.engine, case.now, RETENTION)
        self.add_time_rows(self.engine, case.times)

    def oracle(self, case: Case) -> dict[str, Any]:
        """Compute the expected totals."""
        kind, scope_id = case.scope or ("", 0)
        first, end = case.days
        values = {
            "first": first.isoformat(),
            "end": end.isoformat(),
            "zone": case.zone,
            "now": case.now,
            "retention": RETENTION,
            "project": scope_id if kind == "project" else 0,
            "agent": scope_id if kind == "agent" else 0,
        }
        with self.engine.connect() as conn:
            return dict(conn.execute(ORACLE, values).one()._mapping)

    def api(self, case: Case, form: str = "") -> Any:
        """Return the API's answer about the scope, as JSON or with ``.csv``."""
        path = f"{case.scope[0]}s/{case.scope[1]}" if case.scope else "overall"
        answer = self.client.get(f"/api/metrics/{path}{form}?{_query(case)}")
        assert answer.status_code == 200
        return _rows(answer.text) if form else answer.get_json()

    def breakdown(self, case: Case, form: str = "") -> Any:
        """Return the API's answer about everybody."""
        answer = self.client.get(f"/api/metrics/activity{form}?{_query(case)}")
        assert answer.status_code == 200
        return _rows(answer.text) if form else answer.get_json()


def _query(case: Case) -> str:
    return f"window={case.window}&offset={case.offset}&tz={case.zone}"


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def everything(empty_engine, visit, add_time_rows):
    return Everything(empty_engine, visit, add_time_rows)


def close(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, rel=1e-12, abs=1e-6)


def pooled(rows: list[tuple[float, int]]) -> float | None:
    """Combine averages, each weighted by its number of gaps."""
    gaps = sum(count for _, count in rows)
    return sum(average * count for average, count in rows if count) / gaps if gaps else None


@settings(
    max_examples=settings().max_examples // 3,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(cases())
def test_all_give_the_same_totals(everything, texts, case):
    everything.fill(case)
    truth = everything.oracle(case)

    totals = everything.api(case)["totals"]
    assert {name: totals[name] for name in truth} == {
        **truth,
        "avg_turn_time_seconds": close(truth["avg_turn_time_seconds"]),
        "turn_rate": close(truth["turn_rate"]),
    }
    check_csv(everything.api(case, ".csv"), truth, totals)
    check_notebook(everything.engine, case, truth)
    check_page(everything.page, case, totals)
    check_fleet(everything, case, totals)


def check_csv(rows: list[dict[str, str]], truth: dict[str, Any], totals: dict[str, Any]) -> None:
    averages = [(float(row["avg_turn_time_seconds"] or 0), int(row["gap_count"])) for row in rows]
    assert sum(int(row["turn_count"]) for row in rows) == truth["turn_count"]
    assert sum(row["turn_count"] != "0" for row in rows) == truth["active_hours"]
    assert pooled(averages) == close(totals["avg_turn_time_seconds"])


def check_notebook(engine, case: Case, truth: dict[str, Any]) -> None:
    first, end = case.days
    choice: dict[str, Any] = {case.scope[0]: case.scope[1]} if case.scope else {}
    asked: dict[str, Any] = {"since": first, "until": end, "tz": case.zone, "now": case.now}
    metrics = load_metrics(engine, **choice, **asked)
    by_day = load_metrics(engine, **choice, **asked, freq="day", fill=True)
    agents = load_metrics(engine, scope="agent", **choice, **asked)

    for frame in (metrics, by_day):
        averages = zip(frame["avg_turn_time_seconds"], frame["gap_count"], strict=True)
        assert frame["turn_count"].sum() == truth["turn_count"]
        assert pooled(list(averages)) == close(truth["avg_turn_time_seconds"])
    assert (metrics["turn_count"] > 0).sum() == truth["active_hours"]
    assert agents[agents["turn_count"] > 0]["agent_id"].nunique() == truth["active_agents"]


def check_page(shown, case: Case, totals: dict[str, Any]) -> None:
    scope = f"&{case.scope[0]}={case.scope[1]}" if case.scope else ""
    first, _ = case.days
    search = f"?window={case.window}&on={first}&tz={case.zone}{scope}&metric=turns"
    answer = shown.update(url=search)
    columns = answer["downloads"]["data"]["tables"]["chart"]["columns"]
    rows = answer["downloads"]["data"]["tables"]["chart"]["rows"]

    assert sum(row[columns.index("Turns")] or 0 for row in rows) == totals["turn_count"]
    if totals["turn_count"]:
        assert (
            shown.cards(answer).items()
            >= {
                "card-turns": formatting.count(totals["turn_count"]),
                "card-turn-rate": formatting.rate(totals["turn_rate"]),
                "card-turn-time": formatting.duration(totals["avg_turn_time_seconds"]),
                "card-active-agents": formatting.count(totals["active_agents"]),
            }.items()
        )


def check_fleet(everything: Everything, case: Case, totals: dict[str, Any]) -> None:
    """Check that the scope's part of the answer about everybody has the same numbers."""
    answer, rows = everything.breakdown(case), everything.breakdown(case, ".csv")
    kind, scope_id = case.scope or ("overall", 0)
    found, own = [answer["overall"]], [row for row in rows if row["scope"] == "overall"]
    if case.scope:
        found = [one for one in answer[f"{kind}s"] if one[f"{kind}_id"] == scope_id]
        own = [row for row in rows if (row["scope"], row[f"{kind}_id"]) == (kind, str(scope_id))]
    if not found:
        # There are neither turns nor time.
        assert not any(value for name, value in totals.items() if name in NO_TIME or "turn" in name)
        assert own == []
        return
    assert [one["totals"] for one in found] == [totals]
    assert sum(found[0]["turn_count"]) == totals["turn_count"]
    assert [int(row["turn_count"]) for row in own] == found[0]["turn_count"]
    assert [row["bucket_start"] for row in own] == answer["buckets"]
