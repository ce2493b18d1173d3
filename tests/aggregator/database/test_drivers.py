from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from flask import Flask
from sqlalchemy import create_engine, event, func, insert, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from aggregator import load_metrics, load_turns
from aggregator.database.binary_copy import INT8, compiled, copy_in, copy_out
from aggregator.database.engine import parse_url
from aggregator.database.models import ActivityMetric, Turn
from aggregator.database.sqlstate import FOREIGN_KEY_VIOLATION, sqlstate
from aggregator.passes.run import make_pass
from aggregator.schema import capture
from dashboard import Activity

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)


@pytest.fixture(params=["psycopg2", "psycopg"])
def engine_of_driver(request, empty_engine):
    """An engine as a host makes it, with either driver, on a database without rows."""
    engine = create_engine(empty_engine.url.set(drivername=f"postgresql+{request.param}"))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_a_url_keeps_its_driver(driver):
    assert parse_url(f"postgresql+{driver}://db/activity").drivername == f"postgresql+{driver}"


def test_a_pass_and_notebooks_work_with_the_engine_of_a_host(engine_of_driver, record):
    with engine_of_driver.begin() as conn:
        capture.install(conn)
        record(conn, "alpha", "a1", [NOW - timedelta(minutes=minute) for minute in (1, 2, 70)])
        record(conn, "beta", "b1", [NOW - timedelta(hours=5)])

    report = make_pass(engine_of_driver, NOW, RETENTION)

    metrics = load_metrics(engine_of_driver, scope="project", now=NOW)
    assert (report.written.agents, report.written.overall) == (3, 3)
    assert metrics[["project", "turn_count"]].values.tolist() == [
        ["beta", 1], ["alpha", 1], ["alpha", 2],
    ]  # fmt: skip
    assert load_turns(engine_of_driver, project="alpha", now=NOW).index.tolist() == [
        pd.Timestamp(NOW - timedelta(minutes=minute)) for minute in (70, 2, 1)
    ]


def test_the_page_and_the_api_use_the_engine_of_a_host(engine_of_driver, record):
    with engine_of_driver.begin() as conn:
        record(conn, "alpha", "a1", [NOW - timedelta(minutes=1)])
    make_pass(engine_of_driver, NOW, RETENTION)
    app = Flask("host")
    app.config["ACTIVITY_JOBS"] = False
    Activity(app, engine=engine_of_driver, clock=lambda: NOW)
    client = app.test_client()
    statements = []
    event.listen(engine_of_driver, "before_cursor_execute", lambda *args: statements.append(args))

    answer = client.get("/api/metrics/overall").get_json()

    assert client.get("/activity/").status_code == 200
    assert answer["totals"]["turn_count"] == 1
    assert statements


def test_copy_gives_back_what_it_wrote(engine_of_driver):
    columns = {"a": INT8, "b": INT8}
    values = {"a": [1, -2, 3], "b": [2**40, 0, -1]}
    with engine_of_driver.begin() as conn:
        conn.execute(text("CREATE TEMPORARY TABLE numbers (a bigint, b bigint) ON COMMIT DROP"))
        copy_in(conn, "numbers", columns, values)
        query = select(text("a, b")).select_from(text("numbers")).where(text("a <> 3"))
        rows = copy_out(conn, compiled(conn, query), {}, columns)

    assert sorted(zip(rows["a"].tolist(), rows["b"].tolist(), strict=True)) == [(-2, 0), (1, 2**40)]


def test_errors_of_copy_are_those_of_other_statements(engine_of_driver):
    with engine_of_driver.connect() as conn, pytest.raises(ProgrammingError, match="nowhere"):
        copy_in(conn, "nowhere", {"a": INT8}, {"a": [1]})


def test_the_code_of_an_error_does_not_depend_on_the_driver(engine_of_driver):
    with engine_of_driver.connect() as conn, pytest.raises(DBAPIError) as caught:
        conn.execute(insert(Turn).values(task_id=0, actor="USER", timestamp=NOW, key="k"))

    assert sqlstate(caught.value) == FOREIGN_KEY_VIOLATION
    with engine_of_driver.connect() as conn:
        counted = [conn.scalar(select(func.count()).select_from(m)) for m in (Turn, ActivityMetric)]
    assert counted == [0, 0]
