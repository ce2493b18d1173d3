"""Whose metrics are meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScopeKind = Literal["overall", "project", "agent"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose metrics: everybody's, or those of some projects or some agents together.

    Attributes:
        kind: What the ids are.
        ids: Ascending and distinct; empty exactly where everybody is meant.
    """

    kind: ScopeKind = "overall"
    ids: tuple[int, ...] = ()


OVERALL = Scope()
