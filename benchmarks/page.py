"""Benchmark of the page: bytes loaded, time to the drawn chart, cost of its one request.

    python benchmarks/page.py [--runs 5] [--agentsview PATH]

Makes 20 projects, 200 agents and 30 days in its own embedded PostgreSQL, serves them like
the standalone server, and opens the page in a real Chromium with a cold cache. Prints
medians of several runs:

* requests and bytes on the wire of a first load, and the time until its chart is drawn;
* the same for another period, from the click until the chart is drawn;
* the server's time for that request, as a multiple of its bare SQL: the same statements
  sent again through the driver alone, with their rows fetched and discarded;
* if its path is given, the page of ``agentsview`` on transcripts of the same turns.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
from agentsview import report, serve_agentsview, write_transcripts
from flask import Flask
from selenium import webdriver
from sqlalchemy import Engine, event, text
from waitress.server import create_server

from aggregator.database.engine import connect
from aggregator.passes.run import make_pass
from aggregator.schema.migrate import upgrade
from aggregator.standalone.embedded import EmbeddedPostgres
from dashboard.context import PageContext
from dashboard.host.extension import Activity
from dashboard.page.mount import STANDALONE_TEMPLATE

PROJECTS, AGENTS, DAYS, TURNS_PER_HOUR = 20, 200, 30, 4
NOW = datetime(2026, 11, 27, 20, 30, tzinfo=UTC)
"""A Friday evening: most hours of the day, the week and the month are over."""
PERIODS = ("day", "week", "month")
UPDATE = "/_dash-update-component"

FILL = """
INSERT INTO projects (name, path)
SELECT 'project-' || n, '/code/project-' || n FROM generate_series(1, :projects) n;
INSERT INTO agents (project_id, session_id, started_at)
SELECT 1 + n % :projects, md5('agent' || n), :since FROM generate_series(1, :agents) n;
INSERT INTO tasks (agent_id, state)
SELECT id, CASE id % 3 WHEN 0 THEN 'awaiting_input' ELSE 'processing' END FROM agents;
INSERT INTO turns (task_id, actor, timestamp, key)
SELECT tasks.id, CASE n % 4 WHEN 0 THEN 'USER' ELSE 'AGENT' END,
  hour + (abs(hashint8(tasks.id * 1000003 + n)) + extract(epoch FROM hour)::bigint * 7919)
    % 3600000 * interval '1 millisecond',
  tasks.id || '-' || extract(epoch FROM hour)::bigint || '-' || n
FROM tasks, generate_series(1, :turns) n,
  generate_series(date_trunc('hour', :since), :until, interval '1 hour') hour
WHERE hour < :until - interval '1 hour';
ANALYZE;
"""


@dataclass
class Recorder:
    """The server's work for its last request for numbers.

    Attributes:
        seconds: Time of every request so far, the last one included.
        statements: SQL and parameters of the last request.
    """

    seconds: list[float] = field(default_factory=list)
    statements: list[tuple[str, Any]] = field(default_factory=list)


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--agentsview", type=Path, metavar="PATH")
    given = parser.parse_args()
    with filled_database() as engine, served(engine) as (page, recorder):
        show_first_load(
            "first load", f"{page}?window=week", "#activity-chart .barlayer .point", given.runs
        )
        show_periods(engine, page, recorder, given.runs)
        if given.agentsview:
            show_agentsview(engine, given.agentsview, given.runs)


def show_agentsview(engine: Engine, program: Path, runs: int) -> None:
    """Measure agentsview, which always uses the real time."""
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as home:
        write_transcripts(engine, Path(home) / ".claude" / "projects", now - NOW)
        with serve_agentsview(program, home) as address:
            print()
            show_first_load("agentsview", f"{address}/activity", ".timeline-svg rect", runs)
            for period in PERIODS:
                size, seconds = report(address, period, now, runs)
                name = f"  its {period}"
                print(f"{name:14}{size / 1000:19.1f} kB{seconds * 1000:32.0f} ms")


@contextlib.contextmanager
def filled_database() -> Iterator[Engine]:
    """Fill a database with thirty days of turns in every hour of every agent, and their metrics."""
    with tempfile.TemporaryDirectory() as home, EmbeddedPostgres(Path(home)) as server:
        engine = connect(server.url("page"), purpose="benchmark")
        upgrade(engine, "standalone")
        upgrade(engine, "activity")
        sizes = {"projects": PROJECTS, "agents": AGENTS, "turns": TURNS_PER_HOUR}
        with engine.begin() as conn:
            for statement in FILL.strip().split(";\n"):
                named = {**sizes, "since": NOW - timedelta(days=DAYS), "until": NOW}
                used = {name: value for name, value in named.items() if f":{name}" in statement}
                conn.execute(text(statement), used)
        make_pass(engine, NOW, timedelta(days=DAYS))
        with engine.connect() as conn:
            turns, rows = (
                conn.scalar(text(f"SELECT count(*) FROM {table}"))
                for table in ("turns", "activity_metrics")
            )
        print(f"{PROJECTS} projects, {AGENTS} agents, {turns:,} turns, {rows:,} metric rows\n")
        yield engine
        engine.dispose()


@contextlib.contextmanager
def served(engine: Engine) -> Iterator[tuple[str, Recorder]]:
    """Run a server like the standalone one; yield the page's address and the recorder."""
    app = Flask("benchmark")
    context = PageContext(retention_days=DAYS)
    Activity(app, engine=engine, context=context, template=STANDALONE_TEMPLATE, clock=lambda: NOW)
    recorder = record(app, engine)
    # One thread for each connection that a browser may open.
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}/activity/", recorder
    finally:
        server.close()
        thread.join(timeout=5)


