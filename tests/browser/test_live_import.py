"""The open page shows what a session does soon after it is in a file."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.jobs.live_import import LiveImport
from aggregator.passes.run import make_pass
from aggregator.settings import Settings
from dashboard.server import build_server

SESSION = "5f717a88-live"
REASON, PROJECT = "#now .is-waiting .activity-now-reason", "#now .is-working .activity-now-project"


@pytest.fixture
def live(empty_engine, dash_br, serve, tmp_path):
    """The folder of Claude Code, of which an open page shows what changes."""
    for name in ("projects/cli", "sessions"):
        (tmp_path / name).mkdir(parents=True)
    settings = replace(Settings.load(environ={}), transcripts=(tmp_path / "projects",))

    def pass_now():
        return make_pass(empty_engine, datetime.now(UTC), timedelta(days=30))

    stopping = threading.Event()
    job = LiveImport(empty_engine, settings, pass_now)
    thread = threading.Thread(target=job.run, args=[stopping])
    thread.start()
    dash_br.driver.get(f"{serve(build_server(empty_engine, settings))}/activity/")
    dash_br.wait_for_element("#view:not(.is-waiting)")
    yield tmp_path
    dash_br.driver.get("about:blank")
    stopping.set()
    thread.join()


def append(folder, kind, *parts, stop=None):
    at = datetime.now(UTC)
    message = {"role": kind, "id": f"m{at}", "content": list(parts), "stop_reason": stop}
    line = {"type": kind, "uuid": f"u{at}", "sessionId": SESSION, "cwd": "/gone/cli"}
    line |= {"message": message, "timestamp": at.isoformat(), "permissionMode": "default"}
    with (folder / "projects" / "cli" / f"{SESSION}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def call(folder, name):
    append(folder, "assistant", {"type": "tool_use", "id": name, "name": name}, stop="tool_use")


def test_questions_answers_and_permissions_are_on_the_page_and_who_is_gone_is_not(live, dash_br):
    append(live, "user", {"type": "text", "text": "Go on"})
    dash_br.wait_for_text_to_equal(PROJECT, "cli", timeout=20)
    call(live, "AskUserQuestion")
    dash_br.wait_for_text_to_equal(REASON, "asks a question", timeout=20)
    append(live, "user", {"type": "tool_result", "tool_use_id": "AskUserQuestion", "content": "a"})
    dash_br.wait_for_text_to_equal(PROJECT, "cli", timeout=20)
    call(live, "Bash")
    # A Bash that asks looks like one that runs, but the file of the session tells.
    file = live / "sessions" / f"{os.getpid()}.json"
    at = datetime.now(UTC).timestamp() * 1000
    file.write_text(
        json.dumps({"sessionId": SESSION, "status": "waiting", "statusUpdatedAt": int(at)})
    )
    dash_br.wait_for_text_to_equal(REASON, "needs a permission: Bash", timeout=20)
    file.unlink()
    dash_br.wait_for_text_to_equal("#now .is-waiting .activity-now-nobody", "nobody", timeout=20)
    dash_br.wait_for_text_to_equal("#now .is-working .activity-now-nobody", "nobody", timeout=20)
