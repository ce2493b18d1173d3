"""Made-up transcripts as Claude Code writes them: sessions, forks and files of sub-agents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Line = dict[str, Any]
Files = dict[str, list[Line]]
Step = tuple[str, int, int]
"""Kind of step, microseconds since the step before, and a number that decides the details."""

FIRST = datetime(2026, 11, 20, 9, 59, tzinfo=UTC)
TOOLS = ("Edit", "Bash", "WebFetch", "Task", "AskUserQuestion", "ExitPlanMode", "TaskOutput")
MODES = ("default", "acceptEdits", "bypassPermissions", "plan")
PROGRAMS = (
    "<task-notification>\n<task-id>{task}</task-id>\n<status>{status}</status>",
    "<scheduled-task name='nightly'>",
    "<teammate-message teammate_id='t'>",
    "Stop hook feedback:\ntwo tests fail",
)
REJECTION = "The user doesn't want to proceed with this tool use."


class Session:
    """A session that writes its transcript."""

    def __init__(self, name: str, at: datetime) -> None:
        self.name, self.at, self.began = name, at, at
        self.lines: list[Line] = []
        self.sub_agent: list[Line] = []
        self.calls: list[tuple[str, str]] = []
        self.tasks = 0

    def line(self, kind: str, **fields: Any) -> Line:
        return {
            "type": kind,
            "uuid": f"{self.name}-{len(self.lines)}-{len(self.sub_agent)}",
            "sessionId": self.name,
            "timestamp": self.at.isoformat().replace("+00:00", "Z"),
            "cwd": "/gone/fruit" if self.name < "s2" else "/gone/vegetables",
            **fields,
        }

    def write(self, kind: str, **fields: Any) -> None:
        self.lines.append(self.line(kind, **fields))

    def prompt(self, number: int) -> None:
        modes = {"permissionMode": MODES[number % 4]} if number % 3 else {}
        self.began = self.at
        reminder = "<system-reminder>Be brief.</system-reminder>\n" if number % 5 == 0 else ""
        self.write("user", message={"content": f"{reminder}Count the plums"}, **modes)

    def queued(self, number: int) -> None:
        prompt = {"type": "queued_command", "prompt": "And the quinces"}
        modes = {"commandMode": "prompt"} if number % 2 else {}
        self.write("attachment", attachment={**prompt, **modes})

    def program(self, number: int) -> None:
        status = "running" if number % 7 == 0 else "completed"
        text = PROGRAMS[number % 4].format(task=f"{self.name}-task-{self.tasks}", status=status)
        self.write("user", message={"content": text})

    def reply(self, number: int, content: list[Line] | None = None, **fields: Any) -> None:
        words = [{"type": "text", "text": "Seven."}]
        message = {"id": f"{self.name}-m{len(self.lines)}", "content": content or words, **fields}
        self.write("assistant", requestId=f"r{number}", message=message)

    def thought(self, number: int) -> None:
        self.reply(number, [{"type": "thinking", "thinking": "…"}])

    def call(self, number: int) -> None:
        call, tool = f"{self.name}-c{len(self.lines)}", TOOLS[number % len(TOOLS)]
        self.calls.append((call, tool))
        given = {"run_in_background": True} if tool == "Bash" and number % 4 == 0 else {}
        self.reply(number, [{"type": "tool_use", "id": call, "name": tool, "input": given}])

    def result(self, number: int) -> None:
        if not self.calls:
            return self.thought(number)
        call, tool = self.calls.pop(number % len(self.calls))
        facts: Line = {}
        if tool == "Task" and number % 2:
            self.tasks += 1
            facts = {"isAsync": True, "agentId": f"{self.name}-task-{self.tasks}"}
        elif tool == "TaskOutput":
            status = "running" if number % 2 else "completed"
            facts = {"task": {"task_id": f"{self.name}-task-{self.tasks}", "status": status}}
        said = REJECTION if number % 6 == 0 else "done"
        block = {"type": "tool_result", "tool_use_id": call, "content": said}
        return self.write("user", message={"content": [block]}, toolUseResult=facts)

    def duration(self, number: int) -> None:
        wall = (self.at - self.began) // timedelta(milliseconds=1)
        measured = (wall, wall * 9 // 10, wall // 3, wall * 5 // 4, -5)[number % 5]
        self.write("system", subtype="turn_duration", durationMs=measured)

    def stop(self, number: int) -> None:
        self.write("system", subtype="stop_hook_summary", hookCount=number)

    def interruption(self, number: int) -> None:
        tool = " for tool use" if number % 2 else ""
        content = [{"type": "text", "text": f"[Request interrupted by user{tool}]"}]
        self.write("user", message={"content": content})

    def exit(self, number: int) -> None:
        content = "<command-name>/exit</command-name>\n<command-message>exit</command-message>"
        self.write("user", message={"content": content}, isMeta=number % 2 == 0 or None)

    def limit(self, number: int) -> None:
        model = {"model": "<synthetic>"} if number % 2 else {}
        content = [{"type": "text", "text": "You've hit your limit"}]
        message = {"id": f"{self.name}-m{len(self.lines)}", "content": content, **model}
        self.write("assistant", error="rate_limit", requestId="r", message=message)

    def context(self, number: int) -> None:
        if number % 2:
            self.write("progress", data={"type": "hook_progress"})
        else:
            self.write("attachment", attachment={"type": "task_reminder"})

    def of_sub_agent(self, number: int) -> None:
        message = {"id": f"{self.name}-sub", "content": [{"type": "text", "text": "Two."}]}
        fields = {"message": message, "isSidechain": True, "agentId": f"a{number % 2}"}
        if number % 3:
            self.sub_agent.append(self.line("assistant", **fields))
        else:
            self.write("assistant", **fields)


STEPS: dict[str, Callable[[Session, int], None]] = {
    "prompt": Session.prompt,
    "queued": Session.queued,
    "program": Session.program,
    "reply": Session.reply,
    "thought": Session.thought,
    "call": Session.call,
    "result": Session.result,
    "duration": Session.duration,
    "stop": Session.stop,
    "interruption": Session.interruption,
    "exit": Session.exit,
    "limit": Session.limit,
    "context": Session.context,
    "sub-agent": Session.of_sub_agent,
}
OFTEN = ("prompt", "prompt", "reply", *("call", "result") * 3, "duration", "sub-agent")

_second = 1_000_000
_gaps = st.one_of(
    st.integers(1, 3 * _second),
    st.integers(5 * _second, 90 * _second),
    st.integers(90 * _second, 600 * _second),
    st.sampled_from([600 * _second, 600 * _second + 1, 1800 * _second, 6 * _second]),
    st.integers(600 * _second, 5000 * _second),
)
_steps = st.tuples(st.sampled_from([*STEPS, *OFTEN]), _gaps, st.integers(0, 99))
_stories = st.lists(_steps, min_size=3, max_size=30)
stories = st.lists(_stories, min_size=1, max_size=4)


def transcripts(all_steps: list[list[Step]], forked: int | None) -> Files:
    """Write the transcripts of some sessions, and a fork of the first one.

    Args:
        all_steps: What happens in each session.
        forked: Number of lines that the fork repeats, under its own id; None for no fork.
    """
    files: Files = {}
    for number, steps in enumerate(all_steps):
        session = Session(f"s{number}", FIRST + number * timedelta(minutes=7))
        session.prompt(1)
        for name, gap, detail in steps:
            session.at += timedelta(microseconds=gap)
            STEPS[name](session, detail)
        files[f"p/{session.name}.jsonl"] = session.lines
        if session.sub_agent:
            files[f"p/{session.name}/subagents/agent-a.jsonl"] = session.sub_agent
    if forked is not None:
        files["p/fork.jsonl"] = _fork(files["p/s0.jsonl"], forked)
    return files


def _fork(lines: list[Line], count: int) -> list[Line]:
    """Repeat the first lines under another session, as a fork does, and go on."""
    repeated = [{**line, "sessionId": "z-fork"} for line in lines[:count]]
    if count % 2:
        repeated = [
            {**line, "uuid": f"copy-{line['uuid']}", "forkedFrom": {"messageUuid": line["uuid"]}}
            for line in repeated
        ]
    session = Session("z-fork", datetime.fromisoformat(lines[-1]["timestamp"]))
    session.at += timedelta(minutes=3)
    session.prompt(2)
    session.at += timedelta(seconds=41)
    session.reply(3)
    return [*repeated, *session.lines]
