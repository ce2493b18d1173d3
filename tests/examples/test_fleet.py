"""The example host with Activity, compared with the host before."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, inspect, select, text

from aggregator.database.models import OWN_TABLES
from aggregator.schema.migrate import VERSION_TABLES
from fleet.models import Turn, db

OURS = ("/activity", "/api/metrics")


def rules(app):
    return {(rule.rule, rule.endpoint, *sorted(rule.methods)) for rule in app.url_map.iter_rules()}


def turns_of(app):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Turn))


def page(client, path):
    """Return an answer without its tokens and its time, which always differ."""
    with client.get(path) as response:
        body = re.sub(r'(csrf[-_]token"[^>]*?)(?:content|value)="[^"]+"', r"\1", response.text)
        headers = {name: text for name, text in response.headers if name != "Date"}
        return response.status_code, headers | {"Content-Length": len(body)}, body


@pytest.fixture
def before(monkeypatch, make_app):
    """The server without Activity, except for the address in its navigation."""
    with monkeypatch.context() as patch:
        patch.setattr(
            "fleet.Activity",
            lambda app, **_: app.add_url_rule("/activity/", "activity.activity_page"),
        )
        return make_app()


def test_logged_out_every_address_of_ours_answers_as_the_hosts_own(app):
    client = app.test_client()
    host = {
        method: client.open("/projects" if method == "GET" else "/agents/1/end", method=method)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    }
    answers = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(OURS):
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                path = re.sub("<[^>]+>", "1", rule.rule)
                answers[path, method] = client.open(path, method=method)

    assert {"/activity/", "/activity/_dash-layout", "/api/metrics/overall"} <= {
        path for path, _ in answers
    }
    assert {key: (answer.status_code, answer.text) for key, answer in answers.items()} == {
        key: (host[key[1]].status_code, host[key[1]].text) for key in answers
    }
    assert {answer.status_code for answer in answers.values()} == {302, 401}


def test_logged_in_the_page_stands_in_the_hosts_own(client, turns):
    body = client.get("/activity/").text

    assert '<a href="/activity/" aria-current="page">Activity</a>' in body
    assert "<span>1 processing</span>" in body
    assert "<title>Activity · Fleet</title>" in body
    totals = client.get("/api/metrics/overall?window=week").get_json()["totals"]
    assert (totals["turn_count"], totals["active_agents"]) == (5, 1)


def test_the_guard_against_forged_requests_covers_the_callbacks(client, csrf_token):
    answers = [
        client.post("/activity/_dash-update-component", json={}, headers=headers).status_code
        for headers in ({}, {"X-CSRF-Token": "made up"}, {"X-CSRF-Token": csrf_token})
    ]

    assert answers[:2] == [403, 403]
    assert answers[2] != 403


def test_the_hosts_addresses_are_what_they_were(app, before):
    own = {rule for rule in rules(before) if not rule[0].startswith(OURS)}

    assert {rule for rule in rules(app) if not rule[0].startswith(OURS)} == own
    assert {app.view_functions[endpoint] for _, endpoint, *_ in own if endpoint != "static"} == {
        before.view_functions[endpoint] for _, endpoint, *_ in own if endpoint != "static"
    }


@pytest.mark.parametrize("path", ["/", "/projects", "/login", "/static/fleet.css", "/nowhere"])
def test_the_hosts_pages_are_what_they_were(app, before, client, turns, path):
    was = before.test_client()
    was.set_cookie("session", client.get_cookie("session").value)

    assert page(client, path) == page(was, path)


@pytest.mark.parametrize("path", ["/nowhere", "/activity/nowhere", "/activity/_dash-nowhere"])
def test_what_is_not_there_is_the_hosts_own_page(client, path):
    answer = client.get(path)

    assert (answer.status_code, f"Fleet has no page at {path}." in answer.text) == (404, True)


def test_what_the_api_does_not_have_is_told_in_json(client):
    answer = client.get("/api/metrics/nowhere")

    assert (answer.status_code, list(answer.get_json())) == (404, ["error"])


def test_the_hosts_migrations_are_what_they_were(app, command):
    command(app, "db", "check")
    with app.app_context():
        assert db.session.scalars(text("SELECT version_num FROM alembic_version")).all() == [
            "fleet_0001"
        ]
        tables = set(inspect(db.engine).get_table_names())
        db.session.remove()
    assert tables == OWN_TABLES | {VERSION_TABLES["activity"], "alembic_version"} | {
        "projects",
        "agents",
        "tasks",
        "turns",
    }


def test_the_made_up_turns_are_those_of_three_projects(app, command, client):
    command(app, "seed")
    command(app, "activity", "aggregate")

    totals = client.get("/api/metrics/overall?window=month").get_json()["totals"]
    assert (totals["turn_count"], totals["active_agents"]) == (turns_of(app), 6)
    assert "<tr><td>search<td>3</tr>" in client.get("/projects").text


def test_an_agent_can_be_marked_as_ended(client, turns, csrf_token):
    answer = client.post("/agents/1/end", data={"csrf_token": csrf_token}, follow_redirects=True)

    assert "<td>ended" in answer.text
    assert "<span>1 processing</span>" not in answer.text
