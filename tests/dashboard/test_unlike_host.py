"""A host whose tables differ from ours as much as is allowed, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import text

from dashboard import Activity

NOW = datetime(2026, 10, 25, 12, 30, tzinfo=UTC)


COMMANDS = """
    ALTER TABLE tasks RENAME TO commands;
    ALTER TABLE turns RENAME COLUMN task_id TO command_id;
"""
"""Names that a real host has given to its tasks."""


@pytest.fixture(params=["", COMMANDS], ids=["tasks", "commands"])
def app(host, request):
    """A server on that host's database, after one pass."""
    host.create_tables()
    host.fill()
    if request.param:
        with host.engine.begin() as conn:
            conn.execute(text(request.param))
    app = Flask("host")
    app.config["ACTIVITY_JOBS"] = False
    Activity(app, engine=host.engine, clock=lambda: NOW)
    assert app.test_cli_runner().invoke(args=["activity", "migrate"]).exit_code == 0
    app.extensions["activity"].aggregate_once(NOW)
    return app


def test_the_api_answers_in_utc(app):
    answer = app.test_client().get("/api/metrics/overall").get_json()

    assert [
        (hour["bucket_start"], hour["turn_count"], hour["avg_turn_time_seconds"])
        for hour in answer["history"]
    ] == [("2026-10-25T00:00:00Z", 5, 660.0), ("2026-10-25T12:00:00Z", 2, None)]
    assert answer["last_pass_at"] == "2026-10-25T12:30:00Z"
    assert answer["totals"]["turn_count"] == 7


def test_agents_and_projects_beyond_four_bytes_are_known(app):
    client = app.test_client()

    known = client.get("/api/metrics/agents/3000000000").get_json()
    unknown = client.get("/api/metrics/agents/3000000001")

    assert (known["agent_id"], known["totals"]["turn_count"]) == (3_000_000_000, 1)
    assert unknown.status_code == 404


def test_the_page_shows_the_same_numbers(app, visit):
    page = visit(app)
    answer = page.update()

    numbers = page.cards(answer)
    assert [numbers[f"card-{name}"] for name in ("turns", "turn-rate", "turn-time")] == [
        "7",
        "0.3",
        "11 min",
    ]
    assert numbers["card-active-agents"] == "3"
    assert answer["project"]["options"] == [
        {"label": "alpha", "value": 1},
        {"label": "project 2", "value": 2},
    ]
    assert [option["label"] for option in answer["agent"]["options"]] == [
        "agent 3000000000 · project 2",
        "agent 2 · alpha",
        "agent 1 · alpha",
    ]


def test_changes_are_captured_and_states_known(app):
    activity = app.extensions["activity"]
    activity.capture(on=True)
    activity.aggregate_once(NOW)
    with activity.engine.begin() as conn:
        conn.execute(text("DELETE FROM turns WHERE id = (SELECT min(id) FROM turns)"))
    activity.aggregate_once(NOW)
    page = app.test_client().get("/api/metrics/prometheus").text

    assert activity.captures()
    assert app.test_client().get("/api/metrics/overall").get_json()["totals"]["turn_count"] == 6
    assert "activity_agents{" in page
    activity.capture(on=False)
    assert not activity.captures()
