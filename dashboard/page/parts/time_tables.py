"""The numbers behind the figures of time as tables, shown on request and saved as CSV."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from aggregator.intervals.kinds import IDLE
from aggregator.metrics.buckets import FUTURE, GONE
from aggregator.query.overview import Overview
from dashboard.charts.time.capacity_chart import capacity
from dashboard.charts.time.timeline import why
from dashboard.charts.time.tooltips import with_means
from dashboard.labels import KIND_LABELS
from dashboard.page.parts.tables import NOTES, all_local

TIMED = {kind: label for kind, label in KIND_LABELS.items() if kind != IDLE}


def time_table(overview: Overview) -> pd.DataFrame:
    """Return the time of each bucket that has begun, oldest first.

    Returns:
        (n, 12) frame of ``Start`` and ``End`` (local ISO 8601 with offset), the seconds of
        each kind of time, how many of the working ones are exact, ``Responses``, their
        seconds, and ``Note``; numbers are missing outside the retention.
    """
    buckets = _begun(overview)
    known = buckets["phase"] != GONE
    columns = {
        **{f"{label} (s)": f"{kind}_seconds" for kind, label in TIMED.items()},
        "Exact (s)": "exact_seconds",
        "Response time (s)": "response_seconds",
    }
    return pd.DataFrame(
        {
            **_edges(buckets, overview),
            **{name: buckets[column].round(1).where(known) for name, column in columns.items()},
            "Responses": buckets["responses"].astype("Int64").where(known),
            "Note": _notes(buckets),
        }
    )


def work_table(overview: Overview) -> pd.DataFrame:
    """Return the agents at work at once in each bucket that has begun, oldest first.

    Returns:
        (n, 7) frame of ``Start`` and ``End`` (local ISO 8601 with offset), mean and most of
        working and of waiting agents, and ``Note``; numbers are missing outside the retention.
    """
    buckets = _begun(overview)
    known = buckets["phase"] != GONE
    return pd.DataFrame(
        {
            **_edges(buckets, overview),
            "At work, mean": buckets["working_agents"].round(2).where(known),
            "At work, most": buckets["peak_working_agents"].astype("Int64").where(known),
            "Waiting for me, mean": buckets["waiting_agents"].round(2).where(known),
            "Waiting for me, most": buckets["peak_waiting_agents"].astype("Int64").where(known),
            "Note": _notes(buckets),
        }
    )


def timeline_table(overview: Overview) -> pd.DataFrame:
    """Return the intervals of the chosen agent, oldest first.

    Returns:
        (n, 6) frame of ``From`` and ``To`` (local ISO 8601 with offset), ``Kind``,
        ``Seconds``, ``Why`` and ``Exact`` (``yes``, or empty).
    """
    rows, zone = overview.timeline, overview.period.zone
    length = (rows["ended_at"] - rows["started_at"]).dt.total_seconds()
    return pd.DataFrame(
        {
            "From": all_local(rows["started_at"], zone),
            "To": all_local(rows["ended_at"], zone),
            "Kind": [KIND_LABELS[kind] for kind in rows["kind"]],
            "Seconds": length.round(3).tolist(),
            "Why": [why(row) for row in rows.itertuples(index=False)],
            "Exact": ["yes" if exact else "" for exact in rows["is_exact"]],
        }
    )


def capacity_table(overview: Overview) -> pd.DataFrame:
    """Return the hours of the chart of capacity, oldest first.

    Returns:
        (n, 3) frame of ``Start`` (local ISO 8601 with offset) and the means of open agents
        and of agents at work.
    """
    hours = capacity(overview)
    return pd.DataFrame(
        {
            "Start": all_local(hours["start"], overview.period.zone),
            "Open, mean": hours["open_agents"].round(2),
            "At work, mean": hours["working_agents"].round(2),
        }
    )


def asking_table(overview: Overview, names: Mapping[int, str]) -> pd.DataFrame:
    """Return what asking has cost, by project, tool and permission mode, most time first.

    Returns:
        (n, 5) frame of ``Project``, ``Tool``, ``Permission mode``, ``Calls`` and ``Seconds``.
    """
    rows = overview.asking
    return pd.DataFrame(
        {
            "Project": [names.get(project, f"project {project}") for project in rows["project_id"]],
            "Tool": rows["tool"].tolist(),
            "Permission mode": rows["mode"].tolist(),
            "Calls": rows["calls"].tolist(),
            "Seconds": rows["seconds"].round(1).tolist(),
        }
    )


def _begun(overview: Overview) -> pd.DataFrame:
    buckets = with_means(overview)
    return buckets[buckets["phase"] != FUTURE]


def _edges(buckets: pd.DataFrame, overview: Overview) -> dict[str, list[str]]:
    zone = overview.period.zone
    return {"Start": all_local(buckets["start"], zone), "End": all_local(buckets["end"], zone)}


def _notes(buckets: pd.DataFrame) -> list[str]:
    return [NOTES.get(phase, "") for phase in buckets["phase"]]
