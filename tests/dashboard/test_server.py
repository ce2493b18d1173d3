from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from aggregator.database.models import Agent
from aggregator.settings import Settings
from dashboard.server import build_jobs, build_server

SETTINGS = Settings.load(environ={})


@pytest.fixture
def client(empty_engine):
    return build_server(empty_engine, SETTINGS).test_client()


def test_the_root_leads_to_the_page(client):
    answer = client.get("/")

    assert (answer.status_code, answer.location) == (302, "/activity/")


def test_the_page_and_the_api_are_there(client):
    assert 'aria-current="page"' in client.get("/activity").text
    assert client.get("/api/metrics/overall").get_json()["totals"]["turn_count"] == 0


@pytest.mark.parametrize("address", ["/nothing", "/activity/nothing", "/activity/assets/no.js"])
def test_an_address_with_nothing_is_told_on_a_page_of_ours(client, address):
    answer = client.get(address)

    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert f"<code>{address}</code> is no page of this server" in answer.text
    assert '<header class="site-header">' in answer.text
    assert client.get("/activity/assets/bundle.css").status_code == 200


def test_a_name_in_an_address_is_no_markup(client):
    assert "<b>" not in client.get("/<b>").text


def test_an_unknown_address_of_the_api_is_told_as_json(client):
    assert client.get("/api/metrics/nothing").mimetype == "application/json"


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_answers_are_compressed(client, encoding):
    answer = client.get("/activity/", headers={"Accept-Encoding": encoding})

    assert answer.headers["Content-Encoding"] == encoding


def test_demo_activity_is_marked(empty_engine):
    for demo in (True, False):
        client = build_server(empty_engine, SETTINGS, demo=demo).test_client()

        assert ("made up" in client.get("/activity/_dash-layout").text) is demo


def test_transcripts_are_imported_by_themselves(empty_engine, tmp_path):
    (tmp_path / "s.jsonl").write_text(
        '{"type":"user","uuid":"u","sessionId":"s","cwd":"/c","message":{"content":"Hi"},'
        '"timestamp":"2026-11-22T14:00:00Z"}\n'
    )
    settings = replace(
        SETTINGS, transcripts=(tmp_path,), interval_seconds=1, import_interval_seconds=1
    )
    imported = threading.Event()

    def look() -> None:
        with empty_engine.connect() as conn:
            if conn.scalars(select(Agent.session_id)).all() == ["s"]:
                imported.set()

    jobs = build_jobs(empty_engine, settings)

    jobs.every(1, "look", look)

    jobs.start()
    found = imported.wait(timeout=30)
    jobs.stop()

    assert found


@pytest.mark.usefixtures("home_with_database")
def test_another_wsgi_server_can_run_it_from_the_environment(home, tmp_path):
    code = (
        "from dashboard.server import create_app; "
        "print(create_app().test_client().get('/activity').status_code)"
    )
    environ = {"ACTIVITY_HOME": str(home), "ACTIVITY_TRANSCRIPTS": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.returncode) == ("200\n", 0), done.stderr
