from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Blueprint, Flask
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from sqlalchemy import insert, text

from aggregator.database.models import TranscriptFile
from aggregator.intervals.state import COMMON, STATES
from aggregator.metrics.measures import TIME_MEASURES
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard import Activity
from dashboard.api.prometheus import add_prometheus_rule
from dashboard.single_flight import Batches, Places

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
PLAIN = "text/plain;version=0.0.4"
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
STORED = 'a "quoted" \\ name\nof two lines, 50 % ☕'
NAME = STORED.replace("\n", " ")
TRANSCRIPT = {
    "path": "/a.jsonl",
    "is_main": True,
    "size": 9,
    "modified_ns": 9,
    "read_bytes": 9,
    "read_digest": "",
    "lines": 1200,
    "objects": 10,
    "waiting": False,
    "skipped": {"malformed JSON": 2},
    "sessions": {},
}


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=minute) for minute in minutes]


def server(reader, now=NOW, app=None):
    """Flask's client of a server with the route, at an address that nothing else uses."""
    app = app or Flask("host")
    blueprint = Blueprint("vitals", __name__, url_prefix="/vitals")
    add_prometheus_rule(blueprint, reader, lambda: now, RETENTION, Batches(Places(1, 5)))
    app.register_blueprint(blueprint)
    return app.test_client()


def scrape(client, accept=PLAIN, query=""):
    """Parse the samples with the library's own parser, by name and labels."""
    answer = client.get(f"/vitals/prometheus{query}", headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    parse = openmetrics if accept == OPENMETRICS else plain
    families = list(parse(answer.text))
    assert {family.type for family in families} <= {"gauge"}
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture
def fleet(empty_engine, record):
    """Two projects after a pass of two minutes ago, and a turn of one minute ago."""
    with empty_engine.begin() as conn:
        record(conn, STORED, "a1", minutes_ago(5, 6, 8, 40, 41))
        record(conn, STORED, "a2", minutes_ago(50, 55), state="awaiting_input")
        record(conn, "beta", "b1", minutes_ago(60 * 20))
        conn.execute(insert(TranscriptFile).values(TRANSCRIPT))
    make_pass(empty_engine, NOW - timedelta(minutes=2), RETENTION)
    with empty_engine.begin() as conn:
        record(conn, STORED, "a1", minutes_ago(1))
        conn.execute(text("UPDATE activity_state SET last_pass_seconds = 0.25"))
    return empty_engine


@pytest.mark.parametrize("accept", [PLAIN, OPENMETRICS])
def test_all_vitals_in_either_format(fleet, accept):
    def by(label, name, labels, values):
        return {(name, *labels, at): value for at, value in zip(label, values, strict=True)}

    first, second = ("1", NAME), ("2", "beta")
    windows, states = ("hour", "day"), (*COMMON, *(s for s in STATES if s not in COMMON))
    # Labels come in alphabetical order: project, project_id, state or window.
    expected = {
        **by(windows, "activity_turns", first[::-1], [4, 7]),
        **by(windows, "activity_turns", second[::-1], [0, 1]),
        **by(windows, "activity_active_agents", first[::-1], [2, 2]),
        **by(windows, "activity_active_agents", second[::-1], [0, 1]),
        **by(windows, "activity_turn_time_seconds", first[::-1], [180.0, 135.0]),
        **by(states, "activity_agents", first[::-1], [1, 1, 0, 0, 0, 0, 0]),
        **by(states, "activity_agents", second[::-1], [0, 0, 1, 0, 0, 0, 0]),
        **{
            key: 0
            for each in TIME_MEASURES
            for project in (first, second)
            for key in by(windows, each.gauge, project[::-1], [0, 0])
        },
        ("activity_last_pass_timestamp_seconds",): NOW.timestamp() - 120,
        ("activity_last_pass_age_seconds",): 120,
        ("activity_last_pass_duration_seconds",): 0.25,
        ("activity_lag_seconds",): 60,
        ("activity_import_files",): 1,
        ("activity_import_lines",): 1200,
        ("activity_import_skipped_lines", "malformed JSON"): 2,
    }
    assert scrape(server(MetricReader(fleet)), accept) == expected


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        # Headers of Prometheus 2.42 and 3, of a browser, of curl, and a malformed one.
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
            "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
            "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        ),
        ("text/html,*/*;q=0.8", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "application/openmetrics-text;version=new",
            "text/plain; version=0.0.4; charset=utf-8",
        ),
    ],
)
def test_the_format_is_what_the_scraper_prefers(empty_engine, accept, content_type):
    client = server(MetricReader(empty_engine))

    got = client.get("/vitals/prometheus", headers={"Accept": accept})
    head = client.head("/vitals/prometheus", headers={"Accept": accept})

    assert [
        (answer.status_code, answer.headers["Content-Type"], answer.headers["Cache-Control"])
        for answer in (got, head)
    ] == [(200, content_type, "no-store")] * 2
    assert head.data == b""


