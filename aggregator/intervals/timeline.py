"""Compute intervals and runs of agents from their turns and signals. Pure pandas.

This is the only place that defines what an agent did with its time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aggregator.intervals.axis import (
    NEVER,
    Axis,
    Flags,
    Integers,
    axis_of,
    covered,
    gaps,
    ordered,
)
from aggregator.intervals.blocks import Blocks, find_blocks
from aggregator.intervals.kinds import (
    BACKGROUND,
    BLOCKED,
    ENDS,
    IDLE,
    IDLE_AFTER,
    KINDS,
    LIMITED,
    LONGEST,
    PERSON,
    SIGNAL_CODES,
    SILENCE_AFTER,
    SILENCE_AFTER_MEASURED,
    SPANS_OF_LINES,
    STALLED,
    TRIGGERS,
    WAITING,
    WORKING,
)
from aggregator.intervals.segments import Placed, Segments, make_segments

_US = 1_000_000
_SILENT = int(SILENCE_AFTER.total_seconds()) * _US
_SILENT_MEASURED = int(SILENCE_AFTER_MEASURED.total_seconds()) * _US
_IDLE_AFTER = int(IDLE_AFTER.total_seconds()) * _US
_LONGEST = int(LONGEST.total_seconds()) * _US

REASONS = {
    STALLED: "silence",
    LIMITED: "usage limit",
    WAITING: "turn done",
    BACKGROUND: "work in the background",
    IDLE: "nothing to do",
}
"""Reasons of intervals. Working time has the kind of its trigger, blocked time its call's."""

Spans = tuple[Integers, Integers]


class Timeline(NamedTuple):
    """Intervals and runs: what agents did with their time.

    Attributes:
        intervals: (n, 9) ``agent_id`` (int64), ``kind`` (one of
            :data:`aggregator.intervals.kinds.KINDS`), ``started_at``, ``ended_at``
            (datetime64[us, UTC], half-open, never empty), ``run_started_at`` (NaT outside
            runs), ``reason`` (str), ``tool``, ``mode`` (str, missing unless blocked),
            ``is_exact`` (bool); by agent and start. They partition each agent's span.
        runs: (m, 9) ``agent_id``, ``started_at``, ``ended_at``, ``trigger`` (one of
            :data:`aggregator.intervals.kinds.TRIGGERS`), ``ended_by`` (one of
            :data:`aggregator.intervals.kinds.ENDS`), ``working_seconds``,
            ``blocked_seconds`` (float64), ``is_exact``, ``is_response`` (bool); by agent
            and start.
    """

    intervals: pd.DataFrame
    runs: pd.DataFrame


def agent_intervals(turns: pd.DataFrame, signals: pd.DataFrame, calls: pd.DataFrame) -> Timeline:
    """Compute the intervals and runs of agents. Frames may be empty, and in any order.

    Args:
        turns: (n, ≥4) ``agent_id`` (int64), ``at`` (datetime64[us, UTC]), ``is_user``,
            ``steers`` (bool: a prompt that came while a run was open and begins none).
        signals: (m, 5) ``agent_id``, ``kind`` (position in
            :data:`aggregator.intervals.kinds.SIGNALS`), ``at``, ``until`` (NaT if open),
            ``milliseconds`` (int64, 0 if none).
        calls: (k, 6) ``agent_id``, ``at``, ``until`` (NaT if open), ``tool``, ``mode``,
            ``source`` (str): calls that may have asked a person.
    """
    axis = axis_of(
        *((rows["agent_id"], rows["at"]) for rows in (turns, signals, calls)),
        *((rows["agent_id"], rows["until"]) for rows in (signals, calls)),
    )
    segments, placed = make_segments(axis, turns, signals)
    first = _first_marks(axis, turns, signals, calls)
    lines = placed.of("lines", "subagent")
    silent = gaps(lines.start, _closed(lines, NEVER), segments.start, segments.run_end)
    blocks = find_blocks(axis, segments, calls, _longer(silent, segments, _SILENT))
    layers = _layers(segments, placed, blocks, silent)
    pieces = _pieces(axis, segments, layers, blocks, first)
    return Timeline(_intervals(axis, segments, pieces, blocks), _runs(axis, segments, pieces))


