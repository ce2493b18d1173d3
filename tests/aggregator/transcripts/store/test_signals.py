from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from aggregator.database.models import Signal
from aggregator.transcripts.importer import import_transcripts
from tests.aggregator.transcripts.lines import at, prompt, reply, signals, start_anew

NEAR_DATABASE = settings(
    max_examples=settings().max_examples // 4,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def call(minute: int, session: str = "s1", tool: str = "Edit", key: str = "c", **fields) -> bytes:
    block = {"type": "tool_use", "id": key, "name": tool, "input": {}}
    message = {"id": f"{session}-m{minute}", "content": [block]}
    return prompt(minute, session, type="assistant", message=message, **fields)


def result(minute: int, session: str = "s1", key: str = "c", **fields) -> bytes:
    message = {"content": [{"type": "tool_result", "tool_use_id": key, "content": "ok"}]}
    return prompt(minute, session, message=message, **fields)


def duration(minute: int, session: str = "s1", **fields) -> bytes:
    return prompt(
        minute,
        session,
        type="system",
        subtype="turn_duration",
        durationMs=9,
        message=None,
        **fields,
    )


def told(engine, *kinds: str):
    """Return keys, sessions, beginnings and ends of the signals of some kinds."""
    query = select(Signal.key, Signal.session_id, Signal.at, Signal.until)
    with engine.connect() as conn:
        rows = conn.execute(query.where(Signal.kind.in_(kinds)).order_by(Signal.key))
        return list(map(tuple, rows))


def test_an_import_stores_signals_and_who_started_an_agent(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(0, entrypoint="sdk-cli"), call(1), result(2), reply(3), duration(4))
    put("p/s1/subagents/agent-7.jsonl", reply(1, isSidechain=True), reply(2, isSidechain=True))
    put("p/s2.jsonl", prompt(0, "s2"))

    import_transcripts(empty_engine, [folder])

    def row(key, kind, begin, until=None, **named):
        names = ("source", "tool", "mode", "milliseconds")
        told = map(named.get, names)
        return ("s1", kind, at(begin), until and at(until), *told, key, False)

    stored, origins = signals(empty_engine)
    assert [found for found in stored if found[0] == "s1"] == [
        row("c:call", "call", 1, 2, source="call", tool="Edit"),
        row("s1-u4:duration", "duration", 4, milliseconds=9),
        row("s1/7/s1-u1:subagent", "subagent", 1, 2, source="7"),
        row("s1/s1-u0:lines", "lines", 0, 4),
        row("s1/s1-u1:work", "work", 1, 3, source="reply"),
        row("s1/sdk:origin", "origin", 0, source="sdk"),
    ]
    assert origins == [("s1", "sdk"), ("s2", None)]


def test_an_open_call_is_stored_until_its_result_comes(empty_engine, folder, put):
    begun = prompt(0), call(1)
    put("p/s1.jsonl", *begun)
    import_transcripts(empty_engine, [folder])
    before = told(empty_engine, "call")
    put("p/s1.jsonl", *begun, result(2))
    import_transcripts(empty_engine, [folder])

    assert before == [("s1/c:open", "s1", at(1), None)]
    assert told(empty_engine, "call") == [("c:call", "s1", at(1), at(2))]


def test_a_fork_and_its_original_make_one_signal(empty_engine, folder, put):
    shared = [
        {"session": session, "key": "u", **fork}
        for session, fork in (
            ("a", {"forkedFrom": {"messageUuid": "u", "sessionId": "z"}}),
            ("z", {}),
        )
    ]
    put("p/a.jsonl", duration(1, **shared[0]), prompt(5, "a"))
    import_transcripts(empty_engine, [folder])
    put("p/z.jsonl", duration(2, **shared[1]))
    import_transcripts(empty_engine, [folder])

    assert told(empty_engine, "duration") == [("u:duration", "z", at(2), None)]


def test_transcripts_that_an_earlier_version_read_get_their_signals(empty_engine, folder, put):
    put("p/s1.jsonl", prompt(0), call(1), result(2), reply(3))
    put("p/s1/subagents/agent-7.jsonl", reply(1, isSidechain=True))
    import_transcripts(empty_engine, [folder])
    fresh = signals(empty_engine)
    with empty_engine.begin() as conn:
        conn.execute(text("UPDATE transcript_files SET format = 2, signals = '{}'"))
        conn.execute(text("TRUNCATE signals"))

    import_transcripts(empty_engine, [folder])

    assert signals(empty_engine) == fresh


SESSIONS = st.sampled_from(["s1", "s2"])
MINUTES = st.integers(0, 40)
SCHEDULED = {"content": "<scheduled-task name='nightly'>x"}
INTERRUPTED = {"content": "[Request interrupted by user]"}
LINES = st.lists(
    st.one_of(
        st.builds(prompt, MINUTES, SESSIONS),
        st.builds(prompt, MINUTES, SESSIONS, message=st.sampled_from([SCHEDULED, INTERRUPTED])),
        st.builds(reply, MINUTES, SESSIONS, error=st.sampled_from([None, "rate_limit"])),
        st.builds(call, MINUTES, SESSIONS, key=st.sampled_from("cd")),
        st.builds(
            result,
            MINUTES,
            SESSIONS,
            key=st.sampled_from("cd"),
            toolUseResult=st.sampled_from([None, {"isAsync": True, "agentId": "x"}]),
        ),
        st.builds(duration, MINUTES, SESSIONS, key=st.sampled_from(["x", "y"])),
        st.builds(reply, MINUTES, SESSIONS, isSidechain=st.just(True)),
        st.builds(prompt, MINUTES, SESSIONS, permissionMode=st.sampled_from(["plan", "default"])),
        st.builds(prompt, MINUTES, SESSIONS, forkedFrom=st.just({"messageUuid": "s2-u1"})),
    ),
    max_size=10,
)


@NEAR_DATABASE
@given(LINES, st.data())
def test_any_growth_of_a_file_gives_the_signals_of_importing_it_at_once(
    empty_engine, folder, put, lines, data
):
    content = b"".join(lines)
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=4))
    name = data.draw(st.sampled_from(["p/s1.jsonl", "p/agent-s1.jsonl"]))
    start_anew(empty_engine)
    for old in folder.rglob("*.jsonl"):
        old.unlink()
    for size in [*sorted(cuts), len(content)]:
        path = put(name, content[:size])
        import_transcripts(empty_engine, [folder], turns_at_once=2)
    grown = signals(empty_engine)
    start_anew(empty_engine)
    os.utime(path, ns=(0, 1))

    import_transcripts(empty_engine, [folder])

    assert signals(empty_engine) == grown


@NEAR_DATABASE
@given(st.lists(LINES, min_size=3, max_size=3), st.permutations(range(3)), st.booleans())
def test_any_order_of_files_gives_the_same_signals(
    empty_engine, folder, put, contents, order, at_once
):
    # Of several transcripts of one session, one has its last line.
    contents = [
        b"".join([*lines, call(50 + number, "s1", key="e"), prompt(50 + number, "s2")])
        for number, lines in enumerate(contents)
    ]
    found = []
    for numbers in (range(3), order):
        start_anew(empty_engine)
        for path in folder.rglob("*.jsonl"):
            path.unlink()
        for name, number in enumerate(numbers):
            put(f"p/{name}.jsonl", contents[number])
            if not at_once:
                import_transcripts(empty_engine, [folder])
        import_transcripts(empty_engine, [folder])
        found.append(signals(empty_engine))

    assert found[0] == found[1]
