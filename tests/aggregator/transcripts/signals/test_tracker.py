from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aggregator.transcripts.parser import ParsedLine, parse_line
from aggregator.transcripts.signals.signal import Signal
from aggregator.transcripts.signals.tracker import Tracker

START = datetime(2026, 2, 7, 10, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def line(seconds: float, kind: str = "user", **fields):
    named = {
        "type": kind,
        "uuid": f"u{seconds}",
        "sessionId": "s",
        "timestamp": at(seconds).isoformat(),
    }
    return named | fields


def says(seconds: float, content="Fix it", **fields):
    return line(seconds, message={"content": content}, **fields)


def reply(seconds: float, *blocks, **fields):
    content = list(blocks) or [{"type": "text", "text": "Done."}]
    message = {"id": f"m{seconds}", "content": content, "stop_reason": "end_turn"}
    return line(seconds, "assistant", message=message, **fields)


def call(seconds: float, tool: str = "Edit", key: str = "c", **given):
    return reply(seconds, {"type": "tool_use", "id": key, "name": tool, "input": given})


def result(seconds: float, key: str = "c", content="ok", tells=None, **block):
    found = {"type": "tool_result", "tool_use_id": key, "content": content, **block}
    return says(seconds, [found], toolUseResult=tells)


def system(seconds: float, subtype: str, **fields):
    return line(seconds, "system", subtype=subtype, **fields)


def signals(*lines):
    """Return the signals of a session, by kind in the order in which they are found."""
    tracker = Tracker("s")
    for one in lines:
        parsed = parse_line(one)
        tracker.add(one, parsed if isinstance(parsed, ParsedLine) else None)
    found: dict[str, list[Signal]] = {}
    for signal in [*tracker.take(), *tracker.open_signals()]:
        found.setdefault(signal.kind, []).append(signal)
    return found


def mark(seconds: float, kind: str, **fields) -> Signal:
    return Signal(f"u{seconds}:{kind}", kind, "s", at(seconds), **fields)


def span(kind: str, start: float, end: float, source: str | None = None) -> Signal:
    return Signal(f"s/u{start}:{kind}", kind, "s", at(start), at(end), source)


def test_a_prompt_of_a_person_makes_spans_and_no_trigger():
    assert signals(says(0), call(2), result(2.5), reply(9)) == {
        "lines": [span("lines", 0, 9)],
        "work": [span("work", 2, 9, "reply")],
    }


def test_a_silence_ends_a_span_of_lines_but_not_of_work():
    found = signals(says(0), call(600), result(1201), line(1300, "progress"))

    assert found["lines"] == [span("lines", 0, 600), span("lines", 1201, 1300)]
    assert found["work"] == [span("work", 600, 1201)]


@pytest.mark.parametrize(
    "source",
    ["task-notification", "agent-notification", "teammate-message", "cross-session-message"],
)
def test_a_message_of_a_program_is_a_trigger(source):
    found = signals(says(0), reply(1), says(30, f"<{source}>x"), reply(31))

    assert found["trigger"] == [mark(30, "trigger", source=source)]
    assert found["work"] == [span("work", 1, 1, "reply"), span("work", 31, 31, "reply")]


def test_activity_after_the_end_of_a_run_is_an_unknown_trigger():
    found = signals(
        reply(1), system(2, "turn_duration", durationMs=1000), reply(8), reply(9),
        system(10, "stop_hook_summary"), reply(11),
    )  # fmt: skip

    assert found["trigger"] == [
        mark(1, "trigger", source="unknown"),
        mark(8, "trigger", source="unknown"),
    ]
    assert found["stop"] == [mark(10, "stop")]


def test_a_prompt_while_a_run_is_open_steers_it():
    queued = {"type": "queued_command", "prompt": "And the docs"}
    found = signals(
        says(0), call(1), says(5), line(800, "attachment", attachment=queued), reply(801),
        says(802), call(803), says(1404),
    )  # fmt: skip

    assert found["steering"] == [mark(5, "steering"), mark(800, "steering")]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (system(9, "turn_duration", durationMs=8000), mark(9, "duration", milliseconds=8000)),
        (says(9, "[Request interrupted by user for tool use]"), mark(9, "interruption")),
        (system(9, "stop_hook_summary"), mark(9, "stop")),
        (says(9, "<command-name>/exit</command-name>\n<x>"), mark(9, "exit")),
    ],
)
def test_the_end_of_a_run_is_a_signal_and_a_prompt_after_it_begins_one(end, expected):
    found = signals(says(0), call(1), end, says(10))

    assert found[expected.kind] == [expected]
    assert "steering" not in found


@pytest.mark.parametrize("duration", [-1, None, "8", 1.5, True, 10**15])
def test_a_duration_that_cannot_be_is_dropped(duration):
    assert "duration" not in signals(says(0), system(9, "turn_duration", durationMs=duration))


def test_a_limit_lasts_until_the_next_activity():
    limited = {"error": "rate_limit"}
    open_limit = mark(1, "limit")
    found = signals(says(0), reply(1, **limited), line(50, "progress"))

    assert found["limit"] == [open_limit]

    found = signals(says(0), reply(1, **limited), says(90), reply(91, **limited), reply(99))

    assert found["limit"] == [
        open_limit,
        open_limit._replace(until=at(90)),
        mark(91, "limit"),
        mark(91, "limit", until=at(99)),
    ]


REJECTED = "The user doesn't want to proceed with this tool use. The tool use was rejected"


