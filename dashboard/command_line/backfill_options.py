"""The options of the command ``backfill``: a range of hours, and the workers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import click

from aggregator.errors import ConflictingParametersError, SettingError
from aggregator.metrics.windows import floor_hour
from aggregator.passes.workers import Workers, dask_cluster, process_pool

DATE_OR_ZONED_INSTANT = (
    "a date such as 2026-10-01, or an instant with a time zone, such as 2026-10-01T14:00:00Z"
)
MOST_WORKERS = 256


def range_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that the functions below read."""
    options = (
        click.option(
            "--since",
            metavar="INSTANT",
            help="First hour: a date such as 2026-10-01, or an instant with a time zone."
            "  [default: the oldest hour inside the retention]",
        ),
        click.option(
            "--until", metavar="INSTANT", help="End of the range, exclusive.  [default: now]"
        ),
        click.option(
            "--workers", metavar="N", help="Number of worker processes.  [default: only this one]"
        ),
        click.option(
            "--dask",
            metavar="ADDRESS",
            help="Scheduler of a Dask cluster to work on: tcp://host:8786.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def parse_range(
    since: str | None, until: str | None, now: datetime, retention_days: int
) -> tuple[datetime, datetime]:
    """Read the range to backfill.

    Args:
        since: Its start; default the oldest hour inside the retention.
        until: Its end, exclusive; default now.
        now: The current time.
        retention_days: Days for which metrics are retained.

    Raises:
        SettingError: A value is malformed, the range is empty, or it begins before the
            oldest hour inside the retention.
    """
    horizon = floor_hour(now - timedelta(days=retention_days))
    start = _instant("--since", since) if since else horizon
    end = _instant("--until", until) if until else now
    if start < horizon:
        allowed = (
            f"{horizon:%FT%H:%MZ} or later: metrics are kept for {retention_days} days "
            "(ACTIVITY_RETENTION_DAYS)"
        )
        raise SettingError("--since", since, allowed)
    if end <= start:
        raise SettingError("--until", until or "now", f"an instant after {start:%FT%TZ}")
    return start, end


def _instant(name: str, raw: str) -> datetime:
    try:
        # A date means the start of that day.
        at = datetime.combine(date.fromisoformat(raw), time(), UTC)
    except ValueError:
        try:
            at = datetime.fromisoformat(raw)
        except ValueError:
            raise SettingError(name, raw, DATE_OR_ZONED_INSTANT) from None
    if at.tzinfo is None or not 1970 < at.year < 9999:
        raise SettingError(name, raw, DATE_OR_ZONED_INSTANT)
    return at.astimezone(UTC)


def parse_workers(size: str | None, dask: str | None) -> Workers | None:
    """Read the workers; None means this process alone.

    Raises:
        SettingError: The number of processes is not allowed.
        ConflictingParametersError: Both options are given.
        DaskMissingError: A cluster is named, but the extra ``dask`` is not installed.
    """
    if size and dask:
        raise ConflictingParametersError("--workers", "--dask")
    if dask:
        return dask_cluster(dask)
    if not size:
        return None
    if not (size.isascii() and size.isdigit() and 1 <= int(size) <= MOST_WORKERS):
        raise SettingError("--workers", size, f"a whole number from 1 to {MOST_WORKERS}")
    return process_pool(int(size))
