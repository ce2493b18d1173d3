"""Sessions as people have them, each with the right number of turns and its last state."""

from __future__ import annotations

import io
from typing import Any

import orjson
import pytest

from aggregator.transcripts.parser import State
from aggregator.transcripts.reading import Reading
from tests.aggregator.transcripts.lines import at, prompt

REMINDER = "<system-reminder>Be brief.</system-reminder>"
QUEUED = {"type": "queued_command", "commandMode": "prompt"}


def said(minute: int, text: object, **fields: Any) -> bytes:
    return prompt(minute, message={"role": "user", "content": text}, **fields)


def queued(minute: int, text: object, **labels: Any) -> bytes:
    return prompt(minute, type="attachment", attachment={**QUEUED, "prompt": text, **labels})


def replied(minute: int, content: object = "ok", *, message_id: str | None = "", **fields: Any):
    message = {"id": f"m{minute}" if message_id == "" else message_id, "content": content}
    named = {"requestId": f"r{minute}"} | fields
    return prompt(minute, type="assistant", message=message, **named)


def system(minute: int, subtype: str) -> bytes:
    return prompt(minute, type="system", subtype=subtype)


def called(minute: int, tool: str) -> bytes:
    return replied(minute, [{"type": "tool_use", "id": "t", "name": tool, "input": {}}])


WORDS = [{"type": "text", "text": "ok"}]
WAITS: State = "awaiting_input"
WORKS: State = "processing"
CASES = {
    "words behind a reminder": (
        [said(0, f"{REMINDER}\n\nhow many?"), replied(1), said(2, [WORDS[0] | {"text": REMINDER}]),
         queued(4, f"{REMINDER}\nand quinces?"), replied(5)],
        2, 2, WAITS,
    ),
    "words behind an editor's context": (
        [said(0, "<ide_opened_file>a.py is open</ide_opened_file>\nrename it"), replied(1),
         said(2, "<ide_selection>3 to 9</ide_selection>\nexplain"), replied(3),
         said(4, "<ide_opened_file>only context</ide_opened_file>")],
        2, 2, WAITS,
    ),
    "messages of another session": (
        [said(0, "start"), replied(1), said(2, '<cross-session-message from="s">go on'), replied(3),
         queued(4, '<cross-session-message from="s">again')],
        1, 2, WORKS,
    ),
    "feedback of a stop hook": (
        [said(0, "start"), replied(1), queued(2, "Stop hook feedback:\ntwo fail"), replied(3),
         said(4, "Stop hook feedback:\none fails", isMeta=True), replied(5),
         said(6, "Stop hook feedback:\nlint")],
        1, 3, WORKS,
    ),
    "prompts of the system": (
        [said(0, "start", promptSource="typed", origin={"kind": "human"}), replied(1),
         said(2, "7 background agents were stopped", promptSource="system"), replied(3),
         said(4, "yes", promptSource="suggestion_accepted", origin={"kind": "human"}), replied(5)],
        2, 3, WAITS,
    ),
    "queued lines of programs": (
        [said(0, "start"), replied(1), queued(2, "rebase", origin={"kind": "peer"}, isMeta=True),
         queued(4, "continue", origin={"kind": "auto-continuation"}),
         queued(6, "<channel>hello", origin={"kind": "channel"}, isMeta=True), replied(7),
         queued(8, "also the plums", origin={"kind": "human"}), replied(9)],
        2, 3, WAITS,
    ),
    "replies without ids": (
        [said(0, "q1"), replied(1, WORDS, message_id=None, requestId=None), said(2, "q2"),
         replied(3, WORDS, message_id=None), said(4, "q3"), replied(5, WORDS, message_id=7)],
        3, 3, WAITS,
    ),
    "one id for all replies": (
        [said(0, "q1"), replied(1, message_id="m"), said(2, "q2"), replied(3, message_id="m")],
        2, 2, WAITS,
    ),
    "a reply of plain text": ([said(0, "q"), replied(1, "a reply")], 1, 1, WAITS),
    "a question": ([said(0, "plan"), called(1, "AskUserQuestion")], 1, 0, WAITS),
    "a plan": ([said(0, "plan"), called(1, "ExitPlanMode")], 1, 0, WAITS),
    "an end after thinking": (
        [said(0, "q"), replied(1, [{"type": "thinking", "thinking": "x"}]),
         system(2, "stop_hook_summary"), system(3, "turn_duration")],
        1, 0, WAITS,
    ),
    "an end after a tool": (
        [said(0, "q"), called(1, "Bash"), said(2, [{"type": "tool_result", "content": "ok"}]),
         system(3, "turn_duration")],
        1, 0, WAITS,
    ),
    "work after a reminder": (
        [said(0, "hello"), replied(1), said(2, f"{REMINDER}\n\nnow do the long job")],
        2, 1, WORKS,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "users", "agents", "state"), CASES.values(), ids=CASES)
def test_a_session_has_these_turns_and_does_this_now(lines, users, agents, state):
    reading = Reading("s1.jsonl")

    turns = [turn for found in reading.read_on(io.BytesIO(b"".join(lines))) for turn in found]

    assert all(orjson.loads(line) for line in lines)
    assert sum(turn.actor == "USER" for turn in turns) == users
    assert sum(turn.actor == "AGENT" for turn in turns) == agents
    assert len({turn.key for turn in turns}) == len(turns)
    assert reading.sessions["s1"].state == state
    assert min(turn.at for turn in turns) == at(0)
