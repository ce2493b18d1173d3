"""A baseline for the page: agentsview on transcripts with the same turns."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text


def write_transcripts(engine: Engine, folder: Path, shift: timedelta) -> None:
    """Write the turns as one Claude Code transcript per agent, shifted in time."""
    query = text("""
        SELECT session_id, projects.name, actor, timestamp, key FROM turns
        JOIN tasks ON tasks.id = task_id JOIN agents ON agents.id = agent_id
        JOIN projects ON projects.id = project_id ORDER BY agents.id, timestamp""")
    with engine.connect() as conn, contextlib.ExitStack() as files:
        opened: dict[str, Any] = {}
        for session, project, actor, at, key in conn.execute(query):
            if session not in opened:
                path = folder / f"-code-{project}" / f"{session}.jsonl"
                path.parent.mkdir(parents=True, exist_ok=True)
                opened[session] = files.enter_context(path.open("w"))
            role = "user" if actor == "USER" else "assistant"
            content = "Go on." if role == "user" else [{"type": "text", "text": "Done."}]
            message = {"role": role, "content": content, "id": key, "model": "made-up"}
            line = {
                "type": role,
                "uuid": key,
                "sessionId": session,
                "cwd": f"/code/{project}",
                "timestamp": (at + shift).astimezone(UTC).isoformat().replace("+00:00", "Z"),
                "message": message,
            }
            opened[session].write(json.dumps(line) + "\n")


@contextlib.contextmanager
def serve_agentsview(program: Path, home: str) -> Iterator[str]:
    """Run agentsview on a home's transcripts; yield its address when it has read them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {"HOME": home, "PATH": os.defpath}
    options = ["--no-browser", "--no-update-check", "--port", str(port)]
    with subprocess.Popen(
        [program, "serve", *options], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as server:
        try:
            assert server.stdout
            while b"listening at" not in server.stdout.readline():
                pass
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def report(address: str, period: str, now: datetime, runs: int) -> tuple[int, float]:
    """Return the bytes on the wire, and the median time, of the numbers for its page."""
    query = f"preset={period}&date={now:%Y-%m-%d}&timezone=UTC&automation=all"
    request = urllib.request.Request(
        f"{address}/api/v1/activity/report?{query}", headers={"Accept-Encoding": "gzip"}
    )
    seconds, size = [], 0
    for _ in range(runs):
        started = time.perf_counter()
        with urllib.request.urlopen(request) as answer:
            size = len(answer.read())
        seconds.append(time.perf_counter() - started)
    return size, statistics.median(seconds)
