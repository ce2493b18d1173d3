"""The numbers behind the figures as tables, shown on request and saved as CSV."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.buckets import FUTURE, GONE, RUNNING
from aggregator.metrics.measures import COLUMNS, TURN_MEASURES, Measure
from aggregator.metrics.windows import elapsed_hours
from aggregator.query.overview import Overview
from dashboard.charts.heatmap import FULL_DAYS, hour_name, hourly_means
from dashboard.charts.stack import stack_projects
from dashboard.charts.tooltips import NO_LONGER_KEPT
from dashboard.labels import PATTERN_LABELS, TURNS

_NO_NUMBERS: dict[Hashable, Any] = dict.fromkeys(COLUMNS)
NOTES = {GONE: NO_LONGER_KEPT, RUNNING: "so far"}


def chart_table(overview: Overview, names: Mapping[int, str]) -> pd.DataFrame:
    """Return the buckets of the chart that have begun, oldest first.

    Returns:
        (n, 6 + stacked series) frame of ``Start`` and ``End`` (local ISO 8601 with offset),
        the metrics (missing outside the retention), ``Note``, and the turns of each
        project that has its own series, and of the others.
    """
    buckets = overview.buckets[overview.buckets["phase"] != FUTURE]
    retained, zone = buckets["phase"] != GONE, overview.period.zone
    columns: dict[str, Any] = {
        "Start": all_local(buckets["start"], zone),
        "End": all_local(buckets["end"], zone),
        **{
            _heading(measure, measure.label): _rounded(measure, buckets[measure.column]).where(
                retained
            )
            for measure in TURN_MEASURES
        },
        "Note": [NOTES.get(phase, "") for phase in buckets["phase"]],
    }
    for series in stack_projects(overview, names):
        name = f"Turns of {series.name}"
        if name in columns:
            # On a host, two projects may have the same name.
            name = f"{name} ({series.project_id})"
        turns = buckets["start"].map(series.turns).fillna(0)
        columns[name] = turns.astype("Int64").where(retained)
    return pd.DataFrame(columns)


def heatmap_table(overview: Overview) -> pd.DataFrame:
    """Return the hours of the week, Monday first.

    Returns:
        (168, 6) frame of ``Weekday``, ``Hour`` (local), ``Hours kept``, and the means of
        these hours, missing if no hour is retained.
    """
    means = hourly_means(overview)
    return pd.DataFrame(
        {
            "Weekday": [FULL_DAYS[day] for day in means["weekday"]],
            "Hour": [hour_name(hour, overview) for hour in means["hour"]],
            "Hours kept": means["hours"],
            **{
                _heading(measure, PATTERN_LABELS[measure.name]): means[measure.name].round(
                    1 if measure.unit == "seconds" else 2
                )
                for measure in TURN_MEASURES
            },
        }
    )


def agent_table(overview: Overview, names: Mapping[int, str]) -> pd.DataFrame:
    """Return the projects, each with its agents below it, most turns first.

    Returns:
        (n, 13) frame of ``Project``, ``Agent`` (empty in the row of a project), ``State``
        (of agents that are present), ``Working (s)``, ``Waiting for me (s)``, ``Responses``,
        ``Response time p50 (s)``, ``Turns``, ``Turns per hour``, the average,
        ``Active agents``, ``Active hours`` and ``Last activity`` (local ISO 8601).
    """
    period, agents = overview.period, overview.agents
    since = max(period.since, overview.kept_since)
    hours = elapsed_hours(since, min(period.until, overview.window.as_of))
    states = dict(zip(overview.states["agent_id"], overview.states["state"], strict=True))
    # An agent without turns may belong to a project that had none, and is not listed.
    order = dict.fromkeys([*overview.projects["project_id"], *agents["project_id"]])
    by_project: dict[int, list[dict[Hashable, Any]]] = {project: [] for project in order}
    for row in overview.projects.to_dict("records"):
        by_project[row["project_id"]].append({**row, "agent": ""})
    for row in agents.to_dict("records"):
        # Single agents have no distinct counts.
        own = {**_NO_NUMBERS, **row, "agent": row["name"]}
        by_project[row["project_id"]].append(own)
    rows = [row for listed in by_project.values() for row in listed]
    return pd.DataFrame(
        {
            "Project": [names.get(row["project_id"], _unnamed(row)) for row in rows],
            "Agent": [row["agent"] for row in rows],
            "State": [states.get(row.get("agent_id"), "") for row in rows],
            **_time(rows),
            **_measured(rows, hours),
            "Active hours": pd.array([row["active_hours"] for row in rows], "Int64"),
            "Last activity": [_local(row["last_active_at"], period.zone) for row in rows],
        }
    )


def _time(rows: list[dict[Hashable, Any]]) -> dict[str, Any]:
    """Return the columns of time that the table on the page has."""
    waiting = [row["blocked_seconds"] + row["waiting_seconds"] for row in rows]
    seconds = {
        "Working (s)": [row["working_seconds"] for row in rows],
        "Waiting for me (s)": waiting,
    }
    p50 = pd.Series([row["response_p50_seconds"] for row in rows], dtype="float64")
    return {
        **{name: pd.Series(values, dtype="float64").round(1) for name, values in seconds.items()},
        "Responses": pd.array([row["responses"] for row in rows], "Int64"),
        "Response time p50 (s)": p50.round(1),
    }


def _measured(rows: list[dict[Hashable, Any]], hours: float) -> dict[str, Any]:
    """Return the columns of all measures, and of turns per hour."""
    columns: dict[str, Any] = {}
    for measure in TURN_MEASURES:
        values = pd.Series([row[measure.column] for row in rows], dtype=_nullable(measure))
        columns[_heading(measure, measure.label)] = _rounded(measure, values)
        if measure.name == TURNS:
            columns[PATTERN_LABELS[TURNS]] = [round(row[measure.column] / hours, 2) for row in rows]
    return columns


def _heading(measure: Measure, label: str) -> str:
    return f"{label} (s)" if measure.unit == "seconds" else label


def _rounded(measure: Measure, values: pd.Series) -> pd.Series:
    if measure.sql_type == "integer":
        return values.astype("Int64")
    return values.round(1)


def _nullable(measure: Measure) -> Literal["Int64", "float64"]:
    return "Int64" if measure.sql_type == "integer" else "float64"


def _unnamed(row: Mapping[Hashable, Any]) -> str:
    return f"project {row['project_id']}"


def all_local(instants: pd.Series, zone: ZoneInfo) -> list[str]:
    """Format instants as local ISO 8601 with offset."""
    return [at.isoformat() for at in pd.DatetimeIndex(instants).tz_convert(zone).to_pydatetime()]


def _local(at: datetime, zone: ZoneInfo) -> str | None:
    return None if pd.isna(at) else at.astimezone(zone).isoformat(timespec="seconds")
