"""The background job under servers that start several processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from aggregator.database.models import ActivityMetric

HOST = """
import os
from flask import Flask
from dashboard import Activity

app = Flask("host")
app.config.update(ACTIVITY_DATABASE_URL=os.environ["DATABASE"], ACTIVITY_INTERVAL_SECONDS=1)
Activity(app)
"""
GUNICORN = ["-m", "gunicorn", "--no-control-socket", "-w", "2", "-b", "127.0.0.1:0", "host:app"]
RELOADER = ["-m", "flask", "--app", "host", "run", "--debug", "--port", "0"]


@pytest.fixture
def serve(empty_engine, tmp_path):
    """Start a server of the host; return its address."""
    (tmp_path / "host.py").write_text(HOST)
    url = empty_engine.url.render_as_string(hide_password=False)
    running = []

    def start(arguments: list[str]) -> str:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "DATABASE": url, "PYTHONUNBUFFERED": "1"},
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        running.append(process)
        lines = iter(process.stdout.readline, "")
        return next(filter(None, (re.search(r"http://[0-9.]+:\d+", line) for line in lines)))[0]

    yield start
    for process in running:
        # With all its workers.
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()


@pytest.mark.parametrize(
    "arguments",
    [GUNICORN, [*GUNICORN, "--preload"], RELOADER],
    ids=["workers", "preload", "reload"],
)
def test_the_processes_that_answer_make_the_passes(empty_engine, record, serve, arguments):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [datetime.now(UTC) - timedelta(minutes=5)])
    url = serve(arguments)

    for path in ("/activity/", "/activity/_dash-layout", "/api/metrics/overall"):
        with urllib.request.urlopen(url + path) as answer:
            assert answer.status == 200

    rows = []
    for _ in range(300):
        with empty_engine.connect() as conn:
            rows = conn.scalars(select(ActivityMetric.turn_count)).all()
        if rows:
            break
        time.sleep(0.1)
    assert rows == [1, 1, 1]
