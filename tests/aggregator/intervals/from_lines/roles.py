"""Roles of the lines of transcripts. Nothing of the product is used."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

Line = dict[str, Any]

EXIT = "<command-name>/exit</command-name>"
ENVELOPE = re.compile(r"\s*<(system-reminder|ide_\w+)\b[^>]*>.*?</\1>\s*", re.DOTALL)
MACHINE = (
    "<task-notification", "<agent-notification", "<teammate-message", "<cross-session-message",
    "<ci-monitor-event", "<scheduled-task", "Stop hook feedback:",
)  # fmt: skip
RECORDS = (
    "Caveat: The messages below", "This session is being continued from a previous",
    "<local-command-", "<command-name", "<command-args", "<bash-", "<user-prompt-submit-hook",
    "<session-start-hook", "<system-reminder", "<ide_",
)  # fmt: skip


def instant(line: Line) -> int | None:
    """Microseconds since 1970."""
    raw = line.get("timestamp")
    if raw is None:
        return None
    since = datetime.fromisoformat(raw) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


def blocks(content: object) -> list[Line]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content) if isinstance(content, list) else []


def content_of(line: Line) -> object:
    if line["type"] == "attachment":
        return line["attachment"].get("prompt")
    message = line.get("message")
    return message.get("content") if isinstance(message, dict) else None


def text_of(line: Line) -> str:
    for block in blocks(content_of(line)):
        if block.get("type") == "text":
            text = block.get("text", "")
            while envelope := ENVELOPE.match(text):
                text = text[envelope.end() :]
            if text.strip():
                return str(text.strip())
    return ""


def role_of(line: Line) -> str:
    """Classify a line: prompt, machine, assistant, result, the end of a run, exit, or other."""
    if line["type"] == "system":
        known = {"turn_duration": "duration", "stop_hook_summary": "stop"}
        return known.get(line.get("subtype", ""), "other")
    if line["type"] == "attachment":
        queued = line["attachment"].get("type") == "queued_command"
        is_notification = line["attachment"].get("commandMode") == "task-notification"
        return "other" if not queued else "machine" if is_notification else author_of(line)
    if line["type"] != "user":
        return "assistant" if line["type"] == "assistant" else "other"
    if any(block.get("type") == "tool_result" for block in blocks(content_of(line))):
        return "result"
    known = {"[Request interrupted by user": "interruption", EXIT: "exit"}
    text = text_of(line)
    return next((role for tag, role in known.items() if text.startswith(tag)), author_of(line))


def author_of(line: Line) -> str:
    """Classify a text in the role of the user: prompt, machine, or other."""
    text, labels = text_of(line), line.get("attachment", line)
    origin = (labels.get("origin") or {}).get("kind", "human")
    foreign = origin != "human" or labels.get("promptSource") == "system"
    shown = any(block.get("type") in ("image", "document") for block in blocks(content_of(line)))
    cases = (
        (line.get("isCompactSummary") or line.get("sourceToolUseID"), "other"),
        (text.startswith(RECORDS), "other"),
        (text.startswith(MACHINE), "machine"),
        (labels.get("isMeta"), "machine" if foreign else "other"),
        (foreign and not text.startswith("<command-message>"), "machine"),
        (text or shown, "prompt"),
    )
    return next((role for applies, role in cases if applies), "other")
