"""Number the cells of hourly metrics: the hours of agents in which there is something."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Agents(NamedTuple):
    """Agents by project and id: the arrays ``ids`` and ``projects``."""

    ids: Integers
    projects: Integers


def agents_of(frames: Sequence[pd.DataFrame]) -> tuple[Agents, list[Integers]]:
    """Return the agents of some frames, and the number of each row's agent.

    One that has just moved to another project may have two here; one of them is taken.
    """
    agent, project = (
        np.concatenate([rows[name].to_numpy("int64") for rows in frames])
        for name in ("agent_id", "project_id")
    )
    codes, ids = pd.factorize(agent)
    projects = np.zeros(len(ids), dtype="int64")
    projects[codes] = project
    order = np.lexsort([ids, projects])
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Agents(ids[order], projects[order]), _split(rank[codes], frames)


def cells_of(
    hours: Sequence[Integers], numbers: Sequence[Integers], agents: int
) -> tuple[Integers, list[Integers]]:
    """Number all hours of all agents in which there is something.

    Args:
        hours: Hours since 1970.
        numbers: Numbers of the agents, for each of the arrays before.
        agents: Number of agents.

    Returns:
        The cells, which are hours times the number of agents plus the agent, ascending; and
        the position among them for each of the arrays.
    """
    cells = [hour * agents + number for hour, number in zip(hours, numbers, strict=True)]
    positions, distinct = pd.factorize(np.concatenate(cells), sort=True)
    return distinct, _split(positions, cells)


def _split(values: Integers, like: Sequence[Sized]) -> list[Integers]:
    return np.split(values, np.cumsum([len(one) for one in like])[:-1])