def record(app: Any, engine: Engine) -> Recorder:
    """Time every request for numbers, and keep the statements of the last."""
    recorder, answer = Recorder(), app.wsgi_app

    def timed(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        if not environ["PATH_INFO"].endswith(UPDATE):
            return answer(environ, start)
        recorder.statements.clear()
        started = time.perf_counter()
        body = list(answer(environ, start))
        recorder.seconds.append(time.perf_counter() - started)
        return body

    @event.listens_for(engine, "before_cursor_execute")
    def keep(*details: Any) -> None:
        _, _, statement, parameters, *_ = details
        recorder.statements.append((statement, parameters))

    app.wsgi_app = timed
    return recorder


@contextlib.contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Start a Chromium with a cold cache that logs its requests."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1440,1200"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options=options)
    try:
        yield driver
    finally:
        driver.quit()


def wire(driver: webdriver.Chrome) -> list[int]:
    """Return the bytes on the wire of every request to a server since the last call."""
    requests, sizes = set(), []
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        details = message["params"]
        if message["method"] == "Network.requestWillBeSent":
            if details["request"]["url"].startswith("http://127.0.0.1"):
                requests.add(details["requestId"])
        elif message["method"] == "Network.loadingFinished" and details["requestId"] in requests:
            sizes.append(details["encodedDataLength"])
    return sizes


def show_first_load(name: str, address: str, drawn: str, runs: int) -> None:
    """Load a page with a cold cache until a chart is drawn, then until the network is idle."""
    watch = f"""
      new MutationObserver((_, observer) => {{
        if (!document.querySelector({json.dumps(drawn)})) return;
        window.drawnAt = performance.now();
        observer.disconnect();
      }}).observe(document, {{ childList: true, subtree: true }});"""
    loads = []
    for _ in range(runs):
        with browser() as driver:
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": watch})
            driver.get(address)
            drawn_at = wait_for(lambda: driver.execute_script("return window.drawnAt"))
            time.sleep(2)  # Include what a page loads after its first chart.
            sizes = wire(driver)
            loads.append((len(sizes), sum(sizes), drawn_at / 1000))
    requests, size, seconds = (statistics.median(column) for column in zip(*loads, strict=True))
    print(f"{name:14}{requests:4.0f} requests{size / 1e6:8.2f} MB{seconds:9.2f} s to the chart")


def wait_for(look: Callable[[], Any], seconds: float = 60) -> Any:
    """Poll until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise TimeoutError(f"nothing was drawn within {seconds} s")


VERSION = text("UPDATE activity_state SET changed_at = changed_at + interval '1 microsecond'")
CLICK = """
const [period, done] = arguments;
const plot = document.querySelector("#activity-chart .js-plotly-plot");
const started = performance.now();
plot.once("plotly_afterplot", () => done(performance.now() - started));
document.querySelector(`#window input[value="${period}"]`).click();
"""


def show_periods(engine: Engine, page: str, recorder: Recorder, runs: int) -> None:
    """Click through the periods."""
    print(f"\n{'':14}requests   on the wire   click to chart    server     SQL   server / SQL")
    seen: dict[str, list[tuple[float, ...]]] = {period: [] for period in PERIODS}
    with browser() as driver:
        driver.set_script_timeout(60)
        driver.get(f"{page}?window=week")
        bars = "return document.querySelector('#activity-chart .barlayer .point')"
        wait_for(lambda: driver.execute_script(bars))
        time.sleep(1)
        for _ in range(runs):
            for period in ("month", "day", "week"):
                wire(driver)
                make_version(engine)
                clicked = driver.execute_async_script(CLICK, period) / 1000
                time.sleep(0.5)
                sizes = wire(driver)
                sql = bare_seconds(engine, recorder.statements)
                seen[period].append((len(sizes), sum(sizes), clicked, recorder.seconds[-1], sql))
    for period in PERIODS:
        requests, size, clicked, server, sql = map(
            statistics.median, zip(*seen[period], strict=True)
        )
        print(
            f"{period:14}{requests:8.0f}{size / 1000:11.1f} kB{clicked:15.3f} s"
            f"{server * 1000:8.0f} ms{sql * 1000:5.0f} ms{server / sql:11.1f}"
        )


def make_version(engine: Engine) -> None:
    """Let all that is shown be out of date, as a pass does that changes a number."""
    with engine.begin() as conn:
        conn.execute(VERSION)


def bare_seconds(engine: Engine, statements: list[tuple[str, Any]]) -> float:
    """Time statements through the driver alone, in one transaction."""
    url = engine.url
    conn = psycopg2.connect(
        host=url.host,
        port=url.port,
        user=url.username,
        password=url.password,
        dbname=url.database,
    )
    with contextlib.closing(conn), conn.cursor() as cursor:
        conn.set_session(isolation_level="REPEATABLE READ", readonly=True)
        cursor.execute("SELECT 1")
        started = time.perf_counter()
        for statement, parameters in list(statements):
            cursor.execute(statement, parameters)
            if cursor.description:
                cursor.fetchall()
        conn.rollback()
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
