"""Read JSON Lines while another program is still writing them, in bounded memory.

A transcript grows while it is read. Its writer may be killed in the middle of a line
and later go on without a newline. So a line can contain several objects, or a torn
object and a whole one, and the last line may be incomplete.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Any, BinaryIO

import orjson

Record = dict[str, Any]

LONGEST_LINE = 64 * 2**20
"""Bytes. A longer line is skipped without ever being in memory as a whole."""
TAIL = 4096
MALFORMED = "malformed"
TOO_LONG = "too long"
TOO_COMPLEX = "too complex"
"""A long line with so many small parts that they would take many times its size in memory."""

_DISCARDED_AT_ONCE = 2**20
_LONG = 2**20
"""Bytes. The parts of a shorter line take little memory, however many there are."""
_PARTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{\[,]', re.DOTALL)
"""A text, which may hold any signs; or the beginning of another part of a JSON value."""
_PART_BYTES = {b"{"[0]: 240, b"["[0]: 120, b'"'[0]: 80, b","[0]: 32}
"""Memory of a decoded part beside its own text, by the byte with which it begins."""
_ATTEMPTS = 1_000
"""Attempts to decode objects on one line, which limits the time spent on garbage."""
_raw_decode = json.JSONDecoder().raw_decode


@dataclass(slots=True)
class Position:
    """Reading position in a file, and the counts up to there.

    Attributes:
        offset: Offset of the next byte to read.
        mid_line: Whether the bytes before it were read as a line without a newline.
        lines: Number of lines that are not blank.
        objects: Number of JSON objects.
        waiting: Whether an incomplete last line follows.
        skipped: Number of unusable parts by kind: :data:`MALFORMED` pieces,
            :data:`TOO_LONG` and :data:`TOO_COMPLEX` lines, and other kinds that the caller
            counts.
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
    """Read a JSON Lines file from a position on, and advance the position.

    Yields the list of objects of each line, usually one. At each yield the position is
    after that line, so reading can stop there and be resumed later. Objects and counts
    do not depend on how the growth of a file is divided into readings.

    If the last line has no newline, the complete objects at its beginning are read: the
    beginning of a JSON object is never an object itself. The rest is left until its end
    has been written.
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
            yield from _read_unfinished_line(line, position)
            return
        if _is_too_complex(line):
            _skip_line(len(line), TOO_COMPLEX, position)
            continue
        records, malformed = decode_line(line)
        position.offset += len(line)
        position.objects += len(records)
        if malformed:
            position.skipped[MALFORMED] += malformed
        if (records or malformed) and not position.mid_line:
            position.lines += 1
        position.mid_line = False
        yield records


def _read_unfinished_line(line: bytes, position: Position) -> Iterator[list[Record]]:
    """Read the complete objects at the beginning of a line without a newline."""
    records, size = ([], 0) if _is_too_complex(line) else _leading_objects(line)
    position.waiting = not line[size:].isspace() and size < len(line)
    if not records:
        return
    position.offset += size
    position.objects += len(records)
    position.lines += not position.mid_line
    position.mid_line = True
    yield records


def _leading_objects(line: bytes) -> tuple[list[Record], int]:
    """Decode the objects at the beginning of a line; return them and their size in bytes."""
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
    """Skip the rest of a line that is too long; return False if its end is not written yet."""
    chunk = b""
    while not chunk.endswith(b"\n"):
        chunk = file.readline(_DISCARDED_AT_ONCE)
        if not chunk:
            position.waiting = True
            return False
        size += len(chunk)
    _skip_line(size, TOO_LONG, position)
    return True


def _skip_line(size: int, kind: str, position: Position) -> None:
    """Go on after a line of a certain size, and count it."""
    position.offset += size
    position.lines += not position.mid_line
    position.mid_line = False
    position.skipped[kind] += 1


def _is_too_complex(line: bytes) -> bool:
    """Return whether a line would take more than four times its size once it is decoded.

    Empty objects take 30 times their size; of a line with an image, most is one text.
    """
    if len(line) <= _LONG:
        return False
    allowed = 4 * len(line) + 16 * _LONG
    # Signs inside texts are counted too, but this is fast and enough for almost all lines.
    if sum(line.count(sign) * size for sign, size in _PART_BYTES.items()) <= allowed:
        return False
    for part in _PARTS.finditer(line):
        allowed -= _PART_BYTES[line[part.start()]]
        if allowed < 0:
            return True
    return False


def decode_line(line: bytes) -> tuple[list[Record], int]:
    """Decode a line; return its objects and the number of other pieces on it.

    A blank line has neither.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _decode_pieces(line)
    return ([value], 0) if isinstance(value, dict) else ([], 1)


def _decode_pieces(line: bytes) -> tuple[list[Record], int]:
    """Decode a line that is not one JSON value: several objects, or torn ones."""
    # Latin-1 has one character per byte, so positions in text and bytes are equal.
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
    """Find the extent of the value at ``start``, or of the first whole object after a torn one."""
    at = start
    for _ in attempts:
        try:
            stop = _raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            at = text.find('{"', at + 1)
        else:
            # A torn object contains whole objects, which are followed by more of its text.
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
        # A text truncated by length may end with half a surrogate pair. Only this
        # decoder accepts it as JSON.
        try:
            value = json.loads(piece.decode())
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def read_tail(file: BinaryIO, offset: int) -> bytes:
    """Read the bytes just before an offset, at most :data:`TAIL`."""
    size = min(offset, TAIL)
    file.seek(offset - size)
    return file.read(size)


def tail_digest(tail: bytes) -> str:
    """Digest of a tail, to detect that a file was replaced."""
    return blake2b(tail, digest_size=16).hexdigest()
