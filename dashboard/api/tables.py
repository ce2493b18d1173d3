"""Answers as CSV (RFC 4180): one row for each bucket."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.read import Activity, Fleet, Member
from aggregator.scope import ScopeKind
from aggregator.series import EVERYBODY, filled
from dashboard.api.answers import NUMBERS, local_texts

WHOSE = ("scope", "project_id", "project", "agent_id", "agent")
NAME_COLUMNS = ["project", "agent"]
FORMULA = r"^(?=[=+\-@\t\r])"
"""How a text begins that a spreadsheet would run."""


def activity_csv(activity: Activity) -> str:
    """One scope: its buckets with turns, oldest first."""
    return _csv(_numbers(activity.buckets, activity.span.zone))


def fleet_csv(fleet: Fleet) -> str:
    """Everybody, then each project, then each agent: every bucket of each, oldest first."""
    names = {one.id: one.name for one in fleet.projects}
    parts = [_part(fleet, "overall", [EVERYBODY], [("overall", None, None, None, None)])]
    members: dict[ScopeKind, tuple[Member, ...]]
    members = {"project": fleet.projects, "agent": fleet.agents}
    for kind, found in members.items():
        whose = [_whose(kind, one, names) for one in found]
        parts.append(_part(fleet, kind, [one.id for one in found], whose))
    return _csv(pd.concat(parts, ignore_index=True))


def _whose(kind: str, one: Member, names: dict[int, str]) -> tuple[object, ...]:
    if kind == "project":
        return kind, one.id, one.name, None, None
    return kind, one.project_id, names.get(one.project_id), one.id, one.name


def _part(
    fleet: Fleet, kind: ScopeKind, ids: list[int], whose: list[tuple[object, ...]]
) -> pd.DataFrame:
    edges = fleet.span.edges
    frame = filled(fleet.buckets[kind], edges, ids, of_agents=kind == "agent")
    owners = pd.DataFrame(whose, columns=list(WHOSE)).astype(
        {"project_id": "Int64", "agent_id": "Int64"}
    )
    repeated = owners.loc[owners.index.repeat(max(len(edges) - 1, 0))].reset_index(drop=True)
    return pd.concat([repeated, _numbers(frame, fleet.span.zone)], axis="columns")


def _numbers(buckets: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    starts = pd.Series(local_texts(buckets["bucket_start"], zone), dtype="str", name="bucket_start")
    return pd.concat([starts, buckets[list(NUMBERS)].reset_index(drop=True)], axis="columns")


def _csv(table: pd.DataFrame) -> str:
    harmless = {
        name: table[name].str.replace(FORMULA, "'", regex=True)
        for name in NAME_COLUMNS
        if name in table
    }
    text: str = table.assign(**harmless).to_csv(index=False, lineterminator="\r\n")
    return text
