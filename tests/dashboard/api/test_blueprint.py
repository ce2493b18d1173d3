from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from flask.json.provider import DefaultJSONProvider
from sqlalchemy import text

from aggregator.passes.run import make_pass
from tests.no_time import NO_PEAKS, NO_SUMMED_TIME, NO_TIME

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=400)


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=minute) for minute in minutes]


NO_TIMES = {
    "utilisation": None,
    "exact_share": None,
    "response_times": {
        "count": 0,
        "p50_seconds": None,
        "p90_seconds": None,
        "active_p50_seconds": None,
        "active_p90_seconds": None,
    },
    "reaction_times": {"count": 0, "p50_seconds": None, "p90_seconds": None},
}
TIME_NAMES = ",".join(NO_TIME)
TIME_CELLS = ",".join(map(str, NO_TIME.values()))


@pytest.fixture
def client(empty_engine, record, serve_api):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", minutes_ago(5, 6, 8, 70))
        record(conn, "alpha", "a2", minutes_ago(60 * 24 * 3))
        record(conn, "beta", "b1", minutes_ago(60 * 24 * 20, 60 * 24 * 20 + 1))
    make_pass(empty_engine, NOW, RETENTION)
    return serve_api(empty_engine)


def test_a_day_overall_is_the_default(client):
    answer = client.get("/api/metrics/overall")

    running = {
        "bucket_start": "2026-11-22T14:00:00Z",
        "turn_count": 3,
        "avg_turn_time_seconds": 90.0,
        "gap_count": 2,
        "active_agents": 1,
        **NO_TIME,
    }
    assert answer.get_json() == {
        "schema_version": 2,
        "window": "day",
        "freq": "hour",
        "tz": "UTC",
        "origin": None,
        "since": "2026-11-21T15:00:00Z",
        "until": "2026-11-22T14:30:00Z",
        "as_of": "2026-11-22T14:30:00Z",
        "kept_since": "2025-10-18T14:00:00Z",
        "last_pass_at": "2026-11-22T14:30:00Z",
        "partial": True,
        "current": running,
        "history": [
            {
                "bucket_start": "2026-11-22T13:00:00Z",
                "turn_count": 1,
                "avg_turn_time_seconds": None,
                "gap_count": 0,
                "active_agents": 1,
                **NO_TIME,
            },
            running,
        ],
        "totals": {
            "turn_count": 4,
            "avg_turn_time_seconds": 90.0,
            "active_agents": 1,
            **NO_TIME,
            "active_hours": 2,
            "turn_rate": 4 / 23.5,
            "turns_per_active_hour": 2.0,
            **NO_TIMES,
        },
        "asking": [],
        "compared_with": {
            "kind": "usual",
            "since": "2026-11-21T15:00:00Z",
            "until": "2026-11-22T14:00:00Z",
            "totals": {
                "turn_count": 1,
                "avg_turn_time_seconds": None,
                "active_agents": 1,
                "active_hours": 1,
                "turn_rate": 1 / 23,
                "turns_per_active_hour": 1.0,
                **NO_TIME,
                "utilisation": None,
                "exact_share": None,
            },
            # Nothing is known of the third week before.
            "ranges": [
                {"since": f"2026-11-{day - 1:02}T15:00:00Z", "until": f"2026-11-{day:02}T14:00:00Z"}
                for day in (15, 8)
            ],
            "previous": {
                "turn_count": 0,
                "avg_turn_time_seconds": None,
                "active_agents": 0,
                "active_hours": 0,
                "turn_rate": 0,
                "turns_per_active_hour": None,
                **NO_TIME,
                "utilisation": None,
                "exact_share": None,
            },
        },
    }


