"""Read stored intervals and responses, from which the hours are computed."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from aggregator.database.binary_copy import (
    BOOL,
    FLOAT8,
    INT4,
    INT8,
    POSTGRES_EPOCH,
    TIMESTAMPTZ,
    Rows,
    copy_out,
)
from aggregator.metrics.hourly_time import TIMED
from aggregator.metrics.scope import OVERALL, Scope

_OF_PROJECTS = """
    JOIN agents ON agents.id = agent_id
    JOIN projects ON projects.id = agents.project_id
"""
_INTERVALS = f"""
    SELECT CAST(agent_id AS bigint), CAST(agents.project_id AS bigint),
        array_position(CAST(%(kinds)s AS text[]), kind) - 1,
        greatest(activity_intervals.started_at, %(since)s),
        least(activity_intervals.ended_at, %(until)s), is_exact
    FROM activity_intervals {_OF_PROJECTS}
    WHERE activity_intervals.ended_at > %(since)s AND activity_intervals.started_at < %(until)s
        AND kind <> 'idle'
"""  # noqa: S608 - the names of our own tables and columns
_RESPONSES = f"""
    SELECT CAST(agent_id AS bigint), CAST(agents.project_id AS bigint), activity_runs.ended_at,
        working_seconds + blocked_seconds
    FROM activity_runs {_OF_PROJECTS}
    WHERE activity_runs.ended_at >= %(since)s AND activity_runs.ended_at < %(until)s
        AND is_response
"""  # noqa: S608


_IN_SCOPE = {
    "overall": "",
    "project": "AND agents.project_id = ANY(CAST(%(ids)s AS bigint[]))",
    "agent": "AND agent_id = ANY(CAST(%(ids)s AS bigint[]))",
}


def read_intervals(
    conn: Connection, since: datetime, until: datetime, scope: Scope = OVERALL
) -> pd.DataFrame:
    """Read the parts of a scope's intervals that lie in ``[since, until)``, without idle ones.

    Returns:
        Frame with :data:`aggregator.metrics.hourly.INTERVAL_DTYPES`.
    """
    columns = {
        "agent_id": INT8,
        "project_id": INT8,
        "kind": INT4,
        "started_at": TIMESTAMPTZ,
        "ended_at": TIMESTAMPTZ,
        "is_exact": BOOL,
    }
    parameters = {"since": since, "until": until, "kinds": list(TIMED), "ids": list(scope.ids)}
    statement = _INTERVALS + _IN_SCOPE[scope.kind]
    return _frame(copy_out(conn, statement, parameters, columns), columns)


def read_responses(
    conn: Connection, since: datetime, until: datetime, scope: Scope = OVERALL
) -> pd.DataFrame:
    """Read the responses of a scope that ended in ``[since, until)``.

    Returns:
        Frame with :data:`aggregator.metrics.hourly.RESPONSE_DTYPES`.
    """
    columns = {"agent_id": INT8, "project_id": INT8, "ended_at": TIMESTAMPTZ, "seconds": FLOAT8}
    parameters = {"since": since, "until": until, "ids": list(scope.ids)}
    statement = _RESPONSES + _IN_SCOPE[scope.kind]
    return _frame(copy_out(conn, statement, parameters, columns), columns)


def _frame(rows: Rows, columns: dict[str, str]) -> pd.DataFrame:
    """Convert rows of COPY to a frame, with instants in UTC."""
    return pd.DataFrame(
        {
            name: pd.DatetimeIndex(
                (rows[name] + POSTGRES_EPOCH).view("datetime64[us]")
            ).tz_localize("UTC")
            if name.endswith("_at")
            else rows[name].astype(kind.lstrip(">"))
            for name, kind in columns.items()
        }
    )
