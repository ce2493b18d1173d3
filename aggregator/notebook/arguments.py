"""Parse the arguments of notebook functions: scopes, ranges and instants."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import get_args
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from aggregator.errors import ParameterError
from aggregator.metrics.periods import first_bucket
from aggregator.metrics.scope import ORIGINS, Scope, ScopeKind
from aggregator.metrics.windows import Window
from aggregator.parameters import one_of
from aggregator.query.agents.names import Names, find_ids

Instant = datetime | date | np.datetime64 | str
DATE_OR_INSTANT = "a date such as 2026-11-16, or an instant such as 2026-11-16T14:00, from 1971 on"
DATE_PATTERN = re.compile(r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}(-?\d)?", re.ASCII)
"""A text that is a day rather than an instant."""


def chosen_scope(
    project: Names | None,
    agent: Names | None,
    projects: pd.DataFrame,
    agents: pd.DataFrame,
    origin: str | None = None,
) -> Scope:
    """Return the chosen agents, or else the chosen projects, or else overall.

    Names of agents are searched in the chosen projects.

    Args:
        project: Ids or names of projects.
        agent: Ids or names of agents.
        projects: (n, 2) frame of all projects: ``project_id``, ``name``.
        agents: (m, 3) frame of all agents: ``agent_id``, ``project_id``, ``name``.
        origin: One of :data:`aggregator.metrics.scope.ORIGINS`, or None for all. Chosen agents
            are loaded whoever started them.

    Raises:
        UnknownNameError: A name is unknown.
        ParameterError: An agent belongs to none of the projects.
    """
    of_origin = None if origin is None else one_of("origin", origin, ORIGINS)
    of_projects = find_ids(project, projects, "project")
    if of_projects:
        agents = agents[agents["project_id"].isin(of_projects)]
    of_agents = find_ids(agent, agents, "agent")
    elsewhere = sorted(set(of_agents) - set(agents["agent_id"])) if of_projects else []
    if elsewhere:
        raise ParameterError("agent", elsewhere[0], "an agent of the chosen projects")
    if of_agents:
        return Scope("agent", of_agents)
    return Scope("project" if of_projects else "overall", of_projects, of_origin)


def series_of(scope: str | None, chosen: Scope) -> ScopeKind:
    """Return the kind of series to load: by default that of the choice.

    Raises:
        ParameterError: ``scope`` is not a kind of scope, or is wider than the choice. Agents
            of one origin have metrics of their own only.
    """
    kinds: tuple[ScopeKind, ...] = get_args(ScopeKind)
    allowed = kinds[kinds.index(chosen.kind) :] if chosen.origin is None else ("agent",)
    return allowed[0] if scope is None else one_of("scope", scope, allowed)


def range_of(
    since: Instant | None,
    until: Instant | None,
    zone: ZoneInfo,
    oldest: datetime,
    now: datetime,
    *,
    by_hour: bool = False,
) -> Window:
    """Return the window between two instants, by default from ``oldest`` to ``now``.

    Args:
        since: Start.
        until: End, exclusive.
        zone: Time zone of instants that have none.
        oldest: Default of the start; with an end before it the window is empty.
        now: Default of the end.
        by_hour: Whether a day begins with its first full UTC hour, as days of metrics do.

    Raises:
        ParameterError: An instant cannot be parsed, or the two are reversed.
    """
    end = now if until is None else _edge("until", until, zone, by_hour=by_hour)
    if since is None:
        return Window("custom", min(oldest, end), end, now)
    start = _edge("since", since, zone, by_hour=by_hour)
    if end <= start:
        raise ParameterError("until", str(until or "now"), f"an instant after {start:%FT%TZ}")
    return Window("custom", start, end, now)


def _edge(name: str, raw: Instant, zone: ZoneInfo, *, by_hour: bool) -> datetime:
    at = parse_instant(name, raw, zone)
    day = isinstance(raw, date) and not isinstance(raw, datetime)
    if isinstance(raw, str):
        day = DATE_PATTERN.fullmatch(raw) is not None
    return first_bucket(at.astimezone(zone).date(), zone) if day and by_hour else at


def parse_instant(name: str, raw: Instant, zone: ZoneInfo) -> datetime:
    """Parse an instant, by default in ``zone``; a date stands for its midnight.

    Raises:
        ParameterError: It cannot be parsed.
    """
    try:
        at = _datetime(raw)
        inside = 1970 < at.year < 9999
    except (TypeError, ValueError):
        inside = False
    if not inside:
        raise ParameterError(name, raw, DATE_OR_INSTANT)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _datetime(raw: Instant) -> datetime:
    if isinstance(raw, str):
        return datetime.fromisoformat(raw)
    if isinstance(raw, np.datetime64):
        raw = pd.Timestamp(raw)
    if isinstance(raw, pd.Timestamp):
        # Without warn=False, pandas warns that nanoseconds are lost.
        return raw.to_pydatetime(warn=False)
    return raw if isinstance(raw, datetime) else datetime.combine(raw, time())
