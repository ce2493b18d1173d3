"""Every endpoint that answers errors in JSON, in every situation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from aggregator.passes.run import make_pass
from aggregator.schema.migrate import upgrade
from dashboard import Activity
from dashboard.errors import PicturePackageMissingError
from dashboard.http_responses import error_response

KNOWN = {
    "project_id": "1",
    "agent_id": "1",
    "name": "turns.png",
    "path": "nothing",
    "waiting": "3",
}
UNKNOWN = {"project_id": "99", "agent_id": "99", "name": "turns.png?project=99"}
MALFORMED = {"project_id": "x", "agent_id": "x", "name": "turns.gif"}


@dataclass(frozen=True)
class Situation:
    """A request, and the state of the database.

    Attributes:
        database: Name of a fixture.
        arguments: What stands in the path for each argument of a rule.
        unready: The error of everything that reads the database, where it is not ready.
    """

    database: str = "filled"
    method: str = "GET"
    query: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    unready: str | None = None


SITUATIONS = {
    "malformed argument": Situation(arguments=MALFORMED),
    "unknown parameter": Situation(query="?nonsense=1"),
    "unknown id": Situation(arguments=UNKNOWN),
    "another method": Situation(method="POST"),
    "database away": Situation(
        database="away", unready="the database does not answer; try again later"
    ),
    "not migrated": Situation(
        database="unmigrated",
        unready="the tables of headspace-activity do not exist yet; run: flask activity migrate",
    ),
    "unlike a host": Situation(
        database="unlike",
        unready="the host's tables cannot be read: tasks.agent_id is missing (expected an integer "
        "referring to agents.id)",
    ),
}
UNREADY = {"database away": 503, "not migrated": 503, "unlike a host": 503}
READS = {"unknown parameter": 400, "another method": 405, **UNREADY}
READS_ONE = {"malformed argument": 400, "unknown id": 404, **READS}
ERRORS = {
    "activity_api.overall": READS,
    "activity_api.overall_as_csv": READS,
    "activity_api.project": READS_ONE,
    "activity_api.agent": READS_ONE,
    "activity_api.activity": READS,
    "activity_api.activity_as_csv": READS,
    "activity_api.intervals": READS_ONE,
    "activity_api.intervals_as_csv": READS_ONE,
    "activity_api.agents_now": {"another method": 405, **UNREADY},
    "activity_api.prometheus": {"another method": 405, **UNREADY},
    "activity_api.openapi_json": {"another method": 405},
    "activity_api.readable": {"another method": 405},
    "activity_api.style": {"another method": 405},
    "activity_api.unknown": dict.fromkeys(SITUATIONS, 404),
    "activity.export": {
        "malformed argument": 400,
        "unknown parameter": 400,
        "unknown id": 404,
        **UNREADY,
    },
    "activity.version": UNREADY,
    "activity.agents_now": UNREADY,
}
"""The errors of each endpoint; in other situations it succeeds."""
OF_THE_PAGE = {
    "activity.activity_page",
    "activity.asset",
    "activity.component_file",
    "activity.nothing_here",
    "activity.tab_icon",
}
"""Addresses for a browser's window: what is wrong with them is the host's page to say."""


@pytest.fixture
def filled(empty_engine, record, now):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [now - timedelta(minutes=5)])
    make_pass(empty_engine, now, timedelta(days=30))
    return empty_engine


@pytest.fixture
def away():
    return create_engine("postgresql+psycopg2://nobody:secret@127.0.0.1:1/none")


@pytest.fixture
def unmigrated(fresh):
    upgrade(fresh, "standalone")
    return fresh


@pytest.fixture
def unlike(unmigrated):
    with unmigrated.begin() as conn:
        conn.execute(text("ALTER TABLE tasks DROP COLUMN agent_id"))
    return unmigrated


@pytest.fixture
def ask(request, now):
    """Request every endpoint in a situation; return the errors by endpoint."""

    def ask(situation: Situation) -> dict[str, tuple[int, str]]:
        app = Flask("host")
        app.config["ACTIVITY_JOBS"] = False
        Activity(app, engine=request.getfixturevalue(situation.database), clock=lambda: now)
        client = app.test_client()
        arguments = {**KNOWN, **situation.arguments}
        errors = {}
        for rule in app.url_map.iter_rules():
            blueprint = rule.endpoint.partition(".")[0]
            if "GET" not in rule.methods or rule.endpoint in OF_THE_PAGE:
                continue
            # Below the page, any other method is an unknown address, and the host's to answer.
            if blueprint == "activity_api" or (blueprint, situation.method) == ("activity", "GET"):
                path = re.sub(r"<(?:\w+:)?(\w+)>", lambda name: arguments[name[1]], rule.rule)
                with client.open(path + situation.query, method=situation.method) as answer:
                    if answer.status_code >= 400:
                        errors[rule.endpoint] = answer.status_code, error_of(answer)
        return errors

    return ask


def error_of(answer) -> str:
    """Return the one line of an error in JSON."""
    assert answer.mimetype == "application/json"
    body = answer.get_json()
    assert list(body) == ["error"]
    assert body["error"].strip()
    assert "\n" not in body["error"]
    return body["error"]


def test_every_endpoint_is_known():
    app = Flask("host")
    app.config["ACTIVITY_JOBS"] = False
    Activity(app, engine=create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"))

    # Dash's own rules have its prefix for a name.
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    ours = {one for one in endpoints if one.startswith(("activity.", "activity_api."))}
    assert ours == {*ERRORS, *OF_THE_PAGE}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_goes_wrong_is_one_line_of_json_with_its_status(ask, name):
    situation = SITUATIONS[name]

    errors = ask(situation)

    assert {endpoint: status for endpoint, (status, _) in errors.items()} == {
        endpoint: statuses[name] for endpoint, statuses in ERRORS.items() if name in statuses
    }
    unready = {error for status, error in errors.values() if status == 503}
    assert unready == ({situation.unready} if situation.unready else set())


def test_a_missing_package_is_named_without_folders_of_the_server():
    answer = error_response(PicturePackageMissingError("kaleido"))

    assert (answer.status_code, answer.get_json()) == (
        501,
        {"error": "a picture needs the package kaleido, of the extra png"},
    )
