"""Weekly pattern of activity: weekday × hour of the viewer's clock. Pure pandas."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from aggregator.metrics.hourly import agents_with_turns, pool
from aggregator.metrics.measures import MEASURES, Measure
from aggregator.metrics.periods import Period, today

PATTERN_DAYS = 28
"""Days of a pattern: four of each weekday."""


def pattern_period(period: Period, now: datetime) -> Period:
    """Return the days of a period's pattern: 28 days up to its end, or up to today."""
    last = min(period.last, today(now, period.zone))
    return Period("custom", last - timedelta(days=PATTERN_DAYS - 1), last, period.zone)


def weekly_pattern(
    hours: pd.DataFrame, since: datetime, until: datetime, zone: ZoneInfo
) -> pd.DataFrame:
    """Build ``Overview.pattern``: hours added up by weekday and local hour of their start.

    Args:
        hours: Hours with rows, all in the range; see
            :func:`aggregator.metrics.totals.add_up`.
        since: Start of the first hour that counts, on the hour.
        until: End of the last hour that counts; all hours are retained and over.
        zone: The viewer's time zone.
    """
    every_hour = pd.date_range(since, until, freq="h", inclusive="left")
    kinds = pd.MultiIndex.from_product([range(7), range(24)], names=["weekday", "hour"])
    kind = _kind(pd.DatetimeIndex(hours["bucket_start"]), zone)
    agents = agents_with_turns(hours).groupby(kind).sum()
    sums = pool(hours, pd.Series(kind, hours.index)).assign(active_agents=agents)
    every_kind = sums.reindex(range(len(kinds)))
    counted = _kind(every_hour, zone).value_counts()
    return (
        pd.DataFrame(
            {
                "hours": counted.reindex(every_kind.index, fill_value=0),
                **{measure.column: _added(measure, every_kind) for measure in MEASURES},
            }
        )
        .set_index(kinds)
        .reset_index()
    )


def _added(measure: Measure, sums: pd.DataFrame) -> pd.Series:
    """One measure by kind of hour; without turns it is 0, but an average is NaN."""
    if measure.combine == "pooled":
        return sums[measure.column]
    return sums[measure.column].fillna(0).astype(measure.total_dtype)


def _kind(starts: pd.DatetimeIndex, zone: ZoneInfo) -> pd.Index:
    local = starts.tz_convert(zone)
    return pd.Index(local.day_of_week * 24 + local.hour)
