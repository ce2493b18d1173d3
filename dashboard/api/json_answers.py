"""Answers as JSON: plain dicts, in which every instant has its UTC offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.intervals.kinds import WAITING
from aggregator.metrics.comparisons import Comparison
from aggregator.metrics.measures import AGENT_NUMBERS, NUMBERS
from aggregator.metrics.scope import EVERYBODY, ScopeKind
from aggregator.metrics.series import filled
from aggregator.metrics.spans import Span
from aggregator.metrics.totals import Totals, Value
from aggregator.query.reader import Breakdown, ScopeActivity, ScopeIntervals
from aggregator.query.response_times import Times

INTERVAL_COLUMNS = ("kind", "reason", "tool", "mode", "is_exact")

SCHEMA_VERSION = 2
"""Incremented when answers change in a way that matters to their readers."""


def activity_json(activity: ScopeActivity) -> dict[str, Any]:
    """Answer for one scope: the window, its buckets, oldest first, its totals and what asked.

    Buckets have turns or time. ``current`` is the running one, which is also the last of
    ``history``; it is null outside the window and while it has neither.
    """
    span, scope = activity.span, activity.scope
    columns = [activity.buckets[name] for name in NUMBERS]
    history = [
        {"bucket_start": start, **dict(zip(NUMBERS, numbers, strict=True))}
        for start, *numbers in zip(
            local_texts(activity.buckets["bucket_start"], span.zone),
            *(_plain(column) for column in columns),
            strict=True,
        )
    ]
    ids = {} if scope.kind == "overall" else {f"{scope.kind}_id": scope.ids[0]}
    filtered = {} if scope.kind == "agent" else {"origin": scope.origin}
    return {
        **ids,
        **filtered,
        **_about(span, activity.last_pass_at),
        "current": history[-1] if _is_running(activity.buckets, span) else None,
        "history": history,
        "totals": _totals(activity.totals, activity.times),
        "asking": _records(activity.asking),
        "compared_with": activity.compared and _compared(activity.compared, span.zone),
    }


def intervals_json(found: ScopeIntervals) -> dict[str, Any]:
    """Answer what one agent did with its time: its intervals, oldest first, without gaps."""
    about = _about(found.span, found.last_pass_at)
    del about["freq"]
    return {
        "agent_id": found.scope.ids[0],
        **about,
        "sub_agent_seconds": found.sub_agent_seconds,
        "intervals": _records(interval_rows(found)),
    }


def interval_rows(found: ScopeIntervals) -> pd.DataFrame:
    """Return the rows of intervals as they are answered, with local times as texts."""
    intervals, zone = found.intervals, found.span.zone
    return pd.DataFrame(
        {
            "started_at": local_texts(intervals["started_at"], zone),
            "ended_at": local_texts(intervals["ended_at"], zone),
            "seconds": (intervals["ended_at"] - intervals["started_at"]).dt.total_seconds(),
            **{name: intervals[name] for name in INTERVAL_COLUMNS},
        }
    )


def breakdown_json(breakdown: Breakdown) -> dict[str, Any]:
    """Answer for everybody, every project and every agent, in one list of buckets.

    Each list of numbers has one item per bucket; buckets without turns and time have 0,
    and no average.
    """
    span = breakdown.span
    (overall,) = _series(breakdown, "overall", [EVERYBODY])
    projects = _series(breakdown, "project", [project.id for project in breakdown.projects])
    agents = _series(breakdown, "agent", [agent.id for agent in breakdown.agents])
    return {
        **_about(span, breakdown.last_pass_at),
        "buckets": local_texts(pd.Series(span.edges[:-1]), span.zone),
        "overall": {"totals": _totals(breakdown.totals, breakdown.times), **overall},
        "projects": [
            {
                "project_id": project.id,
                "name": project.name,
                "totals": _totals(project.totals, project.times),
                **numbers,
            }
            for project, numbers in zip(breakdown.projects, projects, strict=True)
        ],
        "agents": [
            {
                "agent_id": agent.id,
                "project_id": agent.project_id,
                "name": agent.name,
                "origin": agent.origin,
                "totals": _totals(agent.totals, agent.times),
                **numbers,
            }
            for agent, numbers in zip(breakdown.agents, agents, strict=True)
        ],
    }


def now_json(states: pd.DataFrame, as_of: datetime) -> dict[str, Any]:
    """Answer what all agents do now: those that wait for a person first, the longest first.

    Args:
        states: See :func:`aggregator.query.agents.now.in_order`.
        as_of: The present.
    """
    instants = {name: utc_texts(states[name]) for name in ("since", "last_turn_at")}
    shown = states.assign(**instants, tool=states["tool"].where(states["tool"] != "", None))
    columns = ["agent_id", "project_id", "name", "project", "state", "since", "reason", "tool"]
    return {
        "schema_version": SCHEMA_VERSION,
        "as_of": local_text(as_of, ZoneInfo("UTC")),
        "waiting": int((states["state"] == WAITING).sum()),
        "agents": _records(shown[[*columns, "is_long", "last_turn_at"]]),
    }


def utc_texts(instants: pd.Series) -> list[str]:
    """Format many instants in UTC."""
    return local_texts(instants, ZoneInfo("UTC"))


def _about(span: Span, last_pass_at: datetime | None) -> dict[str, Any]:
    """Return the fields that all answers share."""
    window, zone = span.window, span.zone
    return {
        "schema_version": SCHEMA_VERSION,
        "window": window.name,
        "freq": span.freq,
        "tz": zone.key,
        "since": local_text(window.since, zone),
        "until": local_text(window.until, zone),
        "as_of": local_text(window.as_of, zone),
        "kept_since": local_text(span.retained.since, zone),
        "last_pass_at": last_pass_at and local_text(last_pass_at, zone),
        "partial": span.is_partial(last_pass_at),
    }


def _numbers(totals: Totals) -> dict[str, Value]:
    return {
        **totals.values,
        "active_hours": totals.active_hours,
        "turn_rate": totals.turn_rate,
        "turns_per_active_hour": totals.turns_per_active_hour,
        "utilisation": totals.utilisation,
        "exact_share": totals.exact_share,
    }


def _totals(totals: Totals, times: Times) -> dict[str, Any]:
    return {
        **_numbers(totals),
        "response_times": asdict(times.responses),
        "reaction_times": asdict(times.reactions),
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Convert the rows of a frame, with None for missing values."""
    names = list(frame.columns)
    lists = [_plain(frame[name]) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)]


