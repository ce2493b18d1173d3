"""Frames for notebooks: indexed by local time, with names of projects and agents. Pure pandas."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.measures import AGENT_NUMBERS, DISTINCT, NUMBERS, PEAKS
from aggregator.metrics.scope import ScopeKind
from aggregator.metrics.series import SERIES

SERIES_COLUMNS: dict[ScopeKind, list[str]] = {
    "overall": [],
    "project": ["project_id", "project"],
    "agent": ["project_id", "project", "agent_id", "agent"],
}


def labelled(
    buckets: pd.DataFrame,
    of: ScopeKind,
    projects: pd.DataFrame,
    agents: pd.DataFrame,
    zone: ZoneInfo,
) -> pd.DataFrame:
    """Convert series to the result of :func:`aggregator.notebook.load.load_metrics`.

    Args:
        buckets: Frame with :data:`aggregator.metrics.series.ROW_DTYPES`.
        of: Kind of its series.
        projects: (p, 2) frame: ``project_id``, ``name``.
        agents: (a, 3) frame: ``agent_id``, ``project_id``, ``name``, with the agents of
            all series.
        zone: Time zone of the index.
    """
    frame = buckets.sort_values(["bucket_start", SERIES])
    if of == "agent":
        owners = agents.set_index("agent_id")["project_id"]
        project_ids = frame[SERIES].map(owners).astype("int64")
        frame = frame.assign(agent_id=frame[SERIES], project_id=project_ids)
    elif of == "project":
        frame = frame.assign(project_id=frame[SERIES])
    frame = in_local_time(named(frame, projects, agents), "bucket_start", zone)
    if of == "agent":
        return frame[[*SERIES_COLUMNS[of], *AGENT_NUMBERS]]
    counted = {measure.column: "int64" for measure in (*DISTINCT, *PEAKS)}
    # Rows from before there were peaks have none until the next rebuild.
    frame = frame.fillna({measure.column: 0 for measure in PEAKS})
    return frame.astype(counted)[[*SERIES_COLUMNS[of], *NUMBERS]]


def named(frame: pd.DataFrame, projects: pd.DataFrame, agents: pd.DataFrame) -> pd.DataFrame:
    """Add columns ``project`` and ``agent``, the names for ``project_id`` and ``agent_id``."""
    names = {
        kind: _names(frame[f"{kind}_id"], known, kind)
        for kind, known in (("project", projects), ("agent", agents))
        if f"{kind}_id" in frame
    }
    return frame.assign(**names)


def _names(ids: pd.Series, known: pd.DataFrame, kind: str) -> pd.Series:
    names = dict(zip(known[f"{kind}_id"], known["name"], strict=True))
    return pd.Series([names.get(id_, f"{kind} {id_}") for id_ in ids], ids.index, dtype="str")


def in_local_time(frame: pd.DataFrame, column: str, zone: ZoneInfo) -> pd.DataFrame:
    """Index a frame by a column of instants, converted to local time."""
    return frame.set_index(pd.DatetimeIndex(frame[column], name=column).tz_convert(zone))
