"""Benchmark of reading numbers: the API about everybody, DataFrames, Prometheus.

    python benchmarks/numbers_out.py [--runs 5] [--turns 1800000] [--database-url URL]

Makes 200 agents over 20 projects and 30 days in a scratch database, and prints medians and
ratios:

* ``/api/metrics/activity`` against one request for each project, each agent and overall,
  which a page without it would have to send;
* ``load_metrics`` and ``load_turns`` against ``pandas.read_sql`` of the same rows;
* ``/api/metrics/prometheus`` with all turns, and with a tenth of them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
from flask import Flask
from flask.testing import FlaskClient
from made_turns import AGENTS, PROJECTS, fill, scratch_database
from sqlalchemy import Engine, text

from aggregator import load_metrics, load_turns
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard import api

NOW = datetime(2026, 11, 27, 20, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)

_ROWS = text(
    """
    SELECT m.bucket_start, a.project_id, p.name AS project, a.id AS agent_id,
        left(a.session_id, 8) AS agent, m.turn_count, m.avg_turn_time_seconds
    FROM activity_metrics m JOIN agents a ON a.id = m.agent_id
    JOIN projects p ON p.id = a.project_id
    ORDER BY 1, 4
    """
)
_TURNS = text(
    """
    SELECT t.timestamp AS at, a.project_id, p.name AS project, a.id AS agent_id,
        left(a.session_id, 8) AS agent, t.actor
    FROM turns t JOIN tasks k ON k.id = t.task_id JOIN agents a ON a.id = k.agent_id
    JOIN projects p ON p.id = a.project_id
    ORDER BY 1, 4
    """
)


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    with scratch_database(arguments.database_url) as engine:
        few = arguments.turns // 10
        _fill(engine, few)
        before = _median(arguments.runs, lambda: _ask(_client(engine), "prometheus"))
        _fill(engine, arguments.turns)
        client = _client(engine)
        for window in ("day", "week", "month"):
            one = _median(arguments.runs, lambda w=window: _ask(client, f"activity?window={w}"))
            many = _median(arguments.runs, lambda w=window: _ask_each(client, w))
            size = len(client.get(f"/api/metrics/activity?window={window}").data)
            _print(f"activity, {window} ({size / 1e6:.2f} MB)", "one request each", one, many)
        _frames(engine, arguments.runs)
        after = _median(arguments.runs, lambda: _ask(client, "prometheus"))
        _print("prometheus, all turns", "a tenth of them", after, before)


def _frames(engine: Engine, runs: int) -> None:
    for name, ours, rows in (
        (
            "load_metrics, agents by hour",
            lambda: load_metrics(engine, scope="agent", now=NOW),
            _ROWS,
        ),
        ("load_turns", lambda: load_turns(engine, now=NOW), _TURNS),
    ):
        plain = _median(runs, lambda query=rows: _read_sql(engine, query))
        _print(f"{name} ({len(ours()):,} rows)", "pandas.read_sql", _median(runs, ours), plain)


def _read_sql(engine: Engine, query: object) -> pd.DataFrame:
    with engine.connect() as conn:
        return pd.read_sql(query, conn)  # type: ignore[call-overload]


def _fill(engine: Engine, turns: int) -> None:
    fill(engine, turns, now=NOW)
    make_pass(engine, NOW, RETENTION)


def _client(engine: Engine) -> FlaskClient:
    app = Flask("benchmark")
    app.register_blueprint(api.blueprint(MetricReader(engine), lambda: NOW, RETENTION))
    return app.test_client()


def _ask(client: FlaskClient, path: str) -> None:
    assert client.get(f"/api/metrics/{path}").status_code == 200


def _ask_each(client: FlaskClient, window: str) -> None:
    _ask(client, f"overall?window={window}")
    for kind, number in (("projects", PROJECTS), ("agents", AGENTS)):
        for member in range(1, number + 1):
            _ask(client, f"{kind}/{member}?window={window}")


def _median(runs: int, work: Callable[[], object]) -> float:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _print(name: str, baseline: str, seconds: float, other: float) -> None:
    print(f"{name}: {seconds:.3f} s; {baseline}: {other:.3f} s; ratio {other / seconds:.2f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--turns", type=int, default=1_800_000)
    parser.add_argument("--database-url")
    return parser.parse_args()


if __name__ == "__main__":
    main()
