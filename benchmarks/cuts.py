"""Check states against what transcripts prove: cut each at a line, and compare with the rest.

    python benchmarks/cuts.py FOLDER [--cuts 2000]

The state of a session is computed from the lines before a cut, at the instant of the last of
them and after ten seconds more. The next line of the agent or of a person proves what was
right: an agent that goes on by itself was working; a prompt, an answer or a rejection of a
person was waited for. The end of a file proves nothing.
"""

from __future__ import annotations

import argparse
import io
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from aggregator.intervals.kinds import SIGNAL_CODES
from aggregator.intervals.present import present_states
from aggregator.metrics.hourly import INSTANT_DTYPE
from aggregator.transcripts.discovery import find_transcripts
from aggregator.transcripts.parser import ASKING_TOOLS, ParsedLine, parse_line
from aggregator.transcripts.reading import Reading
from aggregator.transcripts.signals.seen import is_exit
from aggregator.transcripts.signals.tool_calls import results_of

LATER = timedelta(seconds=10)


def decoded(line: bytes) -> dict[str, Any] | None:
    """Decode a line; None if it is no JSON object."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def called(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    """Yield the id and the tool of each call."""
    for line in filter(None, map(decoded, lines)):
        content = line["message"].get("content") if line.get("type") == "assistant" else ""
        for block in content if isinstance(content, list) else []:
            if block.get("type") == "tool_use":
                yield str(block.get("id")), str(block.get("name"))


def proof_of(line: dict[str, Any], parsed: ParsedLine, calls: dict[str, str]) -> str | None:
    """Return what one line proves: ``working``, ``waiting``, ``nothing``; None to look further."""
    if parsed.machine is not None:
        return "nothing"
    if line["type"] == "assistant":
        return "working"
    if parsed.turn is not None:
        return "waiting" if line["type"] == "user" else "nothing"
    if line["type"] != "user":
        return None
    for call_id, is_rejected, _ in results_of(line):
        asks = is_rejected or calls.get(call_id) in ASKING_TOOLS
        return "waiting" if asks else "working"
    return "waiting" if is_exit(line) else None


def truth(before: list[bytes], rest: list[bytes]) -> str | None:
    """Return what the lines after a cut prove; None for nothing."""
    calls = dict(called(before))
    for line in filter(None, map(decoded, rest)):
        parsed = parse_line(line)
        if isinstance(parsed, ParsedLine) and parsed.at is not None:
            proof = proof_of(line, parsed, calls)
            if proof is not None:
                return None if proof == "nothing" else proof
    return None


def states_of(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    """State and reason at the last line, and ten seconds later."""
    reading = Reading("cut")
    turns = [turn for found in reading.read_on(io.BytesIO(b"".join(lines))) for turn in found]
    last = [(tracker.last, key) for key, tracker in reading.trackers.items() if tracker.last]
    if not last:
        return
    at, session = max(last)
    tracker = reading.trackers[session]
    signals = [*tracker.take(), *tracker.open_signals()]
    steers = {signal.key for signal in signals if signal.kind == "steering"}
    own = [turn for turn in turns if turn.session_id == session]
    frame = pd.DataFrame(
        {
            "agent_id": pd.Series(1, range(len(own)), dtype="int64"),
            "at": _instants([turn.at for turn in own]),
            "is_user": pd.Series([turn.actor == "USER" for turn in own], dtype="bool"),
            "steers": pd.Series([f"{turn.key}:steering" in steers for turn in own], dtype="bool"),
            "asks": False,
            "answers": False,
        }
    )
    told = [signal for signal in signals if _kind(signal) in SIGNAL_CODES]
    facts = pd.DataFrame(
        {
            "agent_id": pd.Series(1, range(len(told)), dtype="int64"),
            "kind": pd.Series([SIGNAL_CODES[_kind(signal)] for signal in told], dtype="int8"),
            "at": _instants([signal.at for signal in told]),
            "until": _instants([signal.until for signal in told]),
            "milliseconds": pd.Series([signal.milliseconds or 0 for signal in told], dtype="int64"),
        }
    )
    called = [signal for signal in signals if signal.kind == "call"]
    calls = pd.DataFrame(
        {
            "agent_id": pd.Series(1, range(len(called)), dtype="int64"),
            "at": _instants([signal.at for signal in called]),
            "until": _instants([signal.until for signal in called]),
            **{
                name: pd.Series([getattr(signal, name) or "" for signal in called], dtype="str")
                for name in ("tool", "mode", "source")
            },
        }
    )
    message = tracker.unfinished.at if tracker.unfinished else None
    agents = pd.DataFrame({"agent_id": [1], "task_state": None, "status": None}).assign(
        **{name: _instants([None]) for name in ("ended_at", "status_at", "gone_at")},
        message_at=_instants([message]),
    )
    for now in (at, at + LATER):
        found = present_states(frame, facts, calls, agents, now)
        if len(found):
            yield found["state"].iloc[0], found["reason"].iloc[0]


def _kind(signal: object) -> str:
    kind, source = signal.kind, signal.source  # type: ignore[attr-defined]
    if (kind, source) == ("trigger", "unknown"):
        return "unknown"
    return "reply" if (kind, source) == ("work", "reply") else kind


def _instants(values: list[datetime | None]) -> pd.Series:
    return pd.Series(pd.to_datetime(values, utc=True), dtype=INSTANT_DTYPE)


def main() -> None:
    """Print how often each state was shown where another was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cuts", type=int, default=2_000)
    chosen = parser.parse_args()
    files = [
        lines
        for file in find_transcripts([chosen.folder]).transcripts
        if file.is_main and len(lines := file.path.read_bytes().splitlines(keepends=True)) > 1
    ]
    places = [(file, cut) for file, lines in enumerate(files) for cut in range(1, len(lines))]
    sample = random.Random(15).sample(places, min(chosen.cuts, len(places)))
    at_once: Counter[tuple[str, str]] = Counter()
    later: Counter[tuple[str, str]] = Counter()
    for file, cut in sample:
        lines = files[file]
        proved = truth(lines[:cut], lines[cut:])
        found = list(states_of(lines[:cut]))
        if proved is not None and len(found) == 2:
            at_once[proved, found[0][0]] += 1
            later[proved, found[1][0]] += 1
    for title, matrix in (("at the last line", at_once), ("ten seconds later", later)):
        print(title)
        for (proved, state), count in sorted(matrix.items()):
            print(f"  proved {proved:8} shown {state:10} {count:5}")
        right = sum(count for (proved, state), count in matrix.items() if proved == state)
        print(f"  right: {right} of {matrix.total()}")


if __name__ == "__main__":
    main()
