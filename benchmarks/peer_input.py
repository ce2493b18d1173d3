"""Made-up Claude Code transcripts for a comparison: sessions spread over thirty days."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

SESSIONS, PROMPTS, DAYS, PROJECTS = 400, 12, 30, 12


def write_transcripts(folder: Path) -> None:
    """Write the transcripts of all sessions, of which the newest has just ended."""
    made = random.Random(20261128)
    now = datetime.now(UTC)
    for number in range(SESSIONS):
        ended = now - timedelta(days=DAYS * number / SESSIONS, minutes=2)
        session = str(UUID(int=made.getrandbits(128), version=4))
        project = f"project-{made.randrange(PROJECTS)}"
        path = folder / f"-code-{project}" / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = list(_lines(made, session, f"/code/{project}"))
        last = rows[-1]["offset"]
        with path.open("w") as file:
            for row in rows:
                at = ended - timedelta(seconds=last - row.pop("offset"))
                file.write(json.dumps({**row, "timestamp": stamp(at)}) + "\n")


def stamp(at: datetime) -> str:
    """Return an instant as transcripts have it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def prompt(session: str, folder: str, name: str) -> dict[str, Any]:
    """Return the line of a prompt, without its instant."""
    message = {"role": "user", "content": "Please go on with the next step."}
    return {"type": "user", "uuid": name, "sessionId": session, "cwd": folder, "message": message}


def reply(session: str, folder: str, name: str, part: dict[str, Any]) -> dict[str, Any]:
    """Return the line of a reply with one part, without its instant."""
    message = {"role": "assistant", "id": name, "model": "made-up", "content": [part]}
    line = {"uuid": name, "sessionId": session, "cwd": folder, "message": message}
    return {"type": "assistant", **line}


def _lines(made: random.Random, session: str, folder: str) -> Iterator[dict[str, Any]]:
    """Yield prompts, calls of tools with their results, and replies, each with its second."""
    offset = 0.0
    for number in range(PROMPTS):
        offset += made.uniform(20, 400)
        yield {**prompt(session, folder, f"{session}-{number}"), "offset": offset}
        for call in range(made.randrange(1, 8)):
            name = f"{session}-{number}-{call}"
            use = {"type": "tool_use", "id": f"t{name}", "name": "Bash", "input": {"command": "ls"}}
            offset += made.uniform(2, 20)
            yield reply(session, folder, name, use) | {"offset": offset}
            result = {"type": "tool_result", "tool_use_id": f"t{name}", "content": "one\n" * 40}
            offset += made.uniform(1, 60)
            line = prompt(session, folder, f"{name}-result") | {"offset": offset}
            yield line | {"message": {"role": "user", "content": [result]}}
        offset += made.uniform(2, 20)
        text = {"type": "text", "text": "This step is done. " * 20}
        yield reply(session, folder, f"{session}-{number}-end", text) | {"offset": offset}
