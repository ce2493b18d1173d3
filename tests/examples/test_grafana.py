"""The dashboard for Grafana asks for what the Prometheus answer has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import promql_parser as promql
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families

from aggregator.settings import Settings
from aggregator.transcripts.importer import import_transcripts
from dashboard.server import build_jobs, build_server

BOARD = json.loads(
    (Path(__file__).parents[2] / "examples" / "grafana" / "activity.json").read_text()
)
QUERIES = [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", [])]
VARIABLES = {variable["name"]: variable for variable in BOARD["templating"]["list"]}


@pytest.fixture
def answer(empty_engine, record, tmp_path) -> list[tuple[str, dict[str, str]]]:
    """Names and labels of all samples, where all that is measured has a value."""
    settings = Settings.load({"transcripts": [tmp_path]}, environ={})
    (tmp_path / "a.jsonl").write_text("no JSON\n")
    import_transcripts(empty_engine, [tmp_path])
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [now, hour, hour + timedelta(minutes=1)])
    build_jobs(empty_engine, settings).aggregate_once()
    client = build_server(empty_engine, settings).test_client()
    text = client.get("/api/metrics/prometheus").text
    families = text_string_to_metric_families(text)
    return [(sample.name, sample.labels) for family in families for sample in family.samples]


def selectors(query: promql.Expr) -> Iterator[tuple[promql.VectorSelector, list[str]]]:
    """Yield what a query selects, each with the labels by which it is put together."""
    match query:
        case promql.VectorSelector():
            yield query, []
        case promql.AggregateExpr():
            for selector, labels in selectors(query.expr):
                yield selector, labels + (query.modifier.labels if query.modifier else [])
        case promql.BinaryExpr():
            yield from selectors(query.lhs)
            yield from selectors(query.rhs)
        case _:
            raise NotImplementedError(type(query))


def fits(matcher: promql.Matcher, labels: dict[str, str]) -> bool:
    """True if a sample is selected; variables of Grafana stand for anything."""
    value = re.sub(r"\$\w+", ".*", matcher.value)
    match matcher.op:
        case promql.MatchOp.Equal:
            return labels.get(matcher.name) == value
        case promql.MatchOp.Re:
            return re.fullmatch(value, labels.get(matcher.name, "")) is not None
        case other:
            raise NotImplementedError(other)


def test_each_query_selects_something_by_labels_that_are_there(answer):
    wrong = []
    for query in QUERIES:
        for selector, grouped in selectors(promql.parse(query)):
            matchers = selector.matchers.matchers
            names = {*grouped, *(matcher.name for matcher in matchers)}
            if not any(
                selector.name == name
                and names <= set(labels)
                and all(fits(matcher, labels) for matcher in matchers)
                for name, labels in answer
            ):
                wrong.append(query)

    assert wrong == []
    assert len(QUERIES) > 10


def test_each_metric_is_on_the_dashboard(answer):
    shown = {selector.name for query in QUERIES for selector, _ in selectors(promql.parse(query))}

    # The age says it better than the instant; the number of files says little.
    assert {name for name, _ in answer} - shown == {
        "activity_last_pass_timestamp_seconds",
        "activity_import_files",
    }


def test_the_choice_of_projects_comes_from_a_label(answer):
    metric, label = re.fullmatch(
        r"label_values\((\w+), (\w+)\)", VARIABLES["project"]["query"]["query"]
    ).groups()

    assert {labels[label] for name, labels in answer if name == metric} == {"alpha"}


def test_each_variable_in_a_query_is_one_of_the_dashboard():
    assert set(re.findall(r"\$(\w+)", " ".join(QUERIES))) == {"project"}
    assert set(re.findall(r"\$\{(\w+)\}", json.dumps(BOARD))) == {"datasource"}
    assert set(VARIABLES) == {"project", "datasource"}


def test_grafanas_schema_knows_every_field():
    register_default_plugins()
    read = json.loads(json.dumps(Dashboard.from_json(BOARD), cls=JSONEncoder))

    assert list(lost(BOARD, read, "")) == []


def lost(before, after, path: str) -> Iterator[str]:
    """Yield the places of values that did not come back as they were; more may come back."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            yield from lost(value, after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, pair in enumerate(zip(before, after, strict=True)):
            yield from lost(*pair, f"{path}/{place}")
    elif before != after:
        yield path


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    ids = [panel["id"] for panel in BOARD["panels"]]
    cells = [
        (x, y)
        for panel in BOARD["panels"]
        for grid in [panel["gridPos"]]
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]

    assert len(set(ids)) == len(ids)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23
