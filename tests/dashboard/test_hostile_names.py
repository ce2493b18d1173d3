"""Names that look like markup, formulas or nothing at all are text everywhere."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from html import escape
from xml.etree import ElementTree

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from aggregator.query.reader import MetricReader
from dashboard import api
from dashboard.command_line.now import now_lines
from tests.hostile_names import FORMULAS, MARKUP, NAMES, add_hostile_names, shown_names


@pytest.fixture
def hostile(empty_engine, now):
    add_hostile_names(empty_engine, now)
    return empty_engine


@pytest.fixture
def page(hostile, open_page, renderer):
    return open_page(hostile, renderer=renderer)


@pytest.fixture
def client(hostile, now):
    server = Flask("host")
    server.register_blueprint(api.blueprint(MetricReader(hostile), lambda: now, timedelta(days=30)))
    return server.test_client()


def test_the_api_has_the_names_that_can_be_seen(client):
    answer = client.get("/api/metrics/activity").get_json()

    assert {row["name"] for row in answer["projects"]} == shown_names("project")
    assert {row["name"] for row in answer["agents"]} == shown_names("agent")


def test_no_name_is_a_formula_in_csv(client):
    rows = list(csv.DictReader(io.StringIO(client.get("/api/metrics/activity.csv").text)))

    names = shown_names("project")
    cells = {f"'{name}" if name in FORMULAS else name for name in names}
    assert {row["project"] for row in rows} == {"", *cells}


def test_prometheus_reads_the_same_names_from_its_labels(client):
    families = text_string_to_metric_families(client.get("/api/metrics/prometheus").text)

    labels = [sample.labels for family in families for sample in family.samples]
    assert {each["project"] for each in labels if "project" in each} == shown_names("project")


def test_a_terminal_gets_one_printable_line_for_each_agent(hostile, now):
    lines = list(now_lines(MetricReader(hostile).now(now), now))

    assert lines[1] == f"{len(NAMES)} working"
    assert len(lines) == 2 + len(NAMES)
    assert all(line.isprintable() for line in lines)


def test_the_page_and_its_strip_have_no_markup_of_a_name(page):
    answer = page.update()
    for html in (str(answer["agent-table"]["data"]), str(answer["now-strip"]["data"])):
        assert MARKUP not in html
        assert html.count(escape(MARKUP)) >= 2


def test_pictures_have_the_names_as_text(page):
    svg = page.client.get("/activity/export/turns.svg?window=day&tz=UTC&project=1").text
    words = list(ElementTree.fromstring(svg).itertext())

    assert f"Turns per hour · Project {MARKUP}" in words


@pytest.mark.parametrize("search", ["?metric=turns", "?metric=turns&project=1,2"])
def test_no_chart_has_markup_of_a_name(page, search):
    answer = page.update(url=search)
    charts = [drawn(part["figure"]) for part in answer.values() if "figure" in part]

    assert [chart for chart in charts if MARKUP[:4] in chart] == []
    assert any("&lt;img" in chart for chart in charts)


def drawn(figure):
    """Return a figure as text, without what Plotly does not draw: ids of groups, summaries."""
    unseen = ("legendgroup", "summary")
    pairs = json.loads(
        json.dumps(figure),
        object_hook=lambda found: {key: found[key] for key in found if key not in unseen},
    )
    return json.dumps(pairs)
