"""The commands on a host: ``flask activity …``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError

from aggregator.database.engine import display_url, server_message
from aggregator.errors import DatabaseRefusedError
from dashboard.command_line.backfill_options import parse_range, parse_workers, range_options
from dashboard.command_line.output import (
    OneLineGroup,
    backfill_line,
    pass_line,
    progress_on,
    status_lines,
)
from dashboard.export.command import read_options, write_export
from dashboard.export.options import export_options
from dashboard.host.mounted import MountedActivity


@click.group("activity", cls=OneLineGroup)
def commands() -> None:
    """Manage the tables, passes and exports of Activity."""


CAPTURE_OFFER = """\
Triggers can record which hours change. With them a pass recomputes only these hours: measured
on 195,000 turns of 30 days, 0.02 s instead of 0.4 s. In return, a statement that writes turns
adds a row to a queue for each hour that it touched: it takes up to 1.3 times as long.
'flask activity capture off' removes the triggers."""


@commands.command()
@click.option(
    "--capture/--no-capture",
    "wanted",
    default=None,
    help="Record changes with triggers, or not; without either, a terminal is asked.",
)
@with_appcontext
def migrate(wanted: bool | None) -> None:
    """Create Activity's tables, or upgrade them to the newest version.

    The host's own tables and migrations are not touched, except for the triggers of
    --capture.
    """
    with _activity() as activity:
        click.echo(f"The tables of headspace-activity are at {activity.database.migrate()}")
        if activity.captures():
            return
        if wanted is None:
            click.echo(CAPTURE_OFFER)
            if not sys.stdin.isatty():
                click.echo("To turn them on: flask activity capture on")
                return
            wanted = click.confirm("Record changes?", default=True)
        if wanted:
            activity.capture(on=True)
            click.echo("Changes are captured")


@commands.command()
@with_appcontext
def aggregate() -> None:
    """Make one pass over the turns, then exit."""
    with _activity() as activity:
        click.echo(pass_line(activity.aggregate_once()))


@commands.command()
@range_options
@with_appcontext
def backfill(since: str | None, until: str | None, workers: str | None, dask: str | None) -> None:
    """Recompute a range of hours from their turns.

    Dates are days in UTC; the range is widened to whole hours. You can stop the command
    at any time and run it again: finished hours stay finished.
    """
    chosen = parse_workers(workers, dask)
    with _activity() as activity:
        days = activity.settings.retention_days
        start, end = parse_range(since, until, activity.now(), days)
        with click.progressbar(length=1, label="Recomputing hours") as bar:
            report = activity.backfill(start, end, workers=chosen, progress=progress_on(bar))
    click.echo(backfill_line(report))


@commands.command()
@click.argument("state", type=click.Choice(["on", "off"]))
@with_appcontext
def capture(state: str) -> None:
    """Turn change capture on or off: triggers on turns, tasks and agents.

    With the triggers, a pass reads only what has changed; without them, every turn inside
    the retention, to find that out.
    """
    with _activity() as activity:
        activity.capture(on=state == "on")
    click.echo(f"Changes are {'captured' if state == 'on' else 'no longer captured'}")


@commands.command()
@with_appcontext
def prune() -> None:
    """Delete metrics older than ACTIVITY_RETENTION_DAYS, as every pass does."""
    with _activity() as activity:
        click.echo(f"Deleted {activity.prune():,} rows")


@commands.command()
@export_options
@with_appcontext
def export(**given: Any) -> None:
    """Save one chart of the page, or all of them, as PNG, SVG or PDF."""
    options = read_options(given)
    with _activity() as activity:
        days = activity.settings.retention_days
        for path in write_export(options, activity.reader, activity.now(), days):
            click.echo(f"Wrote {path}")


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def status(as_json: bool) -> None:
    """Print what is in the database, and how fresh the metrics are."""
    with _activity() as activity:
        facts = activity.status()
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(status_lines(facts)))


@contextmanager
def _activity() -> Iterator[MountedActivity]:
    """Give Activity on the current server; turn what its database refuses into one line."""
    activity: MountedActivity = current_app.extensions["activity"]
    try:
        yield activity
    except DBAPIError as failure:
        raise DatabaseRefusedError(
            display_url(activity.engine.url), server_message(failure)
        ) from failure
