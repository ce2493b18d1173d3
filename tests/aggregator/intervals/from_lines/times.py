"""Time of agents straight from the lines of transcripts, by another algorithm than the product's.

Nothing of the product is used. Sessions are walked segment by segment, and segments from
instant to instant. Slow, and plain to read beside docs/metrics.md. Instants are integers,
microseconds since 1970.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any

from tests.aggregator.intervals.from_lines.roles import Line
from tests.aggregator.intervals.from_lines.walk import Fact, Told, listen

SECOND = 1_000_000
MINUTE = 60 * SECOND
SILENCE, HALF_HOUR, HOUR, MONTH = 10 * MINUTE, 30 * MINUTE, 60 * MINUTE, 31 * 1440 * MINUTE
EDITS = {"Edit", "Write", "MultiEdit", "NotebookEdit"}
SURE = {"question", "plan", "rejected"}


@dataclass(frozen=True)
class Piece:
    """An interval."""

    kind: str
    start: int
    end: int
    run: int | None
    tool: str | None
    mode: str | None
    is_exact: bool


@dataclass(frozen=True)
class Run:
    """A run."""

    start: int
    end: int
    trigger: str
    ended_by: str
    working: int
    blocked: int
    is_exact: bool
    is_response: bool


def times_of(files: Mapping[str, Sequence[Line]]) -> dict[str, tuple[list[Piece], list[Run]]]:
    """Return the intervals and runs of each session that has a turn."""
    told = listen(files)
    return {
        session: Agent(told, session, facts).times()
        for session, facts in told.originals().items()
        if any(fact.kind in ("user", "agent") for fact in facts)
    }


class Agent:
    """One session, from instant to instant."""

    def __init__(self, told: Told, session: str, facts: list[Fact]) -> None:
        self.told, self.session = told, session
        self.facts = [*facts, *told.unanswered[session].values()]
        self.calls = [fact for fact in self.facts if fact.kind == "call"]
        everything = told.sub_agents[session].values()
        self.lines = sorted(told.lines[session].union(*everything))

    def times(self) -> tuple[list[Piece], list[Run]]:
        rank = {"unknown": 0, "machine": 1, "person": 2}
        triggers: dict[int, str] = {}
        for fact in self.facts:
            kind = "person" if fact.kind == "user" else fact.kind
            if kind in rank and not (kind == "person" and fact.value in self.told.steering):
                triggers[fact.at] = max(triggers.get(fact.at, kind), kind, key=rank.__getitem__)
        self.starts = sorted(triggers)
        ends = [one for fact in self.facts for one in (fact.at, fact.until) if one is not None]
        last = max([*ends, *self.lines])
        first = min(fact.at for fact in self.facts)
        edges = [*self.starts, last]
        pieces = [Piece("idle", first, edges[0], None, None, None, False)]
        runs = []
        for number, (start, until) in enumerate(pairwise(edges)):
            follower = triggers[until] if number + 1 < len(self.starts) else None
            segment = Segment(self, number, start, until, triggers[start], follower)
            own = list(segment.pieces())
            pieces += own
            runs.append(segment.run(own))
        return [piece for piece in pieces if piece.start < piece.end], runs

    def begun(self, number: int, kind: str, *, early: bool = False) -> list[Fact]:
        """Facts of a kind that begin in a segment; those that end a run also at its very end."""
        return [
            fact
            for fact in self.facts
            if fact.kind == kind and bisect_right(self.starts, fact.at - early) - 1 == number
        ]


class Segment:
    """The time from a trigger to the next one."""

    def __init__(
        self, agent: Agent, number: int, start: int, until: int, trigger: str, follower: str | None
    ) -> None:
        self.agent, self.number = agent, number
        self.start, self.until, self.trigger, self.follower = start, until, trigger, follower
        stretches = [
            stretch
            for stretch in agent.told.work[agent.session]
            if stretch and bisect_right(agent.starts, min(stretch)[0]) - 1 == number
        ]
        self.work = [(min(at, until), final) for stretch in stretches for at, final in stretch]
        self.end, self.ended_by, self.measured = self.find_end(stretches)
        self.silences = self.find_silences()
        self.blocks = self.find_blocks()

    def find_end(self, stretches: list[list[tuple[int, bool]]]) -> tuple[int, str, int | None]:
        of = {
            kind: self.agent.begun(self.number, kind, early=True)
            for kind in ("duration", "interruption", "stop")
        }
        last = max((at for at, _ in self.work), default=self.start)
        if of["duration"]:
            end = min(fact.at for fact in of["duration"])
            measured = max(fact.value for fact in of["duration"] if fact.at == end)
            return end, "duration", measured * 1000
        if of["interruption"]:
            return min(fact.at for fact in of["interruption"]), "interruption", None
        if of["stop"] and max(fact.at for fact in of["stop"]) >= last:
            return max(fact.at for fact in of["stop"]), "stop", None
        for stretch in stretches:
            latest = max(at for at, _ in stretch)
            if min(latest, self.until) == last and all(
                final for at, final in stretch if at == latest
            ):
                return last, "reply", None
        return last, "trigger" if self.follower else "open", None

    def find_silences(self) -> list[tuple[int, int]]:
        """Parts of the run without a line that last longer than ten minutes."""
        inside = [at for at in self.agent.lines if self.start < at < self.end]
        return [(a, b) for a, b in pairwise([self.start, *inside, self.end]) if b - a > SILENCE]

    def find_blocks(self) -> list[tuple[int, int, str, str]]:
        """Return the blocks of the run: start, end, tool, mode."""
        found = []
        for call in self.agent.begun(self.number, "call"):
            tool, mode, source = call.value
            end = self.end if call.until is None else min(call.until, self.end)
            if end > call.at and self.may_block(call, end, tool, mode, source):
                found.append((call.at, end, source not in SURE, tool, mode))
        found.sort(key=lambda row: (row[0], row[1], not row[2], row[3], row[4]))
        free, apart = 0, []
        for at, end, *rest in found:
            start = max(at, free)
            if end > start:
                apart.append((start, min(end, start + HALF_HOUR), *rest))
            free = max(free, end)
        if self.measured is not None:
            apart = list(self.shortened(apart))
        return [(start, end, tool, mode) for start, end, _, tool, mode in sorted(apart)]

    def may_block(self, call: Fact, end: int, tool: str, mode: str, source: str) -> bool:
        if source in SURE:
            return True
        quick = call.until is not None and call.until - call.at < SECOND
        if mode == "bypassPermissions" or tool in ("Agent", "Task") or quick:
            return False
        silent = sum(max(0, min(b, end) - max(a, call.at)) for a, b in self.silences)
        return (
            self.measured is not None
            or (tool in EDITS and end - call.at > 6 * SECOND)
            or (tool not in ("Bash", "PowerShell") and silent > SILENCE)
        )

    def shortened(self, apart: list[Any]) -> Iterator[Any]:
        """Lay the time that the measure leaves out on those that surely asked, then the longest."""
        began = min((at for at, _ in self.work), default=self.start)
        left = self.end - self.start - (self.measured or 0) - max(0, began - self.start)
        for start, end, *rest in sorted(apart, key=lambda row: (row[2], row[0] - row[1], row[0])):
            taken = max(0, min(left, end - start))
            left -= taken
            if taken:
                yield (start, start + taken, *rest)

    def layers(self) -> list[tuple[str, list[tuple[int, int]]]]:
        """Spans of each kind, of which the first that covers an instant wins."""
        limits, launches = (
            [
                (max(fact.at, since), min(fact.until or self.until, self.until))
                for fact in self.agent.begun(self.number, kind)
            ]
            for kind, since in (("limit", self.start), ("background", self.end))
        )
        longest = SILENCE if self.measured is None else HOUR
        stalled = [(a, b) for a, b in self.silences if b - a > longest]
        exits = [one.at for one in self.agent.begun(self.number, "exit") if one.at >= self.end]
        waits = [(self.end, min([self.end + HALF_HOUR, self.until, *exits]))]
        return [
            ("limited", [(a, min(b, a + MONTH)) for a, b in limits]),
            ("blocked", [(a, b) for a, b, *_ in self.blocks]),
            ("stalled", [(a, min(b, a + MONTH)) for a, b in stalled]),
            ("idle", stalled),
            ("working", [(self.start, self.end)]),
            ("background", [(a, min(b, a + MONTH)) for a, b in launches]),
            ("waiting", waits if self.follower == "person" else []),
            ("idle", [(self.start, self.until)]),
        ]

    def pieces(self) -> Iterator[Piece]:
        """Go from edge to edge, and join what is equal."""
        layers = self.layers()
        spans = [span for _, own in layers for span in own if span[0] < span[1]]
        edges = sorted({self.start, self.until, *(edge for span in spans for edge in span)})
        found = [(self.piece(a, b, layers), self.block_at(a)) for a, b in pairwise(edges)]

        def alike(row: tuple[Piece, object]) -> object:
            piece, block = row
            return piece.kind, piece.run, block if piece.kind == "blocked" else None

        for _, group in groupby(found, key=alike):
            joined = [piece for piece, _ in group]
            yield replace(joined[0], end=joined[-1].end)

    def block_at(self, at: int) -> tuple[int, int, str, str] | None:
        return next((block for block in self.blocks if block[0] <= at < block[1]), None)

    def piece(self, a: int, b: int, layers: list[tuple[str, list[tuple[int, int]]]]) -> Piece:
        kind = next(name for name, own in layers if any(s <= a < e for s, e in own))
        block = self.block_at(a) if kind == "blocked" else None
        tool, mode = block[2:] if block else ("", "")
        exact = kind == "working" and self.measured is not None
        run = self.start if a < self.end else None
        return Piece(kind, a, b, run, tool or None, mode or None, exact)

    def run(self, pieces: list[Piece]) -> Run:
        working, blocked = (
            sum(piece.end - piece.start for piece in pieces if piece.kind == kind)
            for kind in ("working", "blocked")
        )
        is_response = self.trigger == "person" and self.ended_by != "open" and bool(self.work)
        return Run(
            self.start, self.end, self.trigger, self.ended_by, working, blocked,
            self.measured is not None, is_response,
        )  # fmt: skip
