"""Measures of time where nothing has any, for tests about turns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from aggregator.metrics.measures import TIME_MEASURES

NO_TIME = {each.column: 0.0 if each.sql_type == "double precision" else 0 for each in TIME_MEASURES}
NO_PEAKS = {each.column: None for each in TIME_MEASURES if each.combine == "peak"}
"""Peaks in rows of agents, which have none."""
NO_SUMMED_TIME = {name: value for name, value in NO_TIME.items() if name not in NO_PEAKS}


def with_no_time(frame: pd.DataFrame, *, of_agents: bool = False) -> pd.DataFrame:
    """Add the measures of time that a frame of answers lacks, all 0, at its end."""
    times = NO_SUMMED_TIME if of_agents else NO_TIME
    full = frame.assign(**{name: 0 for name in times if name not in frame})
    rest = [name for name in full if name not in times]
    dtypes = {name: f"{type(no).__name__}64" for name, no in times.items()}
    return full[[*rest, *times]].astype(dtypes)


def turns_of(frame: pd.DataFrame) -> dict[str, Any]:
    """Columns of a frame as lists, without the measures of time, which are all 0."""
    times = frame[[name for name in NO_TIME if name in frame]]
    assert times.fillna(0).eq(0).all(axis=None)
    return frame.drop(columns=times.columns).to_dict("list")
