"""Answers as CSV (RFC 4180): one row per bucket."""

from __future__ import annotations

import pandas as pd

from aggregator.metrics.measures import NUMBERS
from aggregator.metrics.scope import EVERYBODY, ScopeKind
from aggregator.metrics.series import filled
from aggregator.query.reader import Breakdown, Member, ScopeActivity, ScopeIntervals
from dashboard.api.json_answers import interval_rows, local_texts

SCOPE_COLUMNS = ("scope", "project_id", "project", "agent_id", "agent")
FORMULA = tuple("=+-@\t\r＝＋－＠")
"""Beginnings of texts that a spreadsheet would run as formulas, the wide signs in Japan."""


def activity_csv(activity: ScopeActivity) -> str:
    """Answer for one scope: its buckets with turns or time, oldest first."""
    buckets = activity.buckets
    starts = local_texts(buckets["bucket_start"], activity.span.zone)
    return _csv(_numbers(buckets, starts))


def intervals_csv(found: ScopeIntervals) -> str:
    """Answer what one agent did with its time: its intervals, oldest first."""
    rows = interval_rows(found)
    # Names of tools may come from anywhere.
    return _csv(rows.assign(tool=rows["tool"].map(_escaped, na_action="ignore")))


def breakdown_csv(breakdown: Breakdown) -> str:
    """Answer for everybody, each project and each agent: all buckets of each, oldest first."""
    names = {project.id: project.name for project in breakdown.projects}
    starts = local_texts(pd.Series(breakdown.span.edges[:-1]), breakdown.span.zone)
    parts = [
        _part(breakdown, "overall", [EVERYBODY], [("overall", None, None, None, None)], starts)
    ]
    members: dict[ScopeKind, tuple[Member, ...]]
    members = {"project": breakdown.projects, "agent": breakdown.agents}
    for kind, found in members.items():
        scopes = [_scope_cells(kind, member, names) for member in found]
        parts.append(_part(breakdown, kind, [member.id for member in found], scopes, starts))
    return _csv(pd.concat(parts, ignore_index=True))


def _scope_cells(kind: str, member: Member, names: dict[int, str]) -> tuple[object, ...]:
    if kind == "project":
        return kind, member.id, _escaped(member.name), None, None
    project = names.get(member.project_id)
    return kind, member.project_id, project and _escaped(project), member.id, _escaped(member.name)


def _escaped(name: str) -> str:
    """Escape a name that a spreadsheet would take for a formula."""
    return f"'{name}" if name.startswith(FORMULA) else name


def _part(
    breakdown: Breakdown,
    kind: ScopeKind,
    ids: list[int],
    scopes: list[tuple[object, ...]],
    starts: list[str],
) -> pd.DataFrame:
    frame = filled(breakdown.buckets[kind], breakdown.span.edges, ids, of_agents=kind == "agent")
    cells = pd.DataFrame(scopes, columns=list(SCOPE_COLUMNS)).astype(
        {"project_id": "Int64", "agent_id": "Int64"}
    )
    repeated = cells.loc[cells.index.repeat(len(starts))].reset_index(drop=True)
    return pd.concat([repeated, _numbers(frame, starts * len(ids))], axis="columns")


def _numbers(buckets: pd.DataFrame, starts: list[str]) -> pd.DataFrame:
    numbers = buckets[list(NUMBERS)].reset_index(drop=True)
    return pd.concat([pd.Series(starts, dtype="str", name="bucket_start"), numbers], axis="columns")


def _csv(table: pd.DataFrame) -> str:
    text: str = table.to_csv(index=False, lineterminator="\r\n")
    return text
