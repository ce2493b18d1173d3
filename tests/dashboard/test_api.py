from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from aggregator.database import connect
from aggregator.passes import make_pass
from aggregator.read import MetricReader
from dashboard import api

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=400)


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=minute) for minute in minutes]


@pytest.fixture
def client(empty_engine, record):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(5, 6, 8, 70))
        record(conn, "alpha", "a2", minutes_ago(60 * 24 * 3))
        record(conn, "beta", "b1", minutes_ago(60 * 24 * 20, 60 * 24 * 20 + 1))
    make_pass(empty_engine, NOW, RETENTION)
    app = Flask(__name__)
    app.register_blueprint(api.blueprint(MetricReader(empty_engine), lambda: NOW))
    return app.test_client()


def test_a_day_overall_is_the_default(client):
    answer = client.get("/api/metrics/overall")

    running = {
        "bucket_start": "2026-11-22T14:00:00Z",
        "turn_count": 3,
        "avg_turn_time_seconds": 90.0,
        "active_agents": 1,
    }
    assert answer.get_json() == {
        "window": "day",
        "since": "2026-11-21T15:00:00Z",
        "until": "2026-11-22T14:30:00Z",
        "as_of": "2026-11-22T14:30:00Z",
        "last_pass_at": "2026-11-22T14:30:00Z",
        "current": running,
        "history": [
            {
                "bucket_start": "2026-11-22T13:00:00Z",
                "turn_count": 1,
                "avg_turn_time_seconds": None,
                "active_agents": 1,
            },
            running,
        ],
        "totals": {
            "turn_count": 4,
            "avg_turn_time_seconds": 90.0,
            "active_agents": 1,
            "active_hours": 2,
            "turn_rate": 4 / 23.5,
            "turns_per_active_hour": 2.0,
        },
    }


@pytest.mark.parametrize(
    ("path", "ids", "turns", "agents"),
    [
        ("overall?window=week", {}, 5, 2),
        ("overall?window=month", {}, 7, 3),
        ("projects/1?window=month", {"project_id": 1}, 5, 2),
        ("projects/2?window=day", {"project_id": 2}, 0, 0),
        ("agents/1?window=month", {"agent_id": 1}, 4, 1),
    ],
)
def test_windows_and_scopes(client, path, ids, turns, agents):
    answer = client.get(f"/api/metrics/{path}").get_json()

    assert {name: answer[name] for name in ("agent_id", "project_id") if name in answer} == ids
    assert (answer["totals"]["turn_count"], answer["totals"]["active_agents"]) == (turns, agents)
    assert sum(hour["turn_count"] for hour in answer["history"]) == turns


def test_an_agents_hours_have_no_number_of_agents(client):
    history = client.get("/api/metrics/agents/1").get_json()["history"]

    assert [hour["active_agents"] for hour in history] == [None, None]


@pytest.mark.parametrize(
    ("query", "since", "until", "turns"),
    [
        ("since=2026-11-22T13:20:00Z", "13:00", "15:00", 4),
        ("since=2026-11-22T13:00:00Z&until=2026-11-22T14:00:00Z", "13:00", "14:00", 1),
        ("since=2026-11-22T18:30%2B05:30&until=2026-11-22T19:30%2B05:30", "13:00", "14:00", 1),
        ("window=day&until=2026-11-22T14:00:00Z", None, "14:00", 1),
    ],
)
def test_ranges_are_half_open_and_widened_to_hours(client, query, since, until, turns):
    answer = client.get(f"/api/metrics/overall?{query}").get_json()

    assert answer["since"] == (f"2026-11-22T{since}:00Z" if since else "2026-11-21T14:00:00Z")
    assert answer["until"] == f"2026-11-22T{until}:00Z"
    assert answer["totals"]["turn_count"] == turns


def test_a_past_window_has_no_current_bucket(client):
    answer = client.get("/api/metrics/overall?window=day&until=2026-11-22T14:00:00Z").get_json()

    assert answer["current"] is None


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("window=year", "window: 'year' is not allowed; expected day, week or month"),
        ("window=", "window: '' is not allowed"),
        ("windw=week", "windw: 'week' is not allowed; expected one of the parameters window"),
        ("window=day&window=week", "window: 'day, week' is not allowed; expected one value"),
        ("since=yesterday", "since: 'yesterday' is not allowed; expected an ISO 8601 instant"),
        ("since=2026-11-22", "since: '2026-11-22' is not allowed"),
        ("until=0001-01-01T00:00Z", "until: '0001-01-01T00:00Z' is not allowed"),
        ("since=9999-12-31T23:30-14:00", "since: "),
        ("since=2026-11-22T14:00Z&window=day", "window: 'day' is not allowed; expected no window"),
        ("since=2026-11-22T14:00Z&until=2026-11-22T13:00Z", "until: .* an instant after since"),
        ("since=2020-01-01T00:00Z", "since: .* at most 366 days"),
    ],
)
def test_a_bad_parameter_is_400_and_named_with_what_is_allowed(client, query, words):
    answer = client.get(f"/api/metrics/overall?{query}")

    assert answer.status_code == 400
    assert list(answer.get_json()) == ["error"]
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(answer.get_json()["error"])


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("projects/99", 404, "there is no project with id 99"),
        ("agents/99999999999999999999", 404, "there is no agent with id 99999999999999999999"),
        ("agents/x", 400, "agent_id: 'x' is not allowed; expected a whole number"),
        ("agents/" + "9" * 5000, 400, "agent_id: "),
        ("projects/-1", 400, "project_id: '-1' is not allowed; expected a whole number"),
        ("nothing", 404, "there is no /api/metrics/nothing; there are overall, projects/<id>"),
        ("", 404, "there is no /api/metrics/; there are overall"),
    ],
)
def test_unknown_ids_and_paths_are_errors_in_json(client, path, status, error):
    answer = client.get(f"/api/metrics/{path}")

    assert answer.status_code == status
    assert answer.get_json()["error"].startswith(error)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_changed_through_it(client, method):
    answer = client.open("/api/metrics/overall", method=method)

    assert answer.status_code == 405
    assert answer.get_json() == {"error": f"{method} is not allowed; expected GET"}


def test_the_month_equals_a_count_over_the_turns(client, empty_engine):
    answer = client.get("/api/metrics/overall?window=month").get_json()

    count = text("SELECT count(*) FROM turns WHERE timestamp >= :since AND timestamp < :until")
    with empty_engine.connect() as conn:
        turns = conn.scalar(count, {"since": answer["since"], "until": answer["until"]})
    assert answer["totals"]["turn_count"] == turns == 7


def test_a_database_that_is_away_is_503(postgres):
    gone = connect(postgres.url("tests_gone"), purpose="tests")
    with connect(postgres.url("tests"), purpose="tests").connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").execute(
            text("DROP DATABASE tests_gone WITH (FORCE)")
        )
    app = Flask(__name__)
    app.register_blueprint(api.blueprint(MetricReader(gone), lambda: NOW))

    answer = app.test_client().get("/api/metrics/overall")

    assert (answer.status_code, list(answer.get_json())) == (503, ["error"])
