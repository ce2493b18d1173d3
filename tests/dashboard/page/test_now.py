from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import text, update

from aggregator.database.models import Task
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard.context import PageContext
from dashboard.page.now import NowStrips

RETENTION = timedelta(days=30)


def counts(answer):
    """Texts of the counts in the head of the page."""
    return [
        [part if isinstance(part, str) else part["props"]["children"] for part in parts]
        if isinstance(parts := count["props"]["children"], list)
        else parts
        for count in answer.get_json()["states"]
    ]


def test_the_strip_has_the_digest_that_the_version_names(empty_engine, open_page, record, now):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [now - timedelta(minutes=2)], state="awaiting_input")
    client = open_page(empty_engine).client

    strip = client.get("/activity/now")

    assert (strip.status_code, strip.headers["Cache-Control"]) == (200, "no-store")
    assert strip.get_json()["waiting"] == 1
    assert counts(strip) == [["0", " working"], ["1", " waiting for input"], ["0", " idle"]]
    assert counts(client.get("/activity/now?project=9"))[1:] == [
        ["0", " waiting for input"],
        ["0", " idle"],
        "in this view",
    ]
    assert strip.get_json()["digest"] == client.get("/activity/version").get_json()["now"]


def test_the_strip_is_read_anew_after_a_pass(empty_engine, open_page, record, now):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [now - timedelta(minutes=2)], state="awaiting_input")
    client = open_page(empty_engine).client
    before = client.get("/activity/version").get_json()["now"]
    with empty_engine.begin() as conn:
        conn.execute(update(Task).values(state="processing"))
    same = client.get("/activity/version").get_json()["now"]

    make_pass(empty_engine, now, RETENTION)

    after = client.get("/activity/now").get_json()
    assert (before == same, before == after["digest"], after["waiting"]) == (True, False, 0)


def test_who_asks_while_the_strip_is_read_gets_the_one_before_at_once(
    empty_engine, open_page, record, now
):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [now - timedelta(minutes=2)], state="awaiting_input")
    make_pass(empty_engine, now - timedelta(seconds=1), RETENTION)
    client = open_page(empty_engine).client
    before = client.get("/activity/now").get_json()
    with empty_engine.begin() as conn:
        conn.execute(update(Task).values(state="processing"))
    make_pass(empty_engine, now, RETENTION)

    with ThreadPoolExecutor() as pool, empty_engine.begin() as conn:
        conn.execute(text("LOCK TABLE turns"))
        reading = pool.submit(client.application.test_client().get, "/activity/now")
        wait_until_someone_waits(empty_engine)
        meanwhile = client.get("/activity/now").get_json()
        conn.rollback()
        after = reading.result().get_json()

    assert (before["waiting"], meanwhile == before, after["waiting"]) == (1, True, 0)


def test_a_busy_server_tells_the_strip_before_for_five_seconds(empty_engine, record, now):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [now - timedelta(minutes=2)], state="awaiting_input")
    make_pass(empty_engine, now, RETENTION)
    reader = MetricReader(empty_engine)
    strips = NowStrips(reader, PageContext(30), is_busy=lambda: True)
    waiting = [strips.at(reader.version(now)).strip["waiting"]]
    with empty_engine.begin() as conn:
        conn.execute(update(Task).values(state="processing"))
    make_pass(empty_engine, now + timedelta(seconds=1), RETENTION)

    for seconds in (4, 5):
        version = reader.version(now + timedelta(seconds=seconds))
        waiting.append(strips.at(version).strip["waiting"])

    assert waiting == [1, 1, 0]


def wait_until_someone_waits(engine):
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(500):
        with engine.connect() as conn:
            if conn.scalar(waiting):
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits for the lock")
