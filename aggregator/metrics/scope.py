"""A scope: overall, some projects, or some agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScopeKind = Literal["overall", "project", "agent"]


@dataclass(frozen=True, slots=True)
class Scope:
    """All agents, or some projects or some agents together.

    Attributes:
        kind: Kind of the ids, or ``overall``.
        ids: Ids, ascending and distinct; empty for ``overall`` only.
    """

    kind: ScopeKind = "overall"
    ids: tuple[int, ...] = ()


OVERALL = Scope()
EVERYBODY = 0
"""Id of all agents together, in frames by project or by agent; ids are positive."""
