"""Requests that no browser with the page would send: answered in one line, and quickly."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from werkzeug.test import EnvironBuilder

from aggregator.passes.run import make_pass
from dashboard.page.callback_requests import LARGEST_BODY

UPDATE = "/activity/_dash-update-component"


@pytest.fixture
def page(empty_engine, record, now, open_page):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1a1a1a1-x", [now - timedelta(minutes=1)])
    make_pass(empty_engine, now, timedelta(days=30))
    return open_page(empty_engine)


def post(page, body):
    """Post any body; return status and error."""
    content = body if isinstance(body, str) else json.dumps(body)
    answer = page.client.post(UPDATE, data=content, content_type="application/json")
    return answer.status_code, answer.get_json().get("error")


CLICK = {"points": [{"customdata": [1, "2026-11-22T13:00:00+00:00"], "curveNumber": 0, "y": 1}]}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("project", ["abc", 1, [None], [[1]], [True], {"a": 1}, [float("nan")], [1.5], [-1]]),
        ("agent", [[10**18], list(range(501)), ["1"]]),
        ("window", ["year", ["day"], {}, 5, "x" * 100_000]),
        ("metric", ["bogus", [], {"a": 1}]),
        ("active-only", ["active", [1], {}, ["active", "active"]]),
        ("zone", [5, "Bogus/Zone", "../../etc/passwd", "zone.tab", "localtime", ["UTC"]]),
        ("viewer", ["x", 5, ["zone"]]),
        ("tick", ["x", True, float("inf"), []]),
        ("url", [5, [], "?" + "x" * 40_000]),
        ("range.start_date", ["soon", 5, "0001-01-01", "9999-12-31", ["2026-11-22"]]),
        (
            "activity-chart",
            [
                "x",
                {"points": 5},
                {"points": [5]},
                {"points": CLICK["points"] * 1_001},
                {"points": [{**CLICK["points"][0], "customdata": [1, "soon"]}]},
                {"points": [{**CLICK["points"][0], "customdata": [1, "2026-11-22T13:00:00"]}]},
                {"points": [{**CLICK["points"][0], "customdata": [1, "0001-01-01T00:00:00Z"]}]},
                {"points": [{**CLICK["points"][0], "y": float("nan")}]},
            ],
        ),
    ],
)
def test_a_value_that_the_page_would_not_send_is_refused_in_one_line(page, caplog, name, values):
    body = page.request(name if "." in name else f"{name}.value")
    for value in values:
        for item in body["inputs"]:
            if name in (item["id"], f"{item['id']}.{item['property']}"):
                item["value"] = value
        status, error = post(page, body)
        assert (status, error.count("\n"), len(error) < 500) == (400, 0, True), (value, error)
    assert [row for row in caplog.records if row.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    "change",
    [
        {},
        None,
        [],
        "text",
        lambda body: {**body, "output": "other.children"},
        lambda body: {**body, "output": ["x"]},
        lambda body: {**body, "inputs": []},
        lambda body: {**body, "inputs": None},
        lambda body: {**body, "inputs": body["inputs"][::-1]},
        lambda body: {**body, "inputs": [None] * len(body["inputs"])},
        lambda body: {**body, "changedPropIds": ["other.value"]},
        lambda body: {**body, "changedPropIds": [["url.search"]]},
        lambda body: {**body, "changedPropIds": 5},
        "[" * 60_000,
        '{"a":' * 20_000,
        lambda body: json.dumps(body)[:-9],
        '{"inputs": 1e999999, "output": ' + "9" * 5_000 + "}",
    ],
)
def test_a_body_that_is_no_request_of_the_page_is_refused(page, change):
    body = change(page.request()) if callable(change) else change

    assert post(page, body)[0] == 400


def test_a_body_without_json_is_refused(page):
    answer = page.client.post(UPDATE, data="a=1", content_type="text/plain")

    assert (answer.status_code, list(answer.get_json())) == (415, ["error"])


def test_a_large_body_is_refused_before_it_is_read(page):
    body = page.request()
    body["padding"] = "x" * LARGEST_BODY

    assert post(page, body)[0] == 413
    # Sent in chunks, as nobody knows how long it will be.
    chunks = BytesIO(b" " * 10 * LARGEST_BODY)
    environ = EnvironBuilder(path=UPDATE, method="POST", content_type="application/json")
    answer = page.client.open(
        {**environ.get_environ(), "wsgi.input": chunks, "wsgi.input_terminated": True}
    )
    assert answer.status_code == 413
    assert chunks.tell() <= 2 * LARGEST_BODY


def test_what_dash_is_told_beside_the_inputs_is_of_no_effect(page):
    body = page.request("metric.value", metric="agents")
    forged = {**body, "outputs": [{"id": "x", "property": "y"}], "state": [5], "background": {}}

    answer = page.client.post(UPDATE, json=forged)

    assert (answer.status_code, answer.get_json()["response"]["metric"]) == (
        200,
        {"value": "agents"},
    )


def test_many_unknown_ids_cost_as_many_queries_as_one(empty_engine, page):
    page.update()  # What agents do is read for the first answer of a version.
    statements = []
    event.listen(empty_engine, "before_cursor_execute", lambda *_: statements.append(1))

    few = page.update(url="?agent=7")["notice"]["children"]
    count = len(statements)
    many = page.update(url="?agent=" + ",".join(map(str, range(7, 507))))["notice"]["children"]

    assert few == "There is no agent with id 7. Showing all projects."
    assert many.endswith("24, 25, 26 and 480 more. Showing all projects.")
    assert len(statements) == 2 * count


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_posted_ends_in_an_answer_or_a_refusal(page, data):
    body = page.request()
    names = [f"{item['id']}.{item['property']}" for item in body["inputs"]]
    for place in data.draw(st.lists(st.integers(0, len(names) - 1), max_size=3)):
        body["inputs"][place]["value"] = data.draw(JSON)
    body["changedPropIds"] = data.draw(st.lists(st.sampled_from(names), max_size=3))

    answer = page.client.post(UPDATE, json=body)

    assert answer.status_code in (200, 400)