@pytest.mark.parametrize(
    ("tool", "content", "source"),
    [
        ("AskUserQuestion", "a", "question"),
        ("ExitPlanMode", "a", "plan"),
        ("Bash", REJECTED, "rejected"),
        ("Bash", [{"type": "text", "text": REJECTED}], "rejected"),
        ("Bash", f"The text is: {REJECTED}", "call"),
        ("Edit", "a", "call"),
    ],
)
def test_a_call_that_may_have_asked_is_a_signal(tool, content, source):
    found = signals(says(0, permissionMode="default"), call(1, tool), result(2, content=content))

    assert found["call"] == [
        Signal("c:call", "call", "s", at(1), at(2), source, tool=tool, mode="default")
    ]


def test_calls_that_cannot_have_asked_are_no_signals():
    quick = [says(0), call(1), result(1.9)]
    of_sub_agents = [call(3, "Agent"), result(400)]
    bypassed = [says(500, permissionMode="bypassPermissions"), call(501), result(600)]

    assert "call" not in signals(*quick, *of_sub_agents, *bypassed)


def test_a_rejected_call_is_a_signal_however_quick_and_in_any_mode():
    bypass = {"type": "permission-mode", "permissionMode": "bypassPermissions", "sessionId": "s"}

    (rejected,) = signals(bypass, call(1), result(1.1, content=REJECTED))["call"]

    assert (rejected.source, rejected.mode) == ("rejected", "bypassPermissions")


def test_a_call_without_a_result_is_open():
    assert signals(says(0), call(1, "Bash"))["call"] == [
        Signal("s/c:open", "call", "s", at(1), source="call", tool="Bash")
    ]


NOTIFICATION = "<task-notification>\n<task-id>b1</task-id>\n<status>{}</status>"


@pytest.mark.parametrize(
    ("launch", "tells", "key", "source"),
    [
        (call(1, "Bash"), {"backgroundTaskId": "b1"}, "b1", "shell"),
        (call(1, "Agent"), {"isAsync": True, "agentId": "b1"}, "b1", "agent"),
        (call(1, "Task", run_in_background=True), {"task_id": "b1"}, "b1", "agent"),
        (call(1, "Bash", run_in_background=True), None, "c", "shell"),
        (call(1, "Monitor"), {"taskId": "b1"}, "b1", "monitor"),
    ],
)
def test_work_in_the_background_is_open_until_it_reports(launch, tells, key, source):
    report = says(99, NOTIFICATION.format("completed").replace("b1", key))

    assert signals(launch, result(2, tells=tells), report)["background"] == [
        Signal(f"{key}:background", "background", "s", at(2), source=source),
        Signal(f"{key}:background", "background", "s", at(2), at(99), source=source),
    ]


@pytest.mark.parametrize(
    ("tool", "tells", "is_over"),
    [
        ("TaskOutput", {"task": {"task_id": "b1", "status": "completed"}}, True),
        ("TaskOutput", {"task": {"task_id": "b1", "status": "running"}}, False),
        ("BashOutput", {"shellId": "b1", "status": "failed"}, True),
        ("BashOutput", {"shellId": "b1", "status": "running"}, False),
        ("KillShell", {"shell_id": "b1", "message": "x"}, True),
        ("TaskStop", {"task_id": "b1"}, True),
        ("Read", {"task_id": "b1", "status": "completed"}, False),
    ],
)
def test_a_look_at_its_output_or_a_stop_ends_work_in_the_background(tool, tells, is_over):
    launched = [call(1, "Bash"), result(2, tells={"backgroundTaskId": "b1"})]

    found = signals(*launched, call(5, tool, key="d"), result(6, "d", tells=tells))

    assert (found["background"][-1].until == at(6)) is is_over


@pytest.mark.parametrize(
    ("first", "origin"),
    [
        (says(0, entrypoint="sdk-py"), "sdk"),
        (says(0, promptSource="sdk"), "sdk"),
        (says(0, promptSource="sdk", entrypoint="claude-desktop"), None),
        (says(0, sessionKind="bg"), "background"),
        (says(0, '<scheduled-task name="n">x'), "scheduled"),
        (says(0, entrypoint="cli", promptSource="typed"), None),
    ],
)
def test_a_session_that_a_program_started_tells_so_once(first, origin):
    found = signals(first, reply(1), says(60, '<scheduled-task name="later">x'), first)

    told = [
        Signal(f"s/{origin}:origin", "origin", "s", at(0), source=origin)
    ]  # fmt: skip
    assert found.get("origin", []) == (told if origin else [])


def test_copied_lines_make_no_spans():
    copied = {"forkedFrom": {"messageUuid": "o", "sessionId": "original"}}

    found = signals(says(0, **copied), reply(1, **copied), says(60), reply(61))

    assert found["lines"] == [span("lines", 60, 61)]
    assert found["work"] == [span("work", 61, 61, "reply")]


def test_lines_of_sub_agents_are_spans_of_their_own():
    tracker = Tracker("s")
    for seconds in (0, 300, 901, 950):
        tracker.add_sub_agent(line(seconds, "assistant"), "a1")

    assert tracker.take() == [
        Signal("s/a1/u0:subagent", "subagent", "s", at(0), at(300), "a1"),
        Signal("s/a1/u901:subagent", "subagent", "s", at(901), at(950), "a1"),
    ]


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "assistant", "message": "x"},
        {
            "type": "assistant",
            "message": {"content": [{"type": "tool_use", "id": 1, "name": None}]},
        },
        {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": [1]}]}},
        {"type": "user", "permissionMode": {"x": 1}, "entrypoint": 5, "sessionKind": []},
        {"type": "user", "message": {"content": "<task-notification>"}, "toolUseResult": []},
        {"type": "system", "subtype": ["turn_duration"]},
        {"type": "progress", "timestamp": 5},
        {"type": "attachment", "attachment": {"type": "queued_command", "prompt": 5}},
    ],
)
def test_odd_lines_break_nothing(odd):
    assert signals(line(0) | odd, says(5))["lines"]
