"""A scope: overall, some projects, or some agents; and who started them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

ScopeKind = Literal["overall", "project", "agent"]
Origin = Literal["interactive", "automated"]
"""Started by a person, or by a program: an SDK, a schedule, or as a background session."""
ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(frozen=True, slots=True)
class Scope:
    """All agents, or some projects or some agents together.

    Attributes:
        kind: Kind of the ids, or ``overall``.
        ids: Ids, ascending and distinct; empty for ``overall`` only.
        origin: Restricts it to the agents of one origin; None for all.
    """

    kind: ScopeKind = "overall"
    ids: tuple[int, ...] = ()
    origin: Origin | None = None

    @property
    def is_one_agent(self) -> bool:
        """True if it names exactly one agent."""
        return self.kind == "agent" and len(self.ids) == 1


OVERALL = Scope()
EVERYBODY = 0
"""Id of all agents together, in frames by project or by agent; ids are positive."""
