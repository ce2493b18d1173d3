"""Blocks: the parts of runs in which a question or a permission dialog was open."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aggregator.intervals.axis import NEVER, Axis, Flags, Integers, covered, ordered
from aggregator.intervals.kinds import ASKING, EDIT_ASKS_AFTER, IDLE_AFTER, SILENCE_AFTER
from aggregator.intervals.segments import Segments

Texts = NDArray[np.object_]

EDITS = ("Edit", "Write", "MultiEdit", "NotebookEdit")
NEVER_ASK = ("Agent", "Task")
UNDECIDABLE = ("Bash", "PowerShell")
"""Tools whose calls may be silent for long without asking."""
BYPASS = "bypassPermissions"
PERMISSION = "permission"
"""Reason of a block by a call that is not known to have asked."""

_LONGEST = IDLE_AFTER.total_seconds() * 1e6
_EDIT = EDIT_ASKS_AFTER.total_seconds() * 1e6
_SILENCE = SILENCE_AFTER.total_seconds() * 1e6


@dataclass(frozen=True, slots=True)
class Blocks:
    """Spans inside runs that do not overlap, in the order of the axis.

    Attributes:
        segment: Number of the segment.
        start: Positions of their beginnings.
        end: Positions of their ends.
        reason: One of :data:`aggregator.intervals.kinds.ASKING`, or :data:`PERMISSION`.
        tool: Name of the tool.
        mode: Permission mode, empty if unknown.
    """

    segment: Integers
    start: Integers
    end: Integers
    reason: Texts
    tool: Texts
    mode: Texts

    def where(self, chosen: Flags | Integers) -> Blocks:
        """Return some of the spans."""
        return Blocks(*(getattr(self, name)[chosen] for name in self.__slots__))


def find_blocks(
    axis: Axis, segments: Segments, calls: pd.DataFrame, silences: tuple[Integers, Integers]
) -> Blocks:
    """Find when the runs waited for an answer.

    Args:
        axis: The axis of all facts.
        segments: The segments.
        calls: See :func:`aggregator.intervals.timeline.agent_intervals`.
        silences: Starts and ends of the silences that are too long for work, ascending.
    """
    found = _in_runs(axis, segments, calls)
    if not len(found.start):
        return found
    found = found.where(_has_asked(found, segments.is_measured[found.segment], silences))
    found = _capped(_disjoint(found))
    return _laid(found, segments)


def _in_runs(axis: Axis, segments: Segments, calls: pd.DataFrame) -> Blocks:
    """Clip the calls to the runs in which they began; in the order of time."""
    at = axis.place(calls["agent_id"], calls["at"])
    until = axis.place(calls["agent_id"], calls["until"])
    agent = np.searchsorted(axis.ids, calls["agent_id"].to_numpy("int64"))
    segment = segments.at(at, agent)
    known = segment >= 0
    end = np.full(len(at), NEVER)
    run_end = segments.run_end[segment[known]]
    end[known] = np.where(until[known] == NEVER, run_end, np.minimum(until[known], run_end))
    source = calls["source"].to_numpy("object")
    reason = np.where(np.isin(source, ASKING), source, PERMISSION).astype("object")
    tool, mode = (calls[name].to_numpy("object") for name in ("tool", "mode"))
    found = Blocks(segment, at, end, reason, tool, mode).where(known & (end > at))
    # The whole row decides the order, so that it does not depend on that of the frame.
    keys = [found.mode.astype("U"), found.tool.astype("U"), found.reason.astype("U")]
    return found.where(np.lexsort([*keys, found.end, found.start]))


def _has_asked(found: Blocks, measured: Flags, silences: tuple[Integers, Integers]) -> Flags:
    """Tell which calls have asked, or in a measured run may have asked."""
    surely = np.isin(found.reason, ASKING)
    may_ask = (found.mode != BYPASS) & ~np.isin(found.tool, NEVER_ASK)
    edited = np.isin(found.tool, EDITS) & (found.end - found.start > _EDIT)
    silent = ~np.isin(found.tool, UNDECIDABLE) & (_overlap(found, silences) > _SILENCE)
    asked: Flags = surely | may_ask & (measured | edited | silent)
    return asked


def _overlap(found: Blocks, silences: tuple[Integers, Integers]) -> Integers:
    """Microseconds of silence during each call."""
    starts, ends = silences
    edges = ordered(starts, ends, found.start, found.end)
    length = np.where(covered(edges, starts, ends), np.diff(edges), 0)
    until = np.concatenate([[0], np.cumsum(length)])
    during: Integers = (
        until[np.searchsorted(edges, found.end)] - until[np.searchsorted(edges, found.start)]
    )
    return during


def _disjoint(found: Blocks) -> Blocks:
    """Let each call begin when the ones before it have ended."""
    ended = np.concatenate([[NEVER], np.maximum.accumulate(found.end)[:-1]])[: len(found.end)]
    found = replace(found, start=np.maximum(found.start, ended))
    return found.where(found.end > found.start)


def _capped(found: Blocks) -> Blocks:
    return replace(found, end=np.minimum(found.end, found.start + int(_LONGEST)))


def _laid(found: Blocks, segments: Segments) -> Blocks:
    """In measured runs, block no longer than the measure says: first what surely asked.

    The measure leaves out the time in which something was asked, and hooks before the start.
    """
    measured = segments.is_measured[found.segment]
    length = found.end - found.start
    wall = segments.run_end - segments.start
    hooks = np.where(segments.first_work == NEVER, 0, segments.first_work - segments.start)
    asked = np.maximum(wall - segments.milliseconds * 1000 - np.maximum(hooks, 0), 0)
    may_ask = ~np.isin(found.reason, ASKING)
    order = np.lexsort([found.start, -length, may_ask, found.segment])
    segment, ordered = found.segment[order], length[order]
    before = np.cumsum(ordered) - ordered
    firsts = np.flatnonzero(np.diff(segment, prepend=segment[:1] - 1))
    before -= np.repeat(before[firsts], np.diff(np.append(firsts, len(segment))))
    part = np.empty_like(length)
    part[order] = np.clip(asked[segment] - before, 0, ordered)
    end = found.start + np.where(measured, part, length)
    found = replace(found, end=end)
    return found.where(found.end > found.start)
