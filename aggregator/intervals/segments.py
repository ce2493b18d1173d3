"""Segments of agents' time, from one trigger to the next, and the run that each begins with.

All that happens in a segment depends on its own facts alone, and on the kind of the
trigger that ends it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from aggregator.intervals.axis import NEVER, Axis, Flags, Integers, first_in, last_in
from aggregator.intervals.kinds import ENDS, MACHINE, PERSON, SIGNAL_CODES, TRIGGERS, UNKNOWN


@dataclass(frozen=True, slots=True)
class Placed:
    """Signals on an axis.

    Attributes:
        code: Kind of each signal, a position in :data:`aggregator.intervals.kinds.SIGNALS`.
        start: Positions of their beginnings.
        end: Positions of their ends, :data:`NEVER` if open.
        milliseconds: Measured durations.
        segment: Number of the segment in which each begins, -1 for none.
    """

    code: Integers
    start: Integers
    end: Integers
    milliseconds: Integers
    segment: Integers

    def of(self, *kinds: str) -> Placed:
        """Return the signals of some kinds."""
        chosen = np.isin(self.code, [SIGNAL_CODES[kind] for kind in kinds])
        return Placed(
            self.code[chosen],
            self.start[chosen],
            self.end[chosen],
            self.milliseconds[chosen],
            self.segment[chosen],
        )


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments in the order of the axis, with their runs. All arrays have one length.

    Attributes:
        agent: Number of the agent.
        start: Position of the trigger, where the run begins.
        trigger: Kind of the trigger, a position in
            :data:`aggregator.intervals.kinds.TRIGGERS`.
        until: Position of the next trigger, or of the agent's last fact.
        follower: Kind of the next trigger, -1 for none.
        run_end: Position at which the run ends.
        ended_by: Position in :data:`aggregator.intervals.kinds.ENDS`.
        milliseconds: Duration of the run as Claude Code measured it, -1 if it did not.
        first_work: Position of the agent's first line, :data:`NEVER` for none.
    """

    agent: Integers
    start: Integers
    trigger: Integers
    until: Integers
    follower: Integers
    run_end: Integers
    ended_by: Integers
    milliseconds: Integers
    first_work: Integers

    @property
    def is_measured(self) -> Flags:
        """True where Claude Code has measured how long the run took."""
        return self.milliseconds >= 0

    def at(self, positions: Integers, agents: Integers) -> Integers:
        """Numbers of the segments of these agents at some positions, -1 for none."""
        return _segments_at(self.start, self.agent, positions, agents)


def make_segments(
    axis: Axis, turns: pd.DataFrame, signals: pd.DataFrame
) -> tuple[Segments, Placed]:
    """Cut the time of agents into segments, and place their signals.

    Args:
        axis: The axis of all facts.
        turns: See :func:`aggregator.intervals.timeline.agent_intervals`.
        signals: The same.
    """
    start, trigger = _triggers(axis, turns, signals)
    agent = axis.agents_at(start)
    has_follower = np.append(agent[1:] == agent[:-1], False)[: len(agent)]
    until = np.where(has_follower, np.roll(start, -1), axis.last[agent])
    follower = np.where(has_follower, np.roll(trigger, -1), -1)
    placed = _placed(axis, signals, start, agent)
    run_end, ended_by, milliseconds = _run_ends(start, until, has_follower, placed)
    work = placed.of("work", "reply")
    first_work = first_in(work.segment, work.start, len(start))
    return (
        Segments(
            agent, start, trigger, until, follower, run_end, ended_by, milliseconds, first_work
        ),
        placed,
    )


def _triggers(axis: Axis, turns: pd.DataFrame, signals: pd.DataFrame) -> tuple[Integers, Integers]:
    """Positions and kinds of all triggers; of several at one instant, the best known."""
    prompts = turns[turns["is_user"] & ~turns["steers"]]
    found = {
        PERSON: prompts,
        MACHINE: signals[signals["kind"] == SIGNAL_CODES["trigger"]],
        UNKNOWN: signals[signals["kind"] == SIGNAL_CODES["unknown"]],
    }
    at = [axis.place(rows["agent_id"], rows["at"]) for rows in found.values()]
    kinds = np.repeat([TRIGGERS.index(kind) for kind in found], [len(one) for one in at])
    positions = np.concatenate(at)
    order = np.lexsort([kinds, positions])
    positions, first = np.unique(positions[order], return_index=True)
    return positions, kinds[order][first]


def _placed(axis: Axis, signals: pd.DataFrame, start: Integers, agent: Integers) -> Placed:
    code = signals["kind"].to_numpy("int64")
    at = axis.place(signals["agent_id"], signals["at"])
    # A run ends before another begins at the same instant.
    ends = np.isin(code, [SIGNAL_CODES[kind] for kind in ("duration", "interruption", "stop")])
    own = np.searchsorted(axis.ids, signals["agent_id"].to_numpy("int64"))
    return Placed(
        code,
        at,
        axis.place(signals["agent_id"], signals["until"]),
        signals["milliseconds"].to_numpy("int64"),
        _segments_at(start, agent, at - ends, own),
    )


def _segments_at(
    start: Integers, agent: Integers, positions: Integers, agents: Integers
) -> Integers:
    segment = np.searchsorted(start, positions, side="right") - 1
    known = segment >= 0
    # The last trigger before it may be another agent's.
    known[known] = agent[segment[known]] == agents[known]
    return np.where(known, segment, -1)


def _run_ends(
    start: Integers, until: Integers, has_follower: Flags, placed: Placed
) -> tuple[Integers, Integers, Integers]:
    """Find where each run ends, by which fact, and its measured duration."""
    count = len(start)
    duration, interruption = (
        first_in(found.segment, found.start, count)
        for found in (placed.of("duration"), placed.of("interruption"))
    )
    stops, work, replies = placed.of("stop"), placed.of("work", "reply"), placed.of("reply")
    stop = last_in(stops.segment, stops.start, count)
    worked = np.minimum(last_in(work.segment, work.end, count), until)
    replied = np.minimum(last_in(replies.segment, replies.end, count), until)
    last = np.where(worked == NEVER, start, worked)
    found = {
        "duration": (duration != NEVER, duration),
        "interruption": (interruption != NEVER, interruption),
        "stop": ((stop != NEVER) & (stop >= last), stop),
        "reply": ((replied != NEVER) & (replied == worked), last),
        "trigger": (has_follower, last),
    }
    conditions = [condition for condition, _ in found.values()]
    run_end = np.select(conditions, [at for _, at in found.values()], last)
    ended_by = np.select(conditions, [ENDS.index(name) for name in found], ENDS.index("open"))
    return run_end, ended_by, _measured(placed.of("duration"), duration)


def _measured(durations: Placed, first: Integers) -> Integers:
    """Milliseconds of the first record of each segment, -1 for none."""
    milliseconds = np.full(len(first), -1)
    inside = durations.segment >= 0
    segment, at = durations.segment[inside], durations.start[inside]
    is_first = at == first[segment]
    # Of several at one instant the longest, so that the order does not matter.
    np.maximum.at(milliseconds, segment[is_first], durations.milliseconds[inside][is_first])
    return milliseconds
