from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta

import orjson
from hypothesis import given
from hypothesis import strategies as st

from aggregator.transcripts.parser import FoundTurn
from aggregator.transcripts.reading import Reading

START = datetime(2026, 2, 7, 10, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def prompt(minute: int, session: str = "s1", **fields) -> bytes:
    line = {
        "type": "user",
        "uuid": f"u{minute}",
        "sessionId": session,
        "timestamp": at(minute).isoformat(),
        "cwd": "/code/cli",
        "message": {"content": "Fix it"},
    }
    return orjson.dumps(line | fields) + b"\n"


def reply(minute: int, session: str = "s1", **fields) -> bytes:
    said = {"id": f"m{minute}", "content": [{"type": "text", "text": "Done."}]}
    return prompt(minute, session, type="assistant", message=said, requestId="r", **fields)


def read(reading: Reading, content: bytes) -> list[FoundTurn]:
    """Continue reading a file that now has this content, as a later process would."""
    file = io.BytesIO(content)
    remembered = Reading.from_row(reading.to_row())
    turns = [turn for found in remembered.read_on(file) for turn in found]
    remembered.pause(file)
    for name in ("position", "sessions", "read_digest", "start", "size", "modified_ns"):
        setattr(reading, name, getattr(remembered, name))
    return turns


def turn(minute: int, actor: str = "USER", session: str = "s1") -> FoundTurn:
    return FoundTurn(
        f"u{minute}" if actor == "USER" else f"m{minute}/r", actor, at(minute), session
    )


def test_turns_and_what_is_known_of_their_session_are_found():
    reading = Reading("a.jsonl")
    content = prompt(1) + b"nonsense\n" + b'{"type":"new"}\n' + reply(2)

    assert read(reading, content) == [turn(1), turn(2, "AGENT")]
    assert reading.to_row()["sessions"] == {
        "s1": [
            "/code/cli",
            "awaiting_input",
            "2026-02-07T10:02:00+00:00",
            2,
            2,
            "2026-02-07T10:01:00+00:00",
            None,
            None,
            {},
        ]
    }
    assert (reading.lines_read, reading.bytes_read) == (4, len(content))
    assert reading.newly_skipped == {"malformed": 1, "unknown type": 1}


def test_only_what_is_new_is_read():
    reading = Reading("a.jsonl")
    read(reading, prompt(1) + b"nonsense\n")

    assert read(reading, prompt(1) + b"nonsense\n" + reply(2)) == [turn(2, "AGENT")]
    assert (reading.lines_read, reading.bytes_read) == (1, len(reply(2)))
    assert reading.newly_skipped == {}
    assert reading.position.lines == 3


def test_a_file_that_was_cut_is_read_again():
    reading = Reading("a.jsonl")
    read(reading, prompt(1) + b"nonsense\n" + reply(2))

    assert read(reading, prompt(1)) == [turn(1)]
    assert reading.position.lines == 1
    assert reading.position.skipped == {}
    assert reading.to_row()["sessions"]["s1"][1] == "processing"


def test_a_file_that_was_replaced_by_a_longer_one_is_read_again():
    reading = Reading("a.jsonl")
    read(reading, prompt(1))

    assert read(reading, prompt(3) + reply(4)) == [turn(3), turn(4, "AGENT")]
    assert reading.position.lines == 2


def test_the_first_folder_of_a_session_is_kept():
    reading = Reading("a.jsonl")
    start = b'{"type":"progress","sessionId":"s1","cwd":"/first"}\n'
    read(reading, start)
    read(reading, start + prompt(1, cwd="/second"))

    assert reading.sessions["s1"].cwd == "/first"


def test_a_folder_that_is_told_after_the_first_turn_comes_too_late():
    reading = Reading("a.jsonl")
    read(reading, prompt(1, cwd=None) + prompt(2))

    assert reading.sessions["s1"].cwd == ""


def test_the_state_is_that_of_the_latest_line_whatever_the_order():
    reading = Reading("a.jsonl")
    read(reading, reply(3) + prompt(2))

    assert reading.sessions["s1"].state == "awaiting_input"


def test_reading_can_be_interrupted_between_two_lines_with_turns():
    reading = Reading("a.jsonl")
    content = prompt(1) + prompt(2) + prompt(3)
    file = io.BytesIO(content)
    found = reading.read_on(file)

    assert next(found) == [turn(1)]
    reading.pause(file)
    later = Reading.from_row(reading.to_row())
    assert next(found) == [turn(2)]

    assert read(later, content) == [turn(2), turn(3)]


def test_what_came_while_the_file_was_read_makes_it_look_changed(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(prompt(1))
    reading = Reading("a.jsonl")
    with path.open("rb") as file:
        before = os.fstat(file.fileno())
        with path.open("ab") as writer:
            writer.write(prompt(2))
        list(reading.read_on(file))
        reading.finish(file, before)

    assert reading.position.offset == path.stat().st_size
    assert reading.size < path.stat().st_size


LINES = st.lists(
    st.one_of(
        st.builds(prompt, st.integers(0, 5), st.sampled_from(["s1", "s2"])),
        st.builds(reply, st.integers(0, 5), st.sampled_from(["s1", "s2"])),
        st.builds(prompt, st.integers(0, 5), cwd=st.sampled_from([None, "/a", "/b"])),
        st.builds(prompt, st.integers(0, 5), timestamp=st.just("never")),
        st.just(b'{"type":"progress","sessionId":"s1","cwd":"/first"}\n'),
        st.just(b'{"type":"new"}\n'),
        st.just(b'{"torn":"'),
        st.just(b"\n"),
    ).flatmap(lambda line: st.sampled_from([line, line.rstrip(b"\n")])),
    max_size=8,
)


@given(LINES, st.data())
def test_any_growth_of_a_file_gives_the_rows_of_reading_it_at_once(lines, data):
    content = b"".join(lines)
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=5))
    grown, turns = Reading("a.jsonl"), []
    for size in [*sorted(cuts), len(content)]:
        turns += read(grown, content[:size])

    at_once = Reading("a.jsonl")

    assert turns == read(at_once, content)
    assert grown.to_row() == at_once.to_row()


HOSTILE = st.sampled_from(
    [
        *(None, True, 2**63, "", "\x00", "x" * 3_000, [], {}, [[]], "\u202e<b>"),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999-23:59", "2026-02-07T10:00:00+24:00"),
    ]
)
FIELDS = ("type", "id", "content", "text", "name", "input", "tool_use_id", "usage", "timestamp")
ANYTHING = st.recursive(
    HOSTILE | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([prompt, reply]),
            st.dictionaries(
                st.sampled_from(
                    [*FIELDS, "uuid", "sessionId", "cwd", "message", "isMeta", "toolUseResult"]
                ),
                ANYTHING,
                max_size=3,
            ),
        ),
        max_size=4,
    )
)
def test_whatever_a_line_says_it_is_read_and_can_be_remembered(lines):
    # A line of the message's own kind, unless the message is replaced as well.
    content = b"".join(
        (prompt if {"message", "type"} & fields.keys() else make)(minute, **fields)
        for minute, (make, fields) in enumerate(lines)
    )
    reading = Reading("s1.jsonl")

    read(reading, content)

    assert reading.position.offset == len(content)
    assert Reading.from_row(reading.to_row()).to_row() == reading.to_row()
