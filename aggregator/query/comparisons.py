"""Compare a period of a scope with earlier ones."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection

from aggregator.metrics.comparisons import Candidates, Comparison, Kind, Part, candidates
from aggregator.metrics.hourly import agents_at_once, agents_with_turns
from aggregator.metrics.periods import Period, first_bucket
from aggregator.metrics.scope import Scope
from aggregator.metrics.totals import Totals, add_up
from aggregator.metrics.windows import RetainedHours, elapsed_hours
from aggregator.query.hours import count_agents, oldest_bucket, read_hours


def read_comparison(
    conn: Connection, scope: Scope, period: Period, retained: RetainedHours
) -> Comparison | None:
    """Read a comparison with earlier periods that are retained entirely; None if there are none.

    Args:
        conn: A connection whose transaction sees one snapshot.
        scope: The scope.
        period: The period.
        retained: The retained hours.
    """
    found = candidates(period, retained.now)
    if found is None:
        return None
    since, until = retained.clip(found.since, period.until)
    hours = read_hours(conn, scope, since, until)
    # Rows of single agents have no such columns.
    counted = hours.assign(active_agents=agents_with_turns(hours), **agents_at_once(hours))
    return compare(conn, scope, period, retained, counted)


def compare(
    conn: Connection, scope: Scope, period: Period, retained: RetainedHours, hours: pd.DataFrame
) -> Comparison | None:
    """Compare a period, see :func:`read_comparison`.

    Args:
        conn: A connection whose transaction sees one snapshot.
        scope: The scope.
        period: The period.
        retained: The retained hours.
        hours: The scope's hours with rows, from the earliest part of
            :func:`aggregator.metrics.comparisons.candidates` on.
    """
    found = candidates(period, retained.now)
    chosen = found and _chosen(conn, scope, period, retained, found)
    if not chosen:
        return None
    kind, part, parts = chosen
    now, *then = _totals(conn, scope, hours, [part, *parts])
    return Comparison(kind, period, part, tuple(parts), now, tuple(then))


def _chosen(
    conn: Connection, scope: Scope, period: Period, retained: RetainedHours, found: Candidates
) -> tuple[Kind, Part, list[Part]] | None:
    oldest = oldest_bucket(conn)
    if oldest is None:
        return None
    used = oldest if scope.kind == "overall" else oldest_bucket(conn, scope) or period.until
    # The first day with turns counts as known, although they began within it.
    used_since, known_since = (
        max(retained.since, first_bucket(at.astimezone(period.zone).date(), period.zone))
        for at in (used, oldest)
    )
    return found.chosen(used_since, known_since)


def _totals(
    conn: Connection, scope: Scope, hours: pd.DataFrame, parts: Sequence[Part]
) -> list[Totals]:
    starts = hours["bucket_start"]
    agents = count_agents(conn, scope, *((part.since, part.until) for part in parts))
    return [
        add_up(
            hours[(starts >= part.since) & (starts < part.until)],
            active,
            elapsed_hours(part.since, part.until),
        )
        for part, active in zip(parts, agents, strict=True)
    ]