def test_windows_of_the_page_are_those_of_its_zone(client):
    def about(query):
        answer = client.get(f"/api/metrics/overall?{query}&tz=Europe/Berlin").get_json()
        kind = answer["compared_with"] and answer["compared_with"]["kind"]
        return answer["window"], answer["since"], answer["until"], kind

    assert about("window=last-24-hours") == (
        "last-24-hours",
        "2026-11-21T16:00:00+01:00",
        "2026-11-22T16:00:00+01:00",
        "usual",
    )
    assert about("window=last-24-hours&offset=-1")[1:3] == (
        "2026-11-20T16:00:00+01:00",
        "2026-11-21T16:00:00+01:00",
    )
    assert (
        about("window=last-24-hours&until=2026-11-20T12:10:00Z")[2] == "2026-11-20T14:00:00+01:00"
    )
    assert about("window=last-7-days") == (
        "last-7-days",
        "2026-11-16T00:00:00+01:00",
        "2026-11-23T00:00:00+01:00",
        "before",
    )
    assert about("window=last-30-days&until=2026-11-20T00:00:00Z")[1:3] == (
        "2026-10-22T00:00:00+02:00",
        "2026-11-21T00:00:00+01:00",
    )
    assert about("window=week&offset=0")[3] == "before"
    assert about("window=week")[3] is about("since=2026-11-20T00:00:00Z")[3] is None


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
        ("window=year", "window: 'year' is not allowed; expected day, week, month, last-24-hours"),
        ("window=", "window: '' is not allowed"),
        ("windw=week", "there is no parameter 'windw'; there are window, offset"),
        ("window=day&window=week", "window: 'day, week' is not allowed; expected one value"),
        ("since=yesterday", "since: 'yesterday' is not allowed; expected an ISO 8601 instant"),
        ("since=2026-11-22", "since: '2026-11-22' is not allowed"),
        ("until=0001-01-01T00:00Z", "until: '0001-01-01T00:00Z' is not allowed"),
        ("since=9999-12-31T23:30-14:00", "since: "),
        ("since=2026-11-22T14:00Z&window=day", "window cannot be combined with since"),
        ("since=2026-11-22T14:00Z&until=2026-11-22T13:00Z", "until: .* an instant after since"),
        ("since=2020-01-01T00:00Z", "since: .* at most 366 days"),
        ("since=2026-11-22T14:00", "since: '2026-11-22T14:00' is not allowed; .* a time zone"),
        ("since=2026-11-22T14:00Z&offset=0", "offset cannot be combined with since"),
        ("offset=0&until=2026-11-22T14:00Z", "until cannot be combined with offset"),
        ("offset=1", "offset: '1' is not allowed; expected a whole number from -366 to 0"),
        ("offset=-367", "offset: '-367' is not allowed"),
        ("offset=-0", "offset: '-0' is not allowed"),
        ("offset=-１", "offset: "),
        ("tz=Europe/Atlantis", "tz: 'Europe/Atlantis' .* a time zone such as Europe/Berlin"),
        ("tz=../../etc/passwd", "tz: "),
        ("tz=Europe", "tz: 'Europe' is not allowed"),
        ("tz=localtime", "tz: 'localtime' is not allowed"),
        ("since=2027-01-01T00:00Z", "since: '2027-01-01T00:00:00Z' .* an instant before now"),
        ("since=2026-11-22T14:00Z%00", "since: "),
        ("freq=minute", "freq: 'minute' is not allowed; expected hour, day, week"),
        ("freq=7min", "freq: '7min' .* hour, day, week, 30min, 20min, 15min, .* 2min or 1min"),
        ("window=week&freq=5min", "freq: '5min' .* at most 1500 buckets, but .* has 2016: .*10min"),
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
        ("activity/3", 404, "there is no /api/metrics/activity/3; there are overall"),
        ("projects/x.csv", 400, "project_id: 'x' is not allowed; expected a whole number"),
    ],
)
def test_unknown_ids_and_paths_are_errors_in_json(client, path, status, error):
    answer = client.get(f"/api/metrics/{path}")

    assert answer.status_code == status
    assert answer.get_json()["error"].startswith(error)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path", ["", "overall", "activity.csv", "projects/1", "openapi.json", "prometheus", "api.css"]
)
def test_nothing_can_be_changed_through_it(client, method, path):
    answer = client.open(f"/api/metrics/{path}", method=method)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.get_json() == {"error": f"{method} is not allowed; expected GET"}


def test_the_month_equals_a_count_over_the_turns(client, empty_engine):
    answer = client.get("/api/metrics/overall?window=month").get_json()

    count = text("SELECT count(*) FROM turns WHERE timestamp >= :since AND timestamp < :until")
    with empty_engine.connect() as conn:
        turns = conn.scalar(count, {"since": answer["since"], "until": answer["until"]})
    assert answer["totals"]["turn_count"] == turns == 7


