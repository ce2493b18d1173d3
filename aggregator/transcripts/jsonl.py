"""Reading JSON Lines that another program is still writing, in bounded memory.

A transcript grows while it is read; its writer may be killed in the middle of a
line, and may then go on without a newline. So one line can hold several objects,
or a torn one and a whole one, and the last line may be incomplete.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any, BinaryIO

import orjson

Record = dict[str, Any]

LONGEST_LINE = 64 * 2**20
"""Bytes. A longer line is skipped without ever being held in memory."""
TAIL = 4096
MALFORMED = "malformed"
TOO_LONG = "too long"

_DISCARDED_AT_ONCE = 2**20
_ATTEMPTS = 1_000
"""Times that decoding is tried on one line, which bounds what nonsense can cost."""
_raw_decode = json.JSONDecoder().raw_decode


@dataclass(slots=True)
class Position:
    """How far a file has been read, and what was found up to there.

    Attributes:
        offset: Where to read on, in bytes.
        mid_line: Whether the bytes before that were taken as a line without a newline.
        lines: Lines that are not blank.
        objects: JSON objects.
        waiting: Whether an incomplete last line follows.
        skipped: What could not be used, by kind: :data:`MALFORMED` pieces,
            :data:`TOO_LONG` lines, and whatever else the caller counts.
    """

    offset: int = 0
    mid_line: bool = False
    lines: int = 0
    objects: int = 0
    waiting: bool = False
    skipped: Counter[str] = field(default_factory=Counter)


def read_lines(
    file: BinaryIO, position: Position, *, longest: int = LONGEST_LINE
) -> Iterator[list[Record]]:
    """Read a JSON Lines file from a position on, and move the position.

    Gives one list per line: its objects, mostly one. When an item has been given the
    position is behind its line, so that reading can stop there and go on later. However
    the growth of a file is cut into readings, the objects and all counts are the same.

    Of a last line without a newline the whole objects at its beginning are taken: the
    beginning of a JSON object is never an object itself. What follows them waits for
    its end.
    """
    position.waiting = False
    file.seek(position.offset)
    for line in iter(partial(file.readline, longest + 1), b""):
        is_ended = line.endswith(b"\n")
        if len(line) > longest and not is_ended:
            if not _discard_line(file, len(line), position):
                return
            continue
        if not is_ended:
            yield from _begin_line(line, position)
            return
        records, malformed = decode_line(line)
        position.offset += len(line)
        position.objects += len(records)
        if malformed:
            position.skipped[MALFORMED] += malformed
        if (records or malformed) and not position.mid_line:
            position.lines += 1
        position.mid_line = False
        yield records


def _begin_line(line: bytes, position: Position) -> Iterator[list[Record]]:
    """Take the whole objects at the beginning of a line that has no end yet."""
    records, size = _whole_objects(line)
    position.waiting = not line[size:].isspace() and size < len(line)
    if not records:
        return
    position.offset += size
    position.objects += len(records)
    position.lines += not position.mid_line
    position.mid_line = True
    yield records


def _whole_objects(line: bytes) -> tuple[list[Record], int]:
    """The objects with which a line begins, and how many bytes they take."""
    text = line.decode("latin-1")
    records: list[Record] = []
    size = 0
    start = _skip_blanks(text, 0)
    while text[start : start + 1] == "{":
        try:
            stop = _raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            break
        record = _decode_piece(line[start:stop])
        if record is None:
            break
        records.append(record)
        size = stop
        start = _skip_blanks(text, stop)
    return records, size


def _discard_line(file: BinaryIO, size: int, position: Position) -> bool:
    """Skip the rest of a line that is too long; False if its end is not there yet."""
    chunk = b""
    while not chunk.endswith(b"\n"):
        chunk = file.readline(_DISCARDED_AT_ONCE)
        if not chunk:
            position.waiting = True
            return False
        size += len(chunk)
    position.offset += size
    position.lines += not position.mid_line
    position.mid_line = False
    position.skipped[TOO_LONG] += 1
    return True


def decode_line(line: bytes) -> tuple[list[Record], int]:
    """The objects on one line, and how many pieces of it are something else.

    A blank line has neither.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _decode_pieces(line)
    return ([value], 0) if isinstance(value, dict) else ([], 1)


def _decode_pieces(line: bytes) -> tuple[list[Record], int]:
    """Take apart a line that is not one JSON value: objects glued together, or torn."""
    # One character per byte, whatever the encoding: positions are the same in both.
    text = line.decode("latin-1")
    records: list[Record] = []
    malformed = 0
    attempts = iter(range(_ATTEMPTS))
    start = _skip_blanks(text, 0)
    while start < len(text):
        whole = _next_value(text, start, attempts)
        if whole is None:
            return records, malformed + 1
        malformed += whole.start > start
        record = _decode_piece(line[whole])
        if record is None:
            malformed += 1
        else:
            records.append(record)
        start = _skip_blanks(text, whole.stop)
    return records, malformed


def _next_value(text: str, start: int, attempts: Iterator[int]) -> slice | None:
    """Where the value at ``start`` lies, or the first whole object behind a torn one."""
    at = start
    for _ in attempts:
        try:
            stop = _raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            at = text.find('{"', at + 1)
        else:
            # Inside a torn object are whole ones, followed by more of it.
            if at == start or text[stop : stop + 1] in ("", "{", "\n", "\r"):
                return slice(at, stop)
            at = text.find('{"', stop)
        if at < 0:
            return None
    return None


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _decode_piece(piece: bytes) -> Record | None:
    try:
        value = orjson.loads(piece)
    except orjson.JSONDecodeError:
        # Half a surrogate pair, which a text cut by its length may end with, is legal
        # JSON for this decoder alone.
        try:
            value = json.loads(piece.decode())
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def read_tail(file: BinaryIO, offset: int) -> bytes:
    """The bytes just before an offset, at most :data:`TAIL`."""
    size = min(offset, TAIL)
    file.seek(offset - size)
    return file.read(size)


def tail_digest(tail: bytes) -> str:
    """Tell one tail from another."""
    return blake2b(tail, digest_size=16).hexdigest()
