from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from aggregator.passes.run import make_pass

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
PATHS = ("overall", "overall.csv", "activity?window=week", "projects/1", "agents/1?tz=Asia/Tokyo")


class Server:
    """The API at a time that tests can change."""

    def __init__(self, serve_api, engine):
        self.now = NOW
        self.client = serve_api(engine, lambda: self.now, RETENTION)

    def ask(self, path, tag=None, **headers):
        known = {"If-None-Match": tag} if tag else {}
        return self.client.get(f"/api/metrics/{path}", headers={**known, **headers})


@pytest.fixture
def server(empty_engine, record, serve_api):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [NOW - timedelta(minutes=5), NOW - timedelta(minutes=7)])
    make_pass(empty_engine, NOW, RETENTION)
    return Server(serve_api, empty_engine)


@pytest.mark.parametrize("path", PATHS)
def test_what_is_known_is_not_sent_again_while_only_the_clock_moves(server, path):
    first = server.ask(path)
    server.now += timedelta(minutes=3)
    again = server.ask(path, first.headers["ETag"])

    assert first.headers["ETag"].startswith('W/"')
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Vary"] == first.headers["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize("path", ["overall", "activity", "projects/1"])
def test_a_pass_the_next_hour_and_a_new_name_are_news(server, empty_engine, record, path):
    tags = [server.ask(path).headers["ETag"]]
    make_pass(empty_engine, NOW + timedelta(minutes=5), RETENTION)
    tags.append(server.ask(path).headers["ETag"])
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [NOW - timedelta(minutes=1)])
    make_pass(empty_engine, NOW + timedelta(minutes=5), RETENTION)
    tags.append(server.ask(path).headers["ETag"])
    server.now += timedelta(hours=1)
    tags.append(server.ask(path).headers["ETag"])
    if path == "activity":
        with empty_engine.begin() as conn:
            conn.execute(text("UPDATE projects SET name = 'beta'"))
        tags.append(server.ask(path).headers["ETag"])

    assert len(set(tags)) == len(tags)
    assert server.ask(path, tags[0]).status_code == 200


def test_an_error_is_an_error_whatever_is_known(server, empty_engine):
    tag = server.ask("projects/1").headers["ETag"]
    with empty_engine.begin() as conn:
        conn.execute(text("DELETE FROM projects"))

    assert server.ask("projects/1", tag).status_code == 404
    assert server.ask("projects/1?window=x", tag).status_code == 400


def test_json_and_csv_of_one_address_are_told_apart(server):
    tags = {server.ask("overall", Accept=kind).headers["ETag"] for kind in ("*/*", "text/csv")}

    assert len(tags) == 2


def test_many_who_ask_at_once_each_get_the_answer_to_their_address_and_format(server):
    asked = [
        ("activity", "application/json"),
        ("activity", "text/csv"),
        ("activity?window=week", "application/json"),
        ("projects/1", "application/json"),
        ("projects/2", "application/json"),
        ("prometheus", "*/*"),
    ]

    def answer(path, accept):
        # Clients of Flask are for one thread.
        client = server.client.application.test_client()
        found = client.get(f"/api/metrics/{path}", headers={"Accept": accept})
        return found.status_code, found.headers["Content-Type"], found.data

    alone = [answer(*one) for one in asked]
    with ThreadPoolExecutor(24) as pool:
        together = list(pool.map(lambda one: answer(*one), asked * 4))

    assert [status for status, *_ in alone] == [200, 200, 200, 200, 404, 200]
    assert together == alone * 4
