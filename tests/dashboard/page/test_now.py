from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from aggregator.database.models import Task
from aggregator.passes.run import make_pass

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
