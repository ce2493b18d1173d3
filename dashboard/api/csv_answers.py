"""Answers as CSV (RFC 4180): one row for each bucket."""

from __future__ import annotations

import pandas as pd

from aggregator.metrics.measures import NUMBERS
from aggregator.metrics.scope import ScopeKind
from aggregator.metrics.series import EVERYBODY, filled
from aggregator.query.reader import Breakdown, Member, ScopeActivity
from dashboard.api.json_answers import local_texts

SCOPE_COLUMNS = ("scope", "project_id", "project", "agent_id", "agent")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run."""


def activity_csv(activity: ScopeActivity) -> str:
    """One scope: its buckets with turns, oldest first."""
    buckets = activity.buckets
    starts = local_texts(buckets["bucket_start"], activity.span.zone)
    return _csv(_numbers(buckets, starts))


def breakdown_csv(breakdown: Breakdown) -> str:
    """Everybody, then each project, then each agent: every bucket of each, oldest first."""
    names = {one.id: one.name for one in breakdown.projects}
    starts = local_texts(pd.Series(breakdown.span.edges[:-1]), breakdown.span.zone)
    parts = [
        _part(breakdown, "overall", [EVERYBODY], [("overall", None, None, None, None)], starts)
    ]
    members: dict[ScopeKind, tuple[Member, ...]]
    members = {"project": breakdown.projects, "agent": breakdown.agents}
    for kind, found in members.items():
        whose = [_whose(kind, one, names) for one in found]
        parts.append(_part(breakdown, kind, [one.id for one in found], whose, starts))
    return _csv(pd.concat(parts, ignore_index=True))


def _whose(kind: str, one: Member, names: dict[int, str]) -> tuple[object, ...]:
    if kind == "project":
        return kind, one.id, _harmless(one.name), None, None
    project = names.get(one.project_id)
    return kind, one.project_id, project and _harmless(project), one.id, _harmless(one.name)


def _harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(FORMULA) else name


def _part(
    breakdown: Breakdown,
    kind: ScopeKind,
    ids: list[int],
    whose: list[tuple[object, ...]],
    starts: list[str],
) -> pd.DataFrame:
    frame = filled(breakdown.buckets[kind], breakdown.span.edges, ids, of_agents=kind == "agent")
    owners = pd.DataFrame(whose, columns=list(SCOPE_COLUMNS)).astype(
        {"project_id": "Int64", "agent_id": "Int64"}
    )
    repeated = owners.loc[owners.index.repeat(len(starts))].reset_index(drop=True)
    return pd.concat([repeated, _numbers(frame, starts * len(ids))], axis="columns")


def _numbers(buckets: pd.DataFrame, starts: list[str]) -> pd.DataFrame:
    numbers = buckets[list(NUMBERS)].reset_index(drop=True)
    return pd.concat([pd.Series(starts, dtype="str", name="bucket_start"), numbers], axis="columns")


def _csv(table: pd.DataFrame) -> str:
    text: str = table.to_csv(index=False, lineterminator="\r\n")
    return text
