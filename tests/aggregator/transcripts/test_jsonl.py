from __future__ import annotations

import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.transcripts.jsonl import MALFORMED, TOO_COMPLEX, TOO_LONG, Position, read_lines


def read(content: bytes, position: Position | None = None, **options):
    """Return the object of each line, and the position after the last."""
    position = position or Position()
    return list(read_lines(io.BytesIO(content), position, **options)), position


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b'{"a":1}\n{"b":2}\n', [[{"a": 1}], [{"b": 2}]]),
        (b'{"a":1}\r\n', [[{"a": 1}]]),
        (b'{"a":1}\n\n \n{"b":2}\n', [[{"a": 1}], [], [], [{"b": 2}]]),
        (b'{"a":1}{"b":2}\n', [[{"a": 1}, {"b": 2}]]),
        (b' {"a":1} {"b":{"c":2}} \n', [[{"a": 1}, {"b": {"c": 2}}]]),
        (b'{"a":"\\ud83d"}\n', [[{"a": "\ud83d"}]]),
        ('{"ü":"é"}{"b":"ß"}\n'.encode(), [[{"ü": "é"}, {"b": "ß"}]]),
    ],
)
def test_every_object_of_a_readable_file_is_given(content, lines):
    given_lines, position = read(content)

    assert given_lines == lines
    assert position == Position(
        offset=len(content),
        lines=sum(map(bool, lines)),
        objects=sum(map(len, lines)),
    )


@pytest.mark.parametrize(
    ("piece", "objects"),
    [
        (b"hello", []),
        (b"42", []),
        (b"[1]", []),
        (b'"words"', []),
        (b"{", []),
        (b"\0\0\0\0", []),
        (b'{"a":"\xff"}', []),
        (b'{"a":"b\0c"}', []),
        (b"[" * 100_000, []),
        (b'{"a":' * 100_000, []),
        (b'{"a":' + b"9" * 5000 + b"}", []),
        (b'\xef\xbb\xbf{"a":1}', [{"a": 1}]),
        (b'\0\0\0{"a":1}', [{"a": 1}]),
        (b'{"a":1}, {"b":2}', [{"a": 1}, {"b": 2}]),
        (b'{"half":{"b":2},"c":"{\\"d\\":1}","e{"a":{"b":[{}]}}', [{"a": {"b": [{}]}}]),
        (b'{"half":[{"type":"text"},{"type":"te{"a":1}{"b":2}', [{"a": 1}, {"b": 2}]),
    ],
)
def test_an_unreadable_piece_is_counted_and_what_follows_it_is_used(piece, objects):
    lines, position = read(piece + b"\n" + b'{"z":26}\n')

    assert lines == [objects, [{"z": 26}]]
    assert position.skipped == {MALFORMED: 1}
    assert position.lines == 2


def test_nonsense_costs_no_more_than_a_bounded_number_of_attempts():
    lines, position = read(b'{"a":{"b":1}' * 50_000 + b"\n" + b'{"z":26}\n')

    assert lines[-1] == [{"z": 26}]
    assert position.objects < 2_000


def test_a_last_line_without_a_newline_is_taken_when_it_is_complete():
    lines, position = read(b'{"a":1}\n{"b":2}{"c":3}')

    assert lines == [[{"a": 1}], [{"b": 2}, {"c": 3}]]
    assert position == Position(offset=22, mid_line=True, lines=2, objects=3)


@pytest.mark.parametrize("rest", [b'{"b":', b"{", b"nonsense", b"42", b"\0"])
def test_a_last_line_that_is_not_complete_waits(rest):
    lines, position = read(b'{"a":1}\n' + rest)

    assert lines == [[{"a": 1}]]
    assert position == Position(offset=8, lines=1, objects=1, waiting=True)


def test_of_a_last_line_whole_objects_are_taken_and_only_the_rest_waits():
    lines, position = read(b'{"a":1}{"b":2} {"c"')

    assert lines == [[{"a": 1}, {"b": 2}]]
    assert position == Position(offset=14, mid_line=True, lines=1, objects=2, waiting=True)


def test_blanks_behind_the_last_newline_do_not_wait():
    assert read(b'{"a":1}\n  ')[1] == Position(offset=8, lines=1, objects=1)


@pytest.mark.parametrize("later", [b"\n", b"\r\n", b'{"b":2}\n', b"  \n"])
def test_a_line_taken_without_a_newline_may_go_on(later):
    _, position = read(b'{"a":1}')

    read(b'{"a":1}' + later, position)

    assert position == read(b'{"a":1}' + later)[1]
    assert position.lines == 1


def test_a_line_that_is_too_long_is_skipped():
    long = b'{"a":"' + b"x" * 100 + b'"}\n'

    lines, position = read(b'{"a":1}\n' + long + b'{"b":2}\n', longest=50)

    assert lines == [[{"a": 1}], [{"b": 2}]]
    assert position.skipped == {TOO_LONG: 1}
    assert position.lines == 3


def test_a_line_of_just_the_longest_length_is_read():
    assert read(b'{"a":1}\n', longest=7)[0] == [[{"a": 1}]]
    assert read(b'{"a":1}\n', longest=6)[0] == []


def test_a_line_that_is_too_long_and_not_ended_waits():
    content = b'{"a":1}\n' + b"x" * 100

    _, position = read(content, longest=50)
    assert position == Position(offset=8, lines=1, objects=1, waiting=True)

    read(content + b"\n", position, longest=50)
    assert position.skipped == {TOO_LONG: 1}
    assert position.waiting is False


def test_a_line_that_is_too_long_is_never_held_in_memory():
    file = io.BytesIO(b"x" * 50_000_000 + b"\n" + b'{"a":1}\n')
    tracemalloc.start()
    try:
        lines = list(read_lines(file, Position(), longest=1_000_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert lines == [[{"a": 1}]]
    assert peak < 5_000_000


PIECES = st.sampled_from(
    [
        b'{"a":1}',
        '{"ü":{"b":"{\\"é\\":1}"}}'.encode(),
        b'{"half":{"b":2},"c',
        b"42",
        b"nonsense",
        b"\xff",
        b"\0",
        b" ",
        b"\r",
        b"\n",
        b"\n",
    ]
)


@given(st.lists(PIECES, max_size=12), st.data())
def test_reading_a_file_while_it_grows_gives_what_reading_it_at_once_gives(pieces, data):
    content = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=6))
    grown, position = [], Position()
    for size in [*sorted(cuts), len(content)]:
        lines, _ = read(content[:size], position)
        grown += [record for records in lines for record in records]

    lines, at_once = read(content)

    assert grown == [record for records in lines for record in records]
    assert position == at_once


def test_a_long_line_of_many_small_parts_is_skipped_and_counted():
    many = b'{"a":[' + b"{}," * 2**20 + b"{}]}\n"

    lines, position = read(b'{"a":1}\n' + many + b'{"b":2}\n')

    assert lines == [[{"a": 1}], [{"b": 2}]]
    assert (position.lines, position.skipped) == (3, {TOO_COMPLEX: 1})


def test_a_long_line_whose_text_looks_like_many_parts_is_read():
    text = '{[,"' * 2**19
    line = json.dumps({"a": text}).encode() + b"\n"

    assert read(line)[0] == [[{"a": text}]]


def test_a_long_line_of_many_small_parts_that_has_not_ended_waits():
    many = b'{"a":[' + b"{}," * 2**20

    _, position = read(many)

    assert position == Position(waiting=True)
