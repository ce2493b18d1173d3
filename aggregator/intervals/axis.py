"""A common axis for the instants of many agents, and coverage of that axis by spans.

Every agent has a stretch of the axis of its own. So one sorted array holds the instants of
all agents, and one search or one sum answers for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = np.iinfo("int64").min
"""NaT as an integer."""
MARGIN = 1_000_000
"""Free stretch between two agents, in microseconds."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Positions of the instants of many agents: microseconds, shifted for each agent.

    Attributes:
        ids: (a,) ids of the agents, ascending.
        shift: (a,) position of 1970 in the stretch of each agent.
        first: (a,) position of its first fact.
        last: (a,) position of its last fact.
    """

    ids: Integers
    shift: Integers
    first: Integers
    last: Integers

    def place(self, agent_ids: pd.Series, instants: pd.Series) -> Integers:
        """Positions of instants (UTC); :data:`NEVER` for NaT."""
        at = microseconds(instants)
        agents = np.searchsorted(self.ids, agent_ids.to_numpy("int64"))
        return np.where(at == NEVER, NEVER, at + self.shift[agents])

    def agents_at(self, positions: Integers) -> Integers:
        """Numbers of the agents whose stretches contain some positions."""
        return np.searchsorted(self.first, positions, side="right") - 1

    def instants(self, positions: Integers, agents: Integers) -> pd.DatetimeIndex:
        """Instants (UTC) of positions of the agents with these numbers; NaT for NEVER."""
        at = np.where(positions == NEVER, NEVER, positions - self.shift[agents])
        return pd.DatetimeIndex(at.view("datetime64[us]")).tz_localize("UTC")


def axis_of(*facts: tuple[pd.Series, pd.Series]) -> Axis:
    """Make the axis of all these facts: agents, and their instants, which may be NaT."""
    ids = ordered(*(pd.unique(agents.to_numpy("int64")) for agents, _ in facts))
    first = np.full(len(ids), np.iinfo("int64").max)
    last = np.full(len(ids), NEVER)
    for agents, instants in facts:
        number, at = np.searchsorted(ids, agents.to_numpy("int64")), microseconds(instants)
        np.minimum.at(first, number[at != NEVER], at[at != NEVER])
        np.maximum.at(last, number, at)
    ends = np.cumsum(last - first + MARGIN)
    begins = ends - (last - first + MARGIN)
    return Axis(ids, begins - first, begins, ends - MARGIN)


def ordered(*positions: Integers) -> Integers:
    """Distinct values of all arrays, ascending. np.unique takes three times as long."""
    values = np.sort(np.concatenate(positions))
    distinct: Integers = values[np.append(True, values[1:] != values[:-1])[: len(values)]]
    return distinct


def microseconds(instants: pd.Series) -> Integers:
    """Instants as microseconds since 1970; :data:`NEVER` for NaT."""
    at: Integers = pd.DatetimeIndex(instants).as_unit("us").tz_convert("UTC").asi8
    return at


def covered(edges: Integers, starts: Integers, ends: Integers) -> Flags:
    """Tell which pieces between consecutive edges are covered by spans.

    Args:
        edges: (n + 1,) positions, ascending, with the ends of all spans among them.
        starts: (m,) starts of the spans, which may overlap and be empty.
        ends: (m,) their ends, not before the starts.

    Returns:
        (n,) flags.
    """
    change = np.zeros(len(edges), dtype="int64")
    np.add.at(change, np.searchsorted(edges, starts), 1)
    np.add.at(change, np.searchsorted(edges, ends), -1)
    flags: Flags = np.cumsum(change)[:-1] > 0
    return flags


def gaps(
    starts: Integers, ends: Integers, within_starts: Integers, within_ends: Integers
) -> tuple[Integers, Integers]:
    """Return the parts of some spans that others do not cover, ascending.

    A covering span interrupts a gap even where it is empty: a line is an instant.

    Args:
        starts: (m,) starts of the covering spans, which may overlap.
        ends: (m,) their ends, not before the starts.
        within_starts: (n,) starts of spans that do not overlap.
        within_ends: (n,) their ends.
    """
    edges = ordered(starts, ends, within_starts, within_ends)
    free = covered(edges, within_starts, within_ends) & ~covered(edges, starts, ends)
    return edges[:-1][free], edges[1:][free]


def first_in(groups: Integers, values: Integers, count: int) -> Integers:
    """Smallest value of each of ``count`` groups, :data:`NEVER` for none; groups < 0 are none."""
    keep = groups >= 0
    found = np.full(count, np.iinfo("int64").max)
    np.minimum.at(found, groups[keep], values[keep])
    return np.where(found == np.iinfo("int64").max, NEVER, found)


def last_in(groups: Integers, values: Integers, count: int) -> Integers:
    """Largest value of each of ``count`` groups, :data:`NEVER` for none; groups < 0 are none."""
    found = np.full(count, NEVER)
    np.maximum.at(found, groups[groups >= 0], values[groups >= 0])
    return found