def _compared(compared: Comparison, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "kind": compared.kind,
        "since": local_text(compared.part.since, zone),
        "until": local_text(compared.part.until, zone),
        "totals": _numbers(compared.now),
        "ranges": [
            {"since": local_text(part.since, zone), "until": local_text(part.until, zone)}
            for part in compared.parts
        ],
        "previous": {
            name: compared.reference(partial(_number, name)) for name in _numbers(compared.now)
        },
    }


def _number(name: str, totals: Totals) -> Value:
    return _numbers(totals)[name]


def _is_running(buckets: pd.DataFrame, span: Span) -> bool:
    """Return True if the last bucket is the running one."""
    if buckets.empty or span.until <= span.retained.now:
        return False
    return bool(buckets["bucket_start"].iloc[-1] == span.edges[-2])


def _series(
    breakdown: Breakdown, kind: ScopeKind, ids: Sequence[int]
) -> list[dict[str, list[Any]]]:
    """Return the numbers of each series in every bucket, in the order of ``ids``."""
    edges = breakdown.span.edges
    frame = filled(breakdown.buckets[kind], edges, ids, of_agents=kind == "agent")
    width = max(len(edges) - 1, 0)
    names = AGENT_NUMBERS if kind == "agent" else NUMBERS
    lists = {name: _plain(frame[name]) for name in names}
    return [
        {name: values[width * place : width * (place + 1)] for name, values in lists.items()}
        for place in range(len(ids))
    ]


def _plain(column: pd.Series) -> list[Any]:
    """Convert a column to Python values, with None for missing ones."""
    values: list[Any] = column.astype(object).where(column.notna(), None).tolist()
    return values


def local_texts(instants: pd.Series, zone: ZoneInfo) -> list[str]:
    """Format many instants, see :func:`local_text`."""
    return [local_text(at, zone) for at in pd.DatetimeIndex(instants).to_pydatetime()]


def local_text(at: datetime, zone: ZoneInfo) -> str:
    """Format an instant in ISO 8601 with its offset, or ``Z`` in UTC."""
    local = at.astimezone(UTC if zone.key == "UTC" else zone)
    return local.isoformat().replace("+00:00", "Z") if local.tzinfo is UTC else local.isoformat()
