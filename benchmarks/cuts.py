"""Check states against what transcripts prove: cut each at a line, and compare with the rest.

    python benchmarks/cuts.py FOLDER [--cuts 2000] [--wrong]

The state of a session is computed from the lines before a cut, at the instant of the last of
them, and after ten seconds more if the file was silent for so long. The next line of the agent
or of a person proves what was right: an agent that goes on by itself was working; a prompt, an
answer or a rejection of a person was waited for. Nothing is proved by the end of a file, before
the first prompt, and by the result of a call that a person may have permitted meanwhile.
"""

from __future__ import annotations

import argparse
import io
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pandas as pd

from aggregator.intervals.blocks import BYPASS, NEVER_ASK
from aggregator.intervals.kinds import SIGNAL_CODES
from aggregator.intervals.present import present_facts, present_states
from aggregator.metrics.hourly import INSTANT_DTYPE
from aggregator.transcripts.discovery import find_transcripts
from aggregator.transcripts.parser import ASKING_TOOLS, ParsedLine, parse_line
from aggregator.transcripts.reading import Reading
from aggregator.transcripts.signals.seen import is_exit
from aggregator.transcripts.signals.tool_calls import results_of

LATER = timedelta(seconds=10)
SHORTEST_ANSWER = timedelta(seconds=1)
"""A person needs longer to permit a call."""


class Call(NamedTuple):
    """A call: its tool, its instant, and the permission mode."""

    tool: str
    at: datetime
    mode: str

    def may_have_asked(self, until: datetime) -> bool:
        """Return whether a person may have permitted it before it ended."""
        is_quick = until - self.at < SHORTEST_ANSWER
        return not (is_quick or self.mode == BYPASS or self.tool in NEVER_ASK)


class Proof(NamedTuple):
    """Proof by the lines after a cut: the state, and the instant of the first of them."""

    state: str
    next_at: datetime


def decoded(line: bytes) -> dict[str, Any] | None:
    """Decode a line; None if it is no JSON object."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def called(lines: list[bytes]) -> Iterator[tuple[str, Call]]:
    """Yield each call with its id."""
    mode = ""
    for line in filter(None, map(decoded, lines)):
        mode = line.get("permissionMode") or mode
        parsed = parse_line(line)
        if line.get("type") != "assistant" or not isinstance(parsed, ParsedLine) or not parsed.at:
            continue
        content = line["message"].get("content")
        for block in content if isinstance(content, list) else []:
            if block.get("type") == "tool_use":
                yield str(block.get("id")), Call(str(block.get("name")), parsed.at, mode)


def proof_of(
    line: dict[str, Any], parsed: ParsedLine, at: datetime, calls: dict[str, Call]
) -> str | None:
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
        return proof_of_result(calls.get(call_id), at, is_rejected=is_rejected)
    return "waiting" if is_exit(line) else None


def proof_of_result(call: Call | None, at: datetime, *, is_rejected: bool) -> str:
    """Return what the result of a call proves."""
    if is_rejected or (call and call.tool in ASKING_TOOLS):
        return "waiting"
    return "nothing" if call is None or call.may_have_asked(at) else "working"


def truth(before: list[bytes], rest: list[bytes]) -> Proof | None:
    """Return what the lines after a cut prove; None for nothing."""
    calls, next_at = dict(called(before)), None
    for line in filter(None, map(decoded, rest)):
        parsed = parse_line(line)
        if isinstance(parsed, ParsedLine) and parsed.at is not None:
            next_at = next_at or parsed.at
            proof = proof_of(line, parsed, parsed.at, calls)
            if proof is not None:
                return None if proof == "nothing" else Proof(proof, next_at)
    return None


def states_of(lines: list[bytes]) -> Iterator[tuple[datetime, str, str]]:
    """Instant, state and reason at the last line and ten seconds later; nothing before a turn."""
    reading = Reading("cut")
    turns = [turn for found in reading.read_on(io.BytesIO(b"".join(lines))) for turn in found]
    last = [(tracker.last, key) for key, tracker in reading.trackers.items() if tracker.last]
    if not last or not turns:
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
        found = present_states(present_facts(frame, facts, calls, agents, now), now)
        if len(found):
            yield now, found["state"].iloc[0], found["reason"].iloc[0]


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
    parser.add_argument("--wrong", action="store_true", help="list the cuts with a wrong state")
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
        found = list(states_of(lines[:cut])) if proved else []
        for matrix, (now, state, reason) in zip((at_once, later), found, strict=False):
            if proved is None or (matrix is later and proved.next_at < now):
                continue
            matrix[proved.state, state] += 1
            if chosen.wrong and state != proved.state:
                when = "later" if matrix is later else "at once"
                print(f"{when}: file {file} line {cut}: {proved.state}, not {state} ({reason})")
    for title, matrix in (("at the last line", at_once), ("ten seconds later", later)):
        print(title)
        for (proved, state), count in sorted(matrix.items()):
            print(f"  proved {proved:8} shown {state:10} {count:5}")
        right = sum(count for (proved, state), count in matrix.items() if proved == state)
        print(f"  right: {right} of {matrix.total()}")


if __name__ == "__main__":
    main()
