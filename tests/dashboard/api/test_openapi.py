"""The API against its OpenAPI document, tested by schemathesis with generated requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard import api
from dashboard.api.openapi import openapi
from dashboard.api.parameters import PARAMETERS

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
schemathesis.openapi.format("timezone", st.sampled_from(sorted(available_timezones())))


@pytest.fixture
def app(empty_engine, record):
    with empty_engine.begin() as conn:
        for number in range(1, 4):
            instants = [NOW - timedelta(hours=7 * one * number) for one in range(40)]
            record(conn, f"project {number % 2}", f"agent-{number}", instants)
    make_pass(empty_engine, NOW, RETENTION)
    app = Flask("host")
    app.register_blueprint(api.blueprint(MetricReader(empty_engine), lambda: NOW, RETENTION))
    return app


# Without parameters there is nothing that could be wrong.
CASES = [
    (path, mode)
    for path, methods in openapi("/api/metrics")["paths"].items()
    for mode in GenerationMode
    if mode.is_positive or "parameters" in methods["get"]
]


@pytest.mark.parametrize(("path", "mode"), CASES)
def test_every_answer_is_as_described_and_none_is_a_5xx(app, path, mode):
    document = schemathesis.openapi.from_wsgi("/api/metrics/openapi.json", app)

    @settings(max_examples=settings().max_examples // 3, suppress_health_check=list(HealthCheck))
    @given(document[path]["GET"].as_strategy(generation_mode=mode), st.sampled_from([1, 2, 3, 99]))
    def ask(case, some_id):
        if mode.is_positive and case.path_parameters:
            # Otherwise generated ids would hardly ever exist.
            case.path_parameters = dict.fromkeys(case.path_parameters, some_id)
        # That check takes for granted that parameters do not contradict each other, as
        # since and window do, and that every number is somebody's id.
        # The client of the tests decodes no content.
        plain = {"Accept-Encoding": "identity"}
        case.call_and_validate(headers=plain, excluded_checks=[positive_data_acceptance])

    ask()


def test_the_document_is_openapi_and_says_where_the_api_is(app):
    document = app.test_client().get("/api/metrics/openapi.json").get_json()
    OpenAPIV31SpecValidator(document).validate()

    assert document["openapi"].startswith("3.1.")
    assert document["servers"] == [{"url": "/api/metrics"}]
    # Behind a proxy that has cut off a prefix.
    mounted = app.test_client().get(
        "/api/metrics/openapi.json", environ_overrides={"SCRIPT_NAME": "/tools"}
    )
    assert mounted.get_json()["servers"] == [{"url": "/tools/api/metrics"}]


def test_people_can_read_it_without_scripts_and_without_the_network(app):
    client = app.test_client()
    answer = client.get("/api/metrics/")

    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    for words in (*PARAMETERS, "/api/metrics/projects/{project_id}", "schema_version"):
        assert f"<code>{words}</code>" in answer.text
    assert not [sign for sign in ("<script", "<style", "style=", "http") if sign in answer.text]
    with client.get("/api/metrics/api.css") as style:
        assert (style.status_code, style.mimetype) == (200, "text/css")