def _first_marks(
    axis: Axis, turns: pd.DataFrame, signals: pd.DataFrame, calls: pd.DataFrame
) -> Integers:
    """Positions at which the spans of agents begin; that of the last fact if nowhere.

    A fork repeats the lines of another session, so lines alone begin no span.
    """
    marks = signals[~signals["kind"].isin([SIGNAL_CODES[kind] for kind in SPANS_OF_LINES])]
    first = axis.last.copy()
    for rows in (turns, marks, calls):
        agents = np.searchsorted(axis.ids, rows["agent_id"].to_numpy("int64"))
        np.minimum.at(first, agents, axis.place(rows["agent_id"], rows["at"]))
    return first


def _closed(spans: Placed, open_end: int | Integers) -> Integers:
    """Ends of spans, never before their starts; those of open ones are given."""
    return np.maximum(np.where(spans.end == NEVER, open_end, spans.end), spans.start)


def _longer(silent: Spans, segments: Segments, than: int, than_measured: int = _SILENT) -> Spans:
    """Silences that are too long for work, by whether the run was measured."""
    starts, ends = silent
    segment = np.searchsorted(segments.start, starts, side="right") - 1
    limit = np.where(segments.is_measured[segment], than_measured, than)
    return starts[ends - starts > limit], ends[ends - starts > limit]


def _layers(segments: Segments, placed: Placed, blocks: Blocks, silent: Spans) -> dict[str, Spans]:
    """Spans of each kind of time, which may overlap: the first kind that covers wins."""
    limits, launched, exits = placed.of("limit"), placed.of("background"), placed.of("exit")
    waits = segments.follower == TRIGGERS.index(PERSON)
    left = _first_after(exits, segments)
    waited = np.minimum.reduce([segments.run_end + _IDLE_AFTER, left, segments.until])
    stalled = _longer(silent, segments, _SILENT, _SILENT_MEASURED)
    return {
        LIMITED: _bounded(_within(limits, segments.start, segments)),
        BLOCKED: (blocks.start, blocks.end),
        STALLED: _bounded(stalled),
        # What is silent for longer than that is no work either.
        IDLE: stalled,
        WORKING: (segments.start, segments.run_end),
        BACKGROUND: _bounded(_within(launched, segments.run_end, segments)),
        WAITING: (segments.run_end[waits], waited[waits]),
    }


def _bounded(spans: Spans) -> Spans:
    return spans[0], np.minimum(spans[1], spans[0] + _LONGEST)


def _within(found: Placed, since: Integers, segments: Segments) -> Spans:
    """Clip spans to their own segments, from a position there on."""
    chosen = found.segment >= 0
    segment, start = found.segment[chosen], found.start[chosen]
    until = segments.until[segment]
    end = np.minimum(np.where(found.end[chosen] == NEVER, until, found.end[chosen]), until)
    start = np.maximum(start, since[segment])
    return start, np.maximum(start, end)


def _first_after(exits: Placed, segments: Segments) -> Integers:
    """Position of the first exit after each run in its segment, or of the segment's end."""
    chosen = exits.segment >= 0
    segment, at = exits.segment[chosen], exits.start[chosen]
    after = at >= segments.run_end[segment]
    first = segments.until.copy()
    np.minimum.at(first, segment[after], at[after])
    return first


class _Pieces(NamedTuple):
    """Pieces that partition the agents' spans, in the order of the axis."""

    start: Integers
    end: Integers
    agent: Integers
    segment: Integers
    in_run: Flags
    kind: Integers
    block: Integers

    def where(self, chosen: Any) -> _Pieces:
        return _Pieces(*(column[chosen] for column in self))


