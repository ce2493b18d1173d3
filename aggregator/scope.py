"""Whose metrics are meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ScopeKind = Literal["overall", "project", "agent"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose metrics: everybody's, one project's or one agent's."""

    kind: ScopeKind = "overall"
    id: int | None = None


OVERALL = Scope()