def test_a_hosts_own_way_with_json_is_left_to_the_host(empty_engine, serve_api):
    class Wrapping(DefaultJSONProvider):
        def dumps(self, obj, **kwargs):
            return super().dumps({"data": obj}, **kwargs)

    client = serve_api(empty_engine)
    client.application.json = Wrapping(client.application)

    assert "totals" in json.loads(client.get("/api/metrics/overall").text)
    assert "paths" in json.loads(client.get("/api/metrics/openapi.json").text)
    assert "error" in json.loads(client.get("/api/metrics/nothing").text)


def test_what_is_allowed_can_be_asked(client):
    answer = client.options("/api/metrics/overall")

    assert (answer.status_code, answer.headers["Allow"]) == (200, "GET, HEAD, OPTIONS")


def test_a_window_of_the_calendar_is_that_of_the_page(client):
    answer = client.get("/api/metrics/overall?window=week&offset=0&tz=Asia/Kolkata").get_json()
    before = client.get("/api/metrics/overall?window=month&offset=-1&tz=Asia/Kolkata").get_json()

    # Sunday evening; days begin at half past, with the first full hour of UTC.
    assert (answer["since"], answer["until"], answer["totals"]["turn_count"]) == (
        "2026-11-16T00:30:00+05:30",
        "2026-11-23T00:30:00+05:30",
        5,
    )
    assert answer["current"]["bucket_start"] == "2026-11-22T19:30:00+05:30"
    assert (before["since"], before["until"]) == (
        "2026-10-01T00:30:00+05:30",
        "2026-11-01T00:30:00+05:30",
    )
    assert (answer["partial"], before["partial"]) == (True, False)


def test_days_are_those_of_the_zone(client):
    answer = client.get("/api/metrics/projects/1?window=week&freq=day&tz=America/New_York")

    assert answer.get_json()["history"] == [
        {
            "bucket_start": "2026-11-19T00:00:00-05:00",
            "turn_count": 1,
            "avg_turn_time_seconds": None,
            "gap_count": 0,
            "active_agents": 1,
            **NO_TIME,
        },
        {
            "bucket_start": "2026-11-22T00:00:00-05:00",
            "turn_count": 4,
            "avg_turn_time_seconds": 90.0,
            "gap_count": 2,
            "active_agents": 1,
            **NO_TIME,
        },
    ]


def test_everybody_is_one_answer_without_holes(client):
    answer = client.get("/api/metrics/activity?since=2026-11-22T12:00Z").get_json()

    totals = {
        "turn_count": 4,
        "avg_turn_time_seconds": 90.0,
        "active_agents": 1,
        **NO_TIME,
        "active_hours": 2,
        "turn_rate": 1.6,
        "turns_per_active_hour": 2.0,
        **NO_TIMES,
    }
    numbers = {
        "turn_count": [0, 1, 3],
        "avg_turn_time_seconds": [None, None, 90.0],
        "gap_count": [0, 0, 2],
        **{name: [value] * 3 for name, value in NO_SUMMED_TIME.items()},
    }
    agents = {"active_agents": [0, 1, 1], **{name: [0] * 3 for name in NO_PEAKS}}
    assert answer == {
        "schema_version": 2,
        "window": "custom",
        "freq": "hour",
        "tz": "UTC",
        "since": "2026-11-22T12:00:00Z",
        "until": "2026-11-22T15:00:00Z",
        "as_of": "2026-11-22T14:30:00Z",
        "kept_since": "2025-10-18T14:00:00Z",
        "last_pass_at": "2026-11-22T14:30:00Z",
        "partial": True,
        "buckets": [f"2026-11-22T{hour}:00:00Z" for hour in (12, 13, 14)],
        "overall": {"totals": totals, **numbers, **agents},
        "projects": [
            {"project_id": 1, "name": "alpha", "totals": totals, **numbers, **agents},
        ],
        "agents": [
            {
                "agent_id": 1,
                "project_id": 1,
                "name": "a1",
                "origin": None,
                "totals": totals,
                **numbers,
            },
        ],
    }