def _pieces(
    axis: Axis, segments: Segments, layers: dict[str, Spans], blocks: Blocks, first: Integers
) -> _Pieces:
    """Cut the spans of agents where a layer begins or ends, and join equal neighbours."""
    ends = [edge for spans in layers.values() for edge in spans]
    edges = ordered(*ends, segments.start, segments.until, first, axis.last)
    inside = covered(edges, first, axis.last)
    kind = np.select(
        [covered(edges, *spans) for spans in layers.values()],
        [KINDS.index(name) for name in layers],
        KINDS.index(IDLE),
    )
    start, end, kind = edges[:-1][inside], edges[1:][inside], kind[inside]
    agent = axis.agents_at(start)
    segment = segments.at(start, agent)
    in_run = segment >= 0
    in_run[in_run] = start[in_run] < segments.run_end[segment[in_run]]
    block = np.where(
        kind == KINDS.index(BLOCKED), np.searchsorted(blocks.start, start, side="right") - 1, -1
    )
    return _joined(_Pieces(start, end, agent, segment, in_run, kind, block))


def _joined(pieces: _Pieces) -> _Pieces:
    """Join neighbours that touch and are equal but for their instants."""
    same = np.append(False, pieces.start[1:] == pieces.end[:-1])[: len(pieces.start)]
    for column in pieces[2:]:
        same[1:] &= column[1:] == column[:-1]
    begins = np.flatnonzero(~same)
    last = np.append(begins[1:], len(same))[: len(begins)] - 1
    return pieces.where(begins)._replace(end=pieces.end[last])


def _intervals(axis: Axis, segments: Segments, pieces: _Pieces, blocks: Blocks) -> pd.DataFrame:
    kind = np.array(KINDS, dtype="object")[pieces.kind]
    in_run = pieces.in_run
    reason = pd.Series(kind).map(REASONS).to_numpy("object")
    works, is_blocked = kind == WORKING, kind == BLOCKED
    reason[works] = np.array(TRIGGERS, dtype="object")[segments.trigger[pieces.segment[works]]]
    reason[is_blocked] = blocks.reason[pieces.block[is_blocked]]
    run_start = np.full(len(kind), NEVER)
    run_start[in_run] = segments.start[pieces.segment[in_run]]
    is_exact = works.copy()
    is_exact[works] = segments.is_measured[pieces.segment[works]]
    return pd.DataFrame(
        {
            "agent_id": axis.ids[pieces.agent],
            "kind": kind,
            "started_at": axis.instants(pieces.start, pieces.agent),
            "ended_at": axis.instants(pieces.end, pieces.agent),
            "run_started_at": axis.instants(run_start, pieces.agent),
            "reason": reason,
            **{name: _of_blocks(getattr(blocks, name), pieces.block) for name in ("tool", "mode")},
            "is_exact": is_exact,
        }
    )


def _of_blocks(texts: NDArray[np.object_], block: Integers) -> NDArray[np.object_]:
    """Texts of blocks by piece; None for pieces that are not blocked, and for empty texts."""
    found = np.full(len(block), None, dtype="object")
    found[block >= 0] = texts[block[block >= 0]]
    found[found == ""] = None
    return found


def _runs(axis: Axis, segments: Segments, pieces: _Pieces) -> pd.DataFrame:
    count = len(segments.start)
    seconds = {}
    for kind in (WORKING, BLOCKED):
        chosen = (pieces.kind == KINDS.index(kind)) & (pieces.segment >= 0)
        length = np.zeros(count, dtype="int64")
        np.add.at(length, pieces.segment[chosen], (pieces.end - pieces.start)[chosen])
        seconds[f"{kind}_seconds"] = length / _US
    is_over = segments.ended_by != ENDS.index("open")
    of_person = segments.trigger == TRIGGERS.index(PERSON)
    return pd.DataFrame(
        {
            "agent_id": axis.ids[segments.agent],
            "started_at": axis.instants(segments.start, segments.agent),
            "ended_at": axis.instants(segments.run_end, segments.agent),
            "trigger": np.array(TRIGGERS, dtype="object")[segments.trigger],
            "ended_by": np.array(ENDS, dtype="object")[segments.ended_by],
            **seconds,
            "is_exact": segments.is_measured,
            "is_response": is_over & of_person & (segments.first_work != NEVER),
        }
    )
