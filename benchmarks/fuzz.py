"""Read many transcripts of lines that were changed at random: no crash, little time and memory.

``python benchmarks/fuzz.py 1000000 7`` reads a million lines, 200 to a file.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import time
from collections import Counter
from typing import Any

from aggregator.transcripts.reading import Reading

LINES_AT_ONCE = 200
COMMON = {
    "sessionId": "s1",
    "cwd": "/code/alpha",
    "uuid": "u1",
    "timestamp": "2026-11-20T10:00:00Z",
}
ASKS = {"type": "tool_use", "id": "t1", "name": "AskUserQuestion", "input": {"questions": []}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "yes"}
LINES: list[dict[str, Any]] = [
    {"type": "user", "message": {"role": "user", "content": "Do it"}},
    {"type": "user", "message": {"role": "user", "content": [RESULT]}, "toolUseResult": {"a": 1}},
    {"type": "user", "message": {"role": "user", "content": "summary"}, "isCompactSummary": True},
    *(
        {"type": "assistant", "requestId": "r", "message": {"id": "m1", "content": [block]}}
        for block in ({"type": "text", "text": "Done"}, {"type": "thinking"}, ASKS)
    ),
    {"type": "system", "subtype": "turn_duration", "durationMs": 1},
    {"type": "system", "subtype": "api_error", "error": {"status": 529}},
    {"type": "queue-operation", "operation": "enqueue", "content": "more"},
    {"type": "attachment", "attachment": {"type": "queued_command", "prompt": "more"}},
    {"type": "custom-title", "customTitle": "A title"},
]
HOSTILE: list[Any] = [
    *(None, True, 0, -1, 10**30, 1e308, float("inf"), "", [], {}, [[]], {"a": {}}, "x" * 3_000),
    *("\x00", "\ud800", "\u202ertl", "<b>", "../.."),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-11-20T10:00:00+24:00"),
    *("2026-11-20T10:00:00-23:59", "2026-13-01", "2026-11-20T10:00:00", "NaN"),
]


def changed(value: Any, chance: random.Random) -> Any:
    """Return a JSON value with some of its parts left out, repeated or replaced."""
    if chance.random() < 0.12:
        return chance.choice(HOSTILE)
    if isinstance(value, dict):
        return {
            name: changed(part, chance) for name, part in value.items() if chance.random() > 0.03
        }
    if isinstance(value, list):
        return [changed(part, chance) for part in value] * chance.choice([0, 1, 1, 1, 2])
    return value


def torn(line: bytes, chance: random.Random) -> bytes:
    """Return a line as it is, or in one of twenty cases cut, doubled or with another byte."""
    at = chance.randrange(len(line))
    ways = [line[:at], line + line, line[:at] + bytes([chance.randrange(256)]) + line[at + 1 :]]
    return chance.choice(ways) if chance.random() < 0.05 else line


def main() -> None:
    """Read the lines, and print what they were taken for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    turns, slowest, skipped = 0, 0.0, Counter[str]()
    for _ in range(0, given.lines, LINES_AT_ONCE):
        lines = [
            torn(json.dumps(changed({**COMMON, **chance.choice(LINES)}, chance)).encode(), chance)
            for _ in range(LINES_AT_ONCE)
        ]
        reading, began = Reading("s1.jsonl"), time.perf_counter()
        turns += sum(map(len, reading.read_on(io.BytesIO(b"\n".join(lines)))))
        json.dumps(reading.to_row())
        slowest = max(slowest, time.perf_counter() - began)
        skipped += reading.position.skipped
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{given.lines:,} lines, {turns:,} turns; skipped: {dict(skipped)}")
    print(f"slowest {LINES_AT_ONCE} lines {slowest:.3f} s, memory at most {memory:.0f} MB")


if __name__ == "__main__":
    main()
