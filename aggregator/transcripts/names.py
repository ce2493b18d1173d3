"""Names of sessions that their lines tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

NameKind = Literal["title", "agent", "ai", "slug", "branch"]
Names = dict[NameKind, str]

_LINES: Mapping[str, tuple[NameKind, str]] = {
    "custom-title": ("title", "customTitle"),
    "agent-name": ("agent", "agentName"),
    "ai-title": ("ai", "aiTitle"),
}
_FIELDS: Mapping[str, NameKind] = {"agentName": "agent", "slug": "slug", "gitBranch": "branch"}
"""Fields of other lines that name the session."""

MAIN_BRANCHES = frozenset({"main", "master", "trunk", "develop", "dev", "HEAD"})
"""Branches that tell nothing of what a session is about."""
LONGEST_NAME = 80

_SPACE = re.compile(r"\s+")


def learn_names(names: Names, line: Mapping[str, Any], *, titles: bool) -> None:
    """Take over the names in a line of a session; the last one of each kind counts.

    Args:
        names: The names so far; changed in place.
        line: A line that is not a sub-agent's.
        titles: Whether to keep titles that a model wrote from the prompt.
    """
    told = _LINES.get(str(line.get("type")))
    if told is not None:
        kind, field = told
        if kind != "ai" or titles:
            _learn(names, kind, line.get(field))
        return
    for field, kind in _FIELDS.items():
        if field in line:
            _learn(names, kind, line[field])


def _learn(names: Names, kind: NameKind, value: object) -> None:
    if not isinstance(value, str) or names.get(kind) == value:
        return
    name = _shown(value)
    if name:
        names[kind] = name


def _shown(value: str) -> str:
    """Put a name on one line that can be shown and stored, and shorten it."""
    line = _SPACE.sub(" ", value)
    name = "".join(character for character in line if character.isprintable()).strip()
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def name_of(names: Names) -> str | None:
    """Return the name by which a person recognises a session; None if it has none."""
    branch = names.get("branch")
    told = [names.get(kind) for kind in ("title", "agent", "ai", "slug")]
    return next(filter(None, [*told, None if branch in MAIN_BRANCHES else branch]), None)
