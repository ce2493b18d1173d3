"""Work in the background: what a call launched, and what has reported back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aggregator.transcripts.parser import LONGEST_ID, Line, storable
from aggregator.transcripts.prompts import blocks_of, text_of
from aggregator.transcripts.signals.tool_calls import SUB_AGENTS, Call

MONITOR = "Monitor"
STOPS = frozenset({"KillShell", "KillBash", "TaskStop"})
OUTPUTS = frozenset({"TaskOutput", "BashOutput", "AgentOutputTool"})
UNFINISHED = ("running", "pending")

_TASK_ID = re.compile(r"<(?:task-id|tool-use-id)>\s*([^<\s]{1,200})\s*</")
_STATUS = re.compile(r"<status>\s*([a-z_]{1,40})\s*</status>")


def launched_by(call: Call, line: Line) -> tuple[str, str] | None:
    """Return the id and the sort (agent, shell, monitor) of what a call launched, if so.

    Args:
        call: The call.
        line: The line with its result.
    """
    result = line.get("toolUseResult")
    facts = result if isinstance(result, dict) else {}
    is_agent = facts.get("isAsync") is True or facts.get("status") == "async_launched"
    is_shell = "backgroundTaskId" in facts
    if not (is_agent or is_shell or call.is_background or call.tool == MONITOR):
        return None
    told = (facts.get(name) for name in ("backgroundTaskId", "agentId", "taskId", "task_id"))
    launched_id = next((value for raw in told if (value := storable(raw, LONGEST_ID))), None)
    if call.tool == MONITOR:
        sort = "monitor"
    else:
        sort = "agent" if is_agent or call.tool in SUB_AGENTS else "shell"
    return launched_id or call.call_id, sort


def ended_by_result(call: Call, line: Line) -> Iterator[str]:
    """Return the ids of work that has ended, by a look at its output or because it was stopped."""
    result = line.get("toolUseResult")
    if not isinstance(result, dict) or call.tool not in STOPS | OUTPUTS:
        return
    task = result.get("task")
    facts = task if isinstance(task, dict) else result
    if call.tool in OUTPUTS and facts.get("status") in (None, *UNFINISHED):
        return
    for name in ("task_id", "shell_id", "shellId", "agentId"):
        if isinstance(value := facts.get(name), str):
            yield value


def ended_by_notification(line: Line) -> Iterator[str]:
    """Return the ids of work that a notification says has ended."""
    for text in _texts(line):
        status = _STATUS.search(text)
        if status is None or status[1] not in UNFINISHED:
            yield from _TASK_ID.findall(text)


def _texts(line: Line) -> Iterator[str]:
    attachment, message = line.get("attachment"), line.get("message")
    if isinstance(attachment, dict):
        content = attachment.get("prompt")
    else:
        content = message.get("content") if isinstance(message, dict) else None
    yield from map(text_of, blocks_of(content))
