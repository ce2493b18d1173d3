"""Run with the address of an empty database: add a measure, and print where it is found.

The measure is one more row of :data:`aggregator.metrics.measures.TURN_MEASURES`, computed by the
kernel as 30 s for each turn. A process of its own, because the table is read at import.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec, module_from_spec
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
ROW = """
    Measure(
        name="busy",
        column="busy_seconds",
        sql_type="double precision",
        combine="sum",
        unit="seconds",
        label="Busy time",
        noun="",
        description="Seconds made up for a test.",
        gauge="activity_busy_seconds",
    ),
)
\"\"\"Measures of turns"""


TURNS = """
    INSERT INTO projects (id, name, path) VALUES (1, 'atlas', '/atlas');
    INSERT INTO agents (id, project_id, session_id) VALUES (1, 1, 'a'), (2, 1, 'b');
    INSERT INTO tasks (id, agent_id, state) VALUES (1, 1, 'complete'), (2, 2, 'complete');
    INSERT INTO turns (task_id, actor, timestamp, key) VALUES
        (1, 'USER', '2026-11-22 14:10Z', 'a1'), (1, 'AGENT', '2026-11-22 14:11Z', 'a2'),
        (2, 'USER', '2026-11-22 14:12Z', 'b1');
"""


def add_measure() -> None:
    """Import the table with one more row, as if it had been written there."""
    spec = find_spec("aggregator.metrics.measures")
    source = spec.loader.get_source(spec.name)
    assert source.count('\n)\n"""Measures of turns') == 1
    module = sys.modules[spec.name] = module_from_spec(spec)
    exec(
        compile(source.replace('\n)\n"""Measures of turns', ROW), spec.origin, "exec"), vars(module)
    )


def extend_kernel() -> None:
    """Compute the measure beside the others."""
    from aggregator.metrics import hourly

    kernel = hourly.hourly_metrics
    hourly.hourly_metrics = lambda *facts: (rows := kernel(*facts)).assign(
        busy_seconds=rows["turn_count"] * 30.0
    )


def fill(engine: Any) -> None:
    """Two agents with two turns and one, in the running hour."""
    from aggregator.passes.run import make_pass
    from aggregator.schema import upgrade

    upgrade(engine, "standalone")
    upgrade(engine, "activity")
    with engine.begin() as conn:
        conn.execute(text("ALTER TABLE activity_metrics ADD busy_seconds double precision"))
        conn.execute(text(TURNS))
    make_pass(engine, NOW, timedelta(days=30))


def in_the_table(engine: Any) -> dict[str, Any]:
    """Return stored values, if a pass changes them again, and if it corrects a wrong one."""
    from aggregator.passes.run import make_pass

    def again() -> int:
        return make_pass(engine, NOW, timedelta(days=30)).written.agents

    unchanged = again()
    with engine.begin() as conn:
        conn.execute(text("UPDATE activity_metrics SET busy_seconds = 1 WHERE agent_id = 1"))
        conn.execute(text("DELETE FROM activity_state"))
    mended = again()
    with engine.begin() as conn:
        values = conn.execute(
            text("SELECT busy_seconds FROM activity_metrics ORDER BY agent_id, project_id")
        )
        return {"values": list(values.scalars()), "unchanged": unchanged, "mended": mended}


def elsewhere(engine: Any) -> dict[str, Any]:
    """Return the measure's texts on each surface."""
    from flask import Flask

    from aggregator import load_metrics
    from aggregator.metrics.periods import calendar_period
    from aggregator.metrics.scope import OVERALL, Scope
    from aggregator.query.reader import MetricReader
    from aggregator.schema.adoption import TYPES
    from dashboard.api.blueprint import blueprint
    from dashboard.charts.activity_chart import chart_of
    from dashboard.charts.heatmap import heatmap_of, hourly_means
    from dashboard.charts.titles import chart_title
    from dashboard.export.parameters import CHARTS
    from dashboard.page.parts.cards import CARD_LABELS, cards
    from dashboard.page.parts.controls import METRIC_OPTIONS
    from dashboard.page.parts.tables import agent_table, chart_table, heatmap_table

    reader = MetricReader(engine)
    app = Flask("host")
    app.register_blueprint(blueprint(reader, lambda: NOW, timedelta(days=30)))
    client = app.test_client()
    day = calendar_period("day", date(2026, 11, 22), ZoneInfo("UTC"))
    overview = reader.overview(OVERALL, day, NOW, retention=timedelta(days=30))
    both = reader.overview(Scope("agent", (1, 2)), day, NOW, retention=timedelta(days=30))
    chart = chart_of(overview, {1: "atlas"}, "busy")
    one = client.get("/api/metrics/projects/1").get_json()
    everyone = client.get("/api/metrics/activity").get_json()
    schemas = client.get("/api/metrics/openapi.json").get_json()["components"]["schemas"]
    hours = load_metrics(engine, now=NOW)
    days = load_metrics(engine, scope="agent", freq="day", fill=True, now=NOW, since="2026-11-22")
    return {
        "adoption": TYPES["busy_seconds"],
        "load_metrics": [hours["busy_seconds"].tolist(), str(hours["busy_seconds"].dtype)],
        "load_metrics by day": days["busy_seconds"].tolist(),
        "JSON": [one["current"]["busy_seconds"], one["totals"]["busy_seconds"]],
        "JSON of all": [series["busy_seconds"][-1] for series in everyone["agents"]],
        "CSV": client.get("/api/metrics/overall.csv").text.splitlines(),
        "schema": [
            schemas["Bucket"]["properties"]["busy_seconds"],
            schemas["AgentSeries"]["properties"]["busy_seconds"],
            "busy_seconds" in schemas["Totals"]["required"],
        ],
        "Prometheus": [
            line
            for line in client.get("/api/metrics/prometheus").text.splitlines()
            if "busy" in line and "day" in line
        ],
        "choices": [METRIC_OPTIONS[-1], CHARTS[4]],
        "chart": [chart_title(overview, "busy"), max(chart["data"][0]["y"][:15])],
        "axis": chart["layout"]["yaxis"]["ticktext"],
        "tooltip": chart["data"][0]["hovertext"][14],
        "summary": chart["layout"]["meta"]["summary"],
        "several agents": max(chart_of(both, {1: "atlas"}, "busy")["data"][0]["y"][:15]),
        "pattern": [
            int(hourly_means(overview)["busy"].count()),
            "meta" in heatmap_of(overview, "busy")["layout"],
        ],
        "card": [
            list(CARD_LABELS.items())[-1],
            cards(overview)[-1].children[1].children[0].children,
        ],
        "tables": [
            chart_table(overview, {})["Busy time (s)"].max(),
            "Busy time per hour (s)" in heatmap_table(overview),
            agent_table(overview, {1: "atlas"})["Busy time (s)"].tolist(),
        ],
    }


if __name__ == "__main__":
    add_measure()
    extend_kernel()
    from aggregator.database.engine import connect

    database = connect(sys.argv[1], purpose="tests")
    fill(database)
    found = {"table": in_the_table(database), **elsewhere(database)}
    print(json.dumps(found))  # noqa: T201