def test_before_the_first_pass_nothing_is_said_of_passes(empty_engine):
    assert scrape(server(MetricReader(empty_engine))) == {
        ("activity_import_files",): 0,
        ("activity_import_lines",): 0,
    }


def test_metrics_can_be_chosen_by_name(fleet):
    client = server(MetricReader(fleet))

    chosen = scrape(client, query="?name[]=activity_lag_seconds&name[]=unknown&other=1")

    assert chosen == {("activity_lag_seconds",): 60}


def test_every_metric_is_described_in_a_sentence(fleet):
    lines = server(MetricReader(fleet)).get("/vitals/prometheus").text.splitlines()

    described = [re.fullmatch(r"# HELP (activity_\w+) [A-Z].{20,}\.", line) for line in lines]
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert {match[1] for match in described if match} == names


def test_numbers_are_the_apis(fleet):
    app = Flask("host")
    app.config["ACTIVITY_JOBS"] = False
    Activity(app, engine=fleet, clock=lambda: NOW)
    client = server(app.extensions["activity"].reader, app=app)
    windows = {
        "hour": "since=2026-11-22T13:00:00Z&until=2026-11-22T14:00:00Z",
        "day": "window=day",
    }

    found = scrape(client)

    for project_id, name in (("1", NAME), ("2", "beta")):
        for window, query in windows.items():
            answer = client.get(f"/api/metrics/projects/{project_id}?{query}").get_json()
            totals = answer["totals"]
            of = (name, project_id, window)
            assert totals["turn_count"] == found["activity_turns", *of]
            assert totals["active_agents"] == found["activity_active_agents", *of]
            average = found.get(("activity_turn_time_seconds", *of))
            assert totals["avg_turn_time_seconds"] == (average and pytest.approx(average))


def test_a_host_unlike_ourselves(host):
    now = datetime(2026, 10, 25, 12, 30, tzinfo=UTC)
    host.create_tables()
    host.fill()
    app = Flask("host")
    app.config["ACTIVITY_JOBS"] = False
    Activity(app, engine=host.engine, clock=lambda: now)
    client = server(app.extensions["activity"].reader, now, app)
    missing = client.get("/vitals/prometheus")
    app.test_cli_runner().invoke(args=["activity", "migrate"])
    app.extensions["activity"].aggregate_once(now)

    found = scrape(client)

    assert (missing.status_code, missing.headers["Cache-Control"], missing.get_json()) == (
        503,
        "no-store",
        {"error": "the tables of headspace-activity do not exist yet; run: flask activity migrate"},
    )
    assert found["activity_turns", "alpha", "1", "day"] == 6
    assert found["activity_turn_time_seconds", "alpha", "1", "day"] == 660
    assert found["activity_agents", "project 2", "2", "stalled"] == 1
    assert [key for key in found if "import" in key[0]] == []


def test_the_registry_of_the_host_is_left_to_it(fleet):
    before = {metric.name for metric in REGISTRY.collect()}

    scrape(server(MetricReader(fleet)))

    assert {metric.name for metric in REGISTRY.collect()} == before
    assert not any(name.startswith("activity") for name in before)
