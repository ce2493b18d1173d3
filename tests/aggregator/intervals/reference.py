"""Intervals and runs by another algorithm: one agent at a time, one step after the other.

Slow, and plain to read beside docs/metrics.md.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby

from tests.aggregator.intervals.facts import STEP, Facts

LINES = ("lines", "work", "reply", "subagent")
SURE = ("question", "plan", "rejected")


@dataclass
class Segment:
    """Time from a trigger to the next, with the facts that begin in it."""

    start: int
    trigger: str
    until: int
    follower: str | None
    signals: list[tuple[str, int, int | None, int]]
    calls: list[tuple[int, int | None, str, str, str]]

    def instants(self, *kinds: str) -> list[int]:
        return [at for kind, at, _, _ in self.signals if kind in kinds]


def segments_of(facts: Facts, last: int) -> list[Segment]:
    triggers = {at: "unknown" for kind, at, _, _ in facts.signals if kind == "unknown"}
    triggers |= {at: "machine" for kind, at, _, _ in facts.signals if kind == "trigger"}
    triggers |= {at: "person" for at, is_user, steers in facts.turns if is_user and not steers}
    starts = sorted(triggers)
    found = []
    for number, start in enumerate(starts):
        following = starts[number + 1] if number + 1 < len(starts) else None
        segment = Segment(
            start,
            triggers[start],
            last if following is None else following,
            None if following is None else triggers[following],
            [],
            [row for row in facts.calls if bisect_right(starts, row[0]) - 1 == number],
        )
        for row in facts.signals:
            # What ends a run belongs to the run that it ends.
            ends = row[0] in ("duration", "interruption", "stop")
            if bisect_right(starts, row[1] - 0.5 if ends else row[1]) - 1 == number:
                segment.signals.append(row)
        found.append(segment)
    return found


def end_of(segment: Segment) -> tuple[int, str, int | None]:
    """Return the end of the run, what ended it, and its measured length."""
    work = [
        (min(until, segment.until), kind)
        for kind, _, until, _ in segment.signals
        if kind in ("work", "reply")
    ]
    last = max((until for until, _ in work), default=segment.start)
    if durations := segment.instants("duration"):
        end = min(durations)
        measured = [row[3] for row in segment.signals if row[:2] == ("duration", end)]
        return end, "duration", max(measured)
    if interruptions := segment.instants("interruption"):
        return min(interruptions), "interruption", None
    if (stops := segment.instants("stop")) and max(stops) >= last:
        return max(stops), "stop", None
    if (last, "reply") in work:
        return last, "reply", None
    return last, "trigger" if segment.follower else "open", None


def silences(facts: Facts, start: int, end: int) -> list[tuple[int, int]]:
    """Stretches of a run without a line of the session or of its sub-agents."""
    spans = [(at, until) for kind, at, until, _ in facts.signals if kind in ("lines", "subagent")]
    points = {point for span in spans for point in span}
    found, begun = [], None
    for step in range(start, end):
        covered = any(at <= step < until for at, until in spans)
        if begun is not None and (covered or step in points):
            found.append((begun, step))
            begun = None
        if begun is None and not covered:
            begun = step
    return found if begun is None else [*found, (begun, end)]


def blocks_of(
    segment: Segment, end: int, measured: int | None, silent: list[tuple[int, int]]
) -> dict[int, tuple[int, str, str, str]]:
    """Return the block of each step: a number, its reason, tool and mode."""
    long = {step for a, b in silent if b - a > 6 for step in range(a, b)}
    candidates = []
    for at, until, tool, mode, source in segment.calls:
        stop = end if until is None else min(until, end)
        may = mode != "bypassPermissions" and tool != "Task"
        quiet = len(long & set(range(at, stop))) > 6 and tool != "Bash"
        asked = source in SURE or (may and (measured is not None or tool == "Edit" or quiet))
        if stop > at and asked:
            reason = source if source in SURE else "permission"
            candidates.append((at, stop, reason, tool, mode))
    free, disjoint = segment.start, []
    for at, stop, *rest in sorted(candidates):
        if stop > max(at, free):
            disjoint.append((max(at, free), min(stop, max(at, free) + 18), *rest))
        free = max(free, stop)
    if measured is not None:
        work = segment.instants("work", "reply")
        hooks = min(work) - segment.start if work else 0
        left = max(0, end - segment.start - measured - hooks)
        shortened = []
        for at, stop, *rest in sorted(
            disjoint, key=lambda row: (row[2] not in SURE, row[0] - row[1], row[0])
        ):
            taken = min(stop - at, left)
            left -= taken
            shortened.append((at, at + taken, *rest))
        disjoint = shortened
    return {
        step: (number, *rest)
        for number, (at, stop, *rest) in enumerate(disjoint)
        for step in range(at, stop)
    }


def kinds_of(facts: Facts, segment: Segment) -> tuple[list[tuple], dict[str, object]]:
    """Return what each step of a segment is, and its run."""
    end, ended_by, measured = end_of(segment)
    silent = silences(facts, segment.start, end)
    blocks = blocks_of(segment, end, measured, silent)
    longest = 6 if measured is None else 36
    stalled = {step for a, b in silent if b - a > longest for step in range(a, b)}
    exits = [at for at in segment.instants("exit") if at >= end]

    def is_in(kind: str, step: int) -> bool:
        return any(
            name == kind and at <= step and (until is None or step < until)
            for name, at, until, _ in segment.signals
        )

    steps = []
    for step in range(segment.start, segment.until):
        in_run = step < end
        waits = segment.follower == "person" and step < min([end + 18, *exits])
        if is_in("limit", step):
            kind, why = "limited", "usage limit"
        elif step in blocks:
            kind, why = "blocked", blocks[step][1]
        elif in_run:
            kind, why = ("stalled", "silence") if step in stalled else ("working", segment.trigger)
        elif is_in("background", step):
            kind, why = "background", "work in the background"
        else:
            kind, why = ("waiting", "turn done") if waits else ("idle", "nothing to do")
        block = blocks[step] if kind == "blocked" else (None, None, None, None)
        exact = kind == "working" and measured is not None
        run = segment.start if in_run else None
        steps.append((step, segment.start, block[0], kind, run, why, *block[2:], exact))
    count = [row[3] for row in steps]
    run = {
        "started_at": segment.start,
        "ended_at": end,
        "trigger": segment.trigger,
        "ended_by": ended_by,
        "working_seconds": count.count("working") * STEP.total_seconds(),
        "blocked_seconds": count.count("blocked") * STEP.total_seconds(),
        "is_exact": measured is not None,
        "is_response": segment.trigger == "person"
        and ended_by != "open"
        and bool(segment.instants("work", "reply")),
    }
    return steps, run


def timeline_of(facts: Facts) -> tuple[list[tuple], list[tuple]]:
    """Return the rows of the intervals and runs of one agent, in steps, without its id."""
    every = [at for rows in (facts.turns, facts.calls) for at, *_ in rows]
    every += [at for kind, at, _, _ in facts.signals if kind not in LINES]
    ends = [*every, *(at for _, at, _, _ in facts.signals)]
    ends += [row[2] for row in facts.signals if row[2] is not None]
    ends += [row[1] for row in facts.calls if row[1] is not None]
    if not ends:
        return [], []
    found = segments_of(facts, max(ends))
    opening = range(min(every, default=max(ends)), found[0].start if found else max(ends))
    idle = (None, None, "idle", None, "nothing to do", None, None, False)
    steps = [(step, *idle) for step in opening]
    runs = []
    for segment in found:
        own, run = kinds_of(facts, segment)
        steps += own
        runs.append(tuple(run.values()))
    intervals = []
    for (*_, kind, run, why, tool, mode, exact), group in groupby(steps, key=lambda row: row[1:]):
        numbers = [row[0] for row in group]
        texts = tool or None, mode or None
        intervals.append((kind, numbers[0], numbers[-1] + 1, run, why, *texts, exact))
    return intervals, runs
