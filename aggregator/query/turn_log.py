"""Read a log of single turns, for notebooks."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    case,
    cast,
    func,
)

from aggregator.database.binary_copy import INT8, TIMESTAMPTZ, compiled, copy_out
from aggregator.database.models import Turn
from aggregator.database.source import STANDALONE, Source
from aggregator.database.turns import turn_frame, turns_of_projects
from aggregator.metrics.scope import Scope
from aggregator.query.sql import of_agents

ACTORS = ("USER", "AGENT")


def read_log(
    conn: Connection, scope: Scope, since: datetime, until: datetime, source: Source = STANDALONE
) -> pd.DataFrame:
    """Read the turns of a scope in ``[since, until)``, oldest first.

    Returns:
        (n, 4) frame of ``agent_id``, ``project_id`` (int64), ``at`` (UTC) and ``actor``
        (categorical of :data:`ACTORS`, missing for other actors of a host).
    """
    actor = func.upper(cast(Turn.actor, Text))
    numbered = [(actor == name, code) for code, name in enumerate(ACTORS)]
    query = turns_of_projects(source, since, until).add_columns(
        cast(case(*numbered, else_=-1), BigInteger)
    )
    columns = {"agent_id": INT8, "project_id": INT8, "at": TIMESTAMPTZ, "actor": INT8}
    rows = copy_out(conn, compiled(conn, query.where(of_agents(scope))), {}, columns)
    codes = rows["actor"].astype("int8").tolist()
    log = turn_frame(rows).assign(actor=pd.Categorical.from_codes(codes, pd.Index(ACTORS)))
    return log.sort_values(["at", "agent_id"], kind="stable", ignore_index=True)
