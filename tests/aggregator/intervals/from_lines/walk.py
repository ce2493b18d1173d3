"""Facts that the lines of transcripts tell, found by a walk from line to line.

Nothing of the product is used.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.aggregator.intervals.from_lines.roles import (
    Line,
    blocks,
    content_of,
    instant,
    role_of,
    text_of,
)

SILENCE = 600_000_000
REJECTED = (
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action right now",
)


@dataclass
class Fact:
    """Fact that only its original tells, whichever transcripts repeat it."""

    kind: str
    session: str
    at: int
    until: int | None = None
    value: Any = None


@dataclass
class Told:
    """All that the lines of some transcripts tell.

    Attributes:
        facts: By kind and identity, those that were told: whether as a copy, and the fact.
        steering: Identities of prompts that steered.
        lines: Instants of each session's own lines.
        sub_agents: Instants of its sub-agents' lines, by sub-agent.
        work: Of each session, stretches of work between prompts: instants, and whether each
            is a final reply.
        unanswered: Calls of each session that have no result.
    """

    facts: dict[tuple[str, str], list[tuple[bool, Fact]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    steering: set[str] = field(default_factory=set)
    lines: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    sub_agents: dict[str, dict[str, set[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    work: dict[str, list[list[tuple[int, bool]]]] = field(default_factory=lambda: defaultdict(list))
    unanswered: dict[str, dict[str, Fact]] = field(default_factory=lambda: defaultdict(dict))

    def originals(self) -> dict[str, list[Fact]]:
        """The facts of each session that are its own."""
        found: dict[str, list[Fact]] = defaultdict(list)
        for told in self.facts.values():
            first = min(told, key=lambda one: (one[0], one[1].at, one[1].session))[1]
            ends = [fact.until for _, fact in told if fact.until is not None]
            found[first.session].append(
                Fact(first.kind, first.session, first.at, min(ends, default=None), first.value)
            )
        return found


class Walk:
    """A walk through the lines of one session in one file."""

    def __init__(self, told: Told, session: str) -> None:
        self.told, self.session = told, session
        self.run = "none"
        self.is_processing = False
        self.mode = ""
        self.last: int | None = None
        self.calls: dict[str, tuple[Fact, bool, bool]] = {}
        self.launched: dict[str, tuple[Fact, bool]] = {}
        self.limit: Fact | None = None

    def take(self, line: Line) -> None:
        self.mode = line.get("permissionMode") or self.mode
        at = instant(line)
        if at is None:
            return
        original = (line.get("forkedFrom") or {}).get("messageUuid")
        self.key, self.is_copy, self.at = original or line.get("uuid", ""), bool(original), at
        role = role_of(line)
        if role in ("prompt", "machine"):
            self.prompt(line, role)
        elif role == "assistant":
            self.assistant(line)
        elif role == "result":
            self.result(line)
        elif role in ("interruption", "exit", "duration", "stop"):
            self.end(line, role)
        if not self.is_copy:
            self.last = at if self.last is None else max(self.last, at)
            self.told.lines[self.session].add(at)

    def tell(self, kind: str, key: str = "", value: Any = None) -> Fact:
        fact = Fact(kind, self.session, self.at, value=value)
        self.told.facts[kind, key or self.key].append((self.is_copy, fact))
        return fact

    def prompt(self, line: Line, role: str) -> None:
        self.go_on()
        self.told.work[self.session].append([])
        if role == "machine":
            self.report(re.findall(r"<(?:task|tool-use)-id>\s*([^<\s]+)", text_of(line)))
        else:
            self.tell("user", value=self.key)
        recent = self.last is not None and self.at - self.last <= SILENCE
        steers = self.run == "open" and (
            line["type"] == "attachment" or (self.is_processing and recent)
        )
        if steers:
            self.told.steering.add(self.key)
        elif role == "machine":
            self.tell("machine")
        self.run, self.is_processing = "open", True

    def assistant(self, line: Line) -> None:
        message = line["message"]
        parts = blocks(message.get("content"))
        limited = line.get("error") == "rate_limit"
        synthetic = message.get("model") == "<synthetic>"
        has_text = any(part.get("type") == "text" and part["text"].strip() for part in parts)
        if has_text and not synthetic:
            self.tell("agent", f"{message.get('id')}/{line.get('requestId')}")
        if synthetic and self.run != "open":
            self.stop_at_limit(limited)
            return
        if not parts:
            return
        if self.run in ("none", "ended"):
            self.told.work[self.session].append([])
            self.tell("unknown")
        self.run = "open"
        calls = [part for part in parts if part.get("type") == "tool_use"]
        for part in calls:
            fact = Fact("call", self.session, self.at, value=(part["name"], self.mode))
            in_background = (part.get("input") or {}).get("run_in_background") is True
            self.calls[part["id"]] = fact, self.is_copy, in_background
        asks = any(part["name"] in ("AskUserQuestion", "ExitPlanMode") for part in calls)
        is_final = has_text and not calls and message.get("stop_reason") != "tool_use"
        self.is_processing = not (is_final or asks)
        self.works(is_final)
        if limited:
            self.stop_at_limit(limited)
        else:
            self.go_on()

    def result(self, line: Line) -> None:
        self.go_on()
        self.works(False)
        self.is_processing = True
        self.run = "open" if self.run == "stopped" else self.run
        for block in blocks(content_of(line)):
            known = self.calls.pop(block.get("tool_use_id", ""), None)
            if known is None:
                continue
            call, is_copy, in_background = known
            call.until = max(call.at, self.at)
            self.tell_call(call, is_copy, block)
            self.tell_background(line, block, call.value[0], in_background)

    def tell_call(self, call: Fact, is_copy: bool, block: Line) -> None:
        said = next((part.get("text", "") for part in blocks(block.get("content"))), "")
        tool, mode = call.value
        source = {"AskUserQuestion": "question", "ExitPlanMode": "plan"}.get(tool)
        source = source or ("rejected" if said.strip().startswith(REJECTED) else "call")
        call.value = (tool, mode, source)
        self.told.facts["call", block["tool_use_id"]].append((is_copy, call))

    def tell_background(self, line: Line, block: Line, tool: str, in_background: bool) -> None:
        facts = line.get("toolUseResult")
        facts = facts if isinstance(facts, dict) else {}
        is_async = facts.get("isAsync") is True or facts.get("status") == "async_launched"
        launches = is_async or "backgroundTaskId" in facts or in_background or tool == "Monitor"
        if launches and not block.get("is_error"):
            ids = [facts.get(name) for name in ("backgroundTaskId", "agentId", "taskId", "task_id")]
            key = next((one for one in ids if one), block["tool_use_id"])
            self.launched[key] = self.tell("background", key), self.is_copy
        task = facts.get("task") if isinstance(facts.get("task"), dict) else facts
        stops = tool in ("KillShell", "KillBash", "TaskStop")
        looks = tool in ("TaskOutput", "BashOutput", "AgentOutputTool")
        if stops or (looks and task.get("status") not in (None, "running", "pending")):
            self.report([task.get(name) for name in ("task_id", "shell_id", "shellId", "agentId")])

    def end(self, line: Line, role: str) -> None:
        milliseconds = line.get("durationMs")
        if role == "duration" and not (type(milliseconds) is int and milliseconds >= 0):
            return
        self.tell(role, value=milliseconds)
        if role == "interruption":
            self.is_processing = False
        if role != "stop":
            self.run = "ended"
        elif self.run == "open":
            self.run = "stopped"

    def works(self, is_final: bool) -> None:
        if not self.is_copy:
            stretches = self.told.work[self.session]
            if not stretches:
                stretches.append([])
            stretches[-1].append((self.at, is_final))

    def stop_at_limit(self, limited: bool) -> None:
        if limited:
            self.go_on()
            self.limit = self.tell("limit")

    def go_on(self) -> None:
        if self.limit is not None:
            self.limit.until = max(self.at, self.limit.at)
            self.limit = None

    def report(self, ids: Sequence[str | None]) -> None:
        for one in ids:
            if one in self.launched:
                fact, _ = self.launched.pop(one)
                fact.until = max(self.at, fact.at)

    def finish(self) -> None:
        for key, (call, _, _) in self.calls.items():
            tool, mode = call.value
            source = {"AskUserQuestion": "question", "ExitPlanMode": "plan"}.get(tool, "call")
            call.value = (tool, mode, source)
            self.told.unanswered[self.session][key] = call


def listen(files: Mapping[str, Sequence[Line]]) -> Told:
    """Walk through all files: their lines by path, with those of sub-agents in ``subagents/``."""
    told = Told()
    for path, lines in files.items():
        walks: dict[str, Walk] = {}
        for line in lines:
            session = line.get("sessionId")
            if session is None or "type" not in line:
                continue
            if "subagents/" in path or "/agent-" in path or line.get("isSidechain"):
                at = instant(line)
                if at is not None:
                    told.sub_agents[session][line.get("agentId", path)].add(at)
                continue
            walks.setdefault(session, Walk(told, session)).take(line)
        for walk in walks.values():
            walk.finish()
    return told