def test_each_in_the_answer_about_everybody_is_what_its_own_address_tells(client):
    every = client.get("/api/metrics/activity?window=month&freq=week&tz=Europe/Berlin").get_json()

    for kind in ("project", "agent"):
        for one in every[f"{kind}s"]:
            path = f"{kind}s/{one[f'{kind}_id']}?window=month&freq=week&tz=Europe/Berlin"
            alone = client.get(f"/api/metrics/{path}").get_json()
            assert one["totals"] == alone["totals"]
            counts = dict(zip(every["buckets"], one["turn_count"], strict=True))
            assert {start: count for start, count in counts.items() if count} == {
                bucket["bucket_start"]: bucket["turn_count"] for bucket in alone["history"]
            }


def test_an_answer_about_everybody_has_at_most_a_month_of_hours(client):
    long = "since=2026-10-01T00:00Z"

    refused = client.get(f"/api/metrics/activity?{long}")

    assert refused.status_code == 400
    assert refused.get_json()["error"] == (
        "since: '2026-10-01T00:00:00Z' is not allowed; expected an instant at most 32 days "
        "before until, or freq=day or freq=week"
    )
    assert len(client.get(f"/api/metrics/activity?{long}&freq=week").get_json()["buckets"]) == 8
    minutes = client.get("/api/metrics/activity?freq=1min").get_json()
    assert minutes["error"].startswith("freq: '1min' is not allowed; expected at most 768 buckets")
    assert client.get("/api/metrics/activity?window=month&offset=0").status_code == 200


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("overall.csv", "*/*"),
        ("overall.csv", "application/json"),
        ("overall", "text/csv"),
        ("overall", "text/csv; charset=utf-8"),
    ],
)
def test_csv_comes_for_the_ending_or_for_the_header(client, path, accept):
    answer = client.get(f"/api/metrics/{path}", headers={"Accept": accept})

    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.text == (
        f"bucket_start,turn_count,avg_turn_time_seconds,gap_count,active_agents,{TIME_NAMES}\r\n"
        f"2026-11-22T13:00:00Z,1,,0,1,{TIME_CELLS}\r\n"
        f"2026-11-22T14:00:00Z,3,90.0,2,1,{TIME_CELLS}\r\n"
    )


def test_everybody_as_csv_names_whose_row_it_is(client, empty_engine):
    with empty_engine.begin() as conn:
        conn.execute(text("UPDATE projects SET name = '=1+1, \"alpha\"' WHERE id = 1"))

    answer = client.get("/api/metrics/activity.csv?since=2026-11-22T13:00Z&until=2026-11-22T14:00Z")

    # A spreadsheet would run what begins like a formula.
    name = '"\'=1+1, ""alpha"""'
    assert answer.text.split("\r\n") == [
        "scope,project_id,project,agent_id,agent,bucket_start,turn_count,avg_turn_time_seconds,"
        f"gap_count,active_agents,{TIME_NAMES}",
        f"overall,,,,,2026-11-22T13:00:00Z,1,,0,1,{TIME_CELLS}",
        f"project,1,{name},,,2026-11-22T13:00:00Z,1,,0,1,{TIME_CELLS}",
        f"agent,1,{name},1,a1,2026-11-22T13:00:00Z,1,,0,,{TIME_CELLS[:-4]},,",
        "",
    ]


@pytest.mark.parametrize("accept", ["text/html,*/*;q=0.8", "image/png", "", "text/csv;q=0.1,*/*"])
def test_otherwise_it_is_json(client, accept):
    assert client.get("/api/metrics/overall", headers={"Accept": accept}).is_json


def test_intervals_have_no_buckets_whose_length_could_be_chosen(client):
    refused = client.get("/api/metrics/agents/1/intervals?freq=hour")

    assert refused.status_code == 400
    assert refused.get_json()["error"].startswith("there is no parameter 'freq'")
    assert client.get("/api/metrics/agents/99/intervals").status_code == 404
    answer = client.get("/api/metrics/agents/1/intervals").get_json()
    (idle,) = answer["intervals"]
    assert answer["sub_agent_seconds"] == 0
    assert (idle["kind"], idle["seconds"], idle["tool"]) == ("idle", 3900.0, None)
