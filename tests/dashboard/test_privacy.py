"""A marker in everything that people and agents say is found nowhere afterwards."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
from sqlalchemy import inspect, text

from aggregator.passes.run import make_pass
from aggregator.settings import Settings
from aggregator.transcripts.importer import import_transcripts
from dashboard.host.extension import utc_now
from dashboard.server import build_server

MARKER = "xyzzy-4711"
PATHS = [
    "/api/metrics/overall",
    "/api/metrics/overall.csv",
    "/api/metrics/activity",
    "/api/metrics/activity.csv",
    "/api/metrics/projects/1",
    "/api/metrics/agents/1",
    "/api/metrics/prometheus",
    "/activity/",
    "/activity/version",
]


def user(content, **more):
    return {"type": "user", "message": {"role": "user", "content": content}, **more}


def agent(block, **message):
    block = {"type": block, **message}
    return {"type": "assistant", "message": {"role": "assistant", "content": [block]}}


TALK = [
    user(f"Please do {MARKER}"),
    agent("thinking", thinking=MARKER, signature=MARKER),
    agent("text", text=f"{MARKER} is done"),
    agent("tool_use", id="t1", name="Bash", input={"command": MARKER, "description": MARKER}),
    user(
        [{"type": "tool_result", "tool_use_id": "t1", "content": MARKER}],
        toolUseResult={"stdout": MARKER, "stderr": MARKER},
    ),
    agent("tool_use", id="t2", name="AskUserQuestion", input={"questions": [{"question": MARKER}]}),
    user([{"type": "tool_result", "tool_use_id": "t2", "content": [{"text": MARKER}]}]),
    user(f"<command-name>/{MARKER}</command-name>"),
    user(f"<bash-input>{MARKER}</bash-input>"),
    user(MARKER, isCompactSummary=True),
    user(MARKER, isMeta=True),
    {"type": "system", "subtype": "api_error", "content": MARKER, "error": {"message": MARKER}},
    {"type": "system", "subtype": "turn_duration", "durationMs": 1, "content": MARKER},
    {"type": "queue-operation", "operation": "enqueue", "content": MARKER},
    {"type": "attachment", "attachment": {"type": "queued_command", "prompt": MARKER}},
    {"type": "last-prompt", "lastPrompt": MARKER},
    {"type": "summary", "summary": MARKER, "leafUuid": "u"},
    {"type": "ai-title", "aiTitle": MARKER},
    {"type": "progress", "data": {"output": MARKER}},
]


@pytest.fixture
def folder(tmp_path):
    started = utc_now() - timedelta(minutes=30)
    file = tmp_path / "project" / "s1.jsonl"
    file.parent.mkdir()
    lines = []
    for number, line in enumerate(TALK):
        at = (started + timedelta(seconds=number)).isoformat()
        common = {"sessionId": "s1", "cwd": "/code/alpha", "timestamp": at, "uuid": f"u{number}"}
        lines.append(json.dumps({**common, **line}) + "\n")
    # A torn line, too, and one that is none.
    file.write_text("".join([*lines, lines[0][:-20] + "\n", f"{MARKER}\n"]))
    return tmp_path


def test_nothing_that_anybody_said_is_stored_logged_or_shown(empty_engine, folder, visit, caplog):
    caplog.set_level(logging.DEBUG)
    report = import_transcripts(empty_engine, [folder])
    make_pass(empty_engine, utc_now(), timedelta(days=30))
    server = build_server(empty_engine, Settings.load(environ={}))
    page = visit(server)

    with empty_engine.connect() as conn:
        stored = {
            name: str(conn.execute(text(f'SELECT * FROM "{name}"')).all())
            for name in inspect(conn).get_table_names()
        }
    shown = {path: page.client.get(path) for path in PATHS}
    shown_page = json.dumps(page.update(url="?window=week&project=1&agent=1"))

    assert report.turns > 2
    assert {path: answer.status_code for path, answer in shown.items()} == dict.fromkeys(PATHS, 200)
    assert [name for name, rows in stored.items() if MARKER in rows] == []
    assert [path for path, answer in shown.items() if MARKER in answer.text] == []
    assert MARKER not in shown_page
    assert MARKER not in caplog.text
