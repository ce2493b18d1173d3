"""The command ``headspace-activity``.

Slow imports are inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from aggregator.errors import printable
from aggregator.settings import OPTIONS, Settings
from dashboard.command_line.backfill_options import parse_range, parse_workers, range_options
from dashboard.command_line.listening import listen
from dashboard.command_line.output import (
    OneLineGroup,
    backfill_line,
    log_to_terminal,
    pass_line,
    progress_on,
    status_lines,
)
from dashboard.command_line.settings_options import settings_from
from dashboard.export.options import export_options
from dashboard.service.commands import service

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from aggregator.transcripts.importer import ImportReport
    from dashboard.access.token import AccessToken


@click.group(
    "headspace-activity", cls=OneLineGroup, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="headspace-activity")
def main() -> None:
    """See what all your Claude Code agents are doing, and what they have done."""
    # A service manager stops us as cleanly as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log_to_terminal()


main.add_command(service)


@main.command()
@settings_from(*(option.name for option in OPTIONS))
@click.option("--demo", is_flag=True, help="Show made-up activity, in a separate database.")
def serve(settings: Settings, demo: bool) -> None:
    """Import transcripts, aggregate them and serve the page until Ctrl-C."""
    from aggregator.standalone.database import open_database
    from dashboard.access.control import control_access
    from dashboard.access.token import needed_token
    from dashboard.heaps import limit_heaps
    from dashboard.server import build_jobs, build_server

    limit_heaps()
    token = needed_token(settings)
    listener = listen(settings.host, settings.port)
    with listener, open_database(settings, purpose="serve", demo=demo) as engine:
        _fill(engine, settings, demo)
        jobs = build_jobs(engine, settings, demo=demo)
        click.echo(pass_line(jobs.aggregate_once()))
        server = build_server(engine, settings, demo=demo)
        control_access(server, token, settings.allowed_hosts)
        jobs.start()
        try:
            _serve_until_stopped(server, listener, _access_lines(settings, token))
        finally:
            click.echo("Stopping …")
            jobs.stop()


def _fill(engine: Engine, settings: Settings, demo: bool) -> None:
    if demo:
        from aggregator.standalone.demo import fill_with_demo

        zone = datetime.now().astimezone().tzinfo or UTC
        turns = fill_with_demo(engine, datetime.now(UTC), zone)
        click.echo(f"Made up {turns:,} turns of demo activity")
    else:
        _import_with_progress(engine, settings)


def _access_lines(settings: Settings, token: AccessToken | None) -> list[str]:
    """Say how to get in: the link itself once, and only to a person, not to a log."""
    from dashboard.access.token import LINK_HINT, access_link

    if token is None:
        return ["Everybody who can reach it can see the page"] if settings.insecure else []
    if token.is_new and sys.stdout.isatty():
        return [f"Open this link once in each browser: {access_link(settings, token)}"]
    return [LINK_HINT]


def _serve_until_stopped(server: Any, listener: socket.socket, access: list[str]) -> None:
    from dashboard.command_line.web_server import serve_until_stopped

    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/activity"
    lines = [*access, f"Activity: {address}  (Ctrl-C ends)"]
    serve_until_stopped(server, listener, lambda: click.echo("\n".join(lines)))


@main.command()
@settings_from("home", "host", "port")
def link(settings: Settings) -> None:
    """Print the link that lets a browser see a server on another address than 127.0.0.1.

    It holds the access token of the home folder. Delete the file access-token there, and
    start the server again, to have a new one.
    """
    from dashboard.access.token import AccessToken, access_link

    click.echo(access_link(settings, AccessToken.load(settings.home)))


@main.command("import")
@settings_from("home", "database_url", "transcripts", "titles")
def import_(settings: Settings) -> None:
    """Import transcripts once, then exit."""
    with _database(settings, "import") as engine:
        _import_with_progress(engine, settings)


def _import_with_progress(engine: Engine, settings: Settings) -> ImportReport:
    from aggregator.transcripts.importer import import_transcripts, noteworthy

    with click.progressbar(length=1, label="Importing transcripts") as bar:
        report = import_transcripts(
            engine,
            settings.transcripts,
            must_exist=settings.transcripts_given,
            progress=progress_on(bar),
            titles=settings.titles,
        )
    click.echo(
        f"Imported {report.turns:,} new turns from {report.files_read:,} of {report.files:,} "
        f"files in {report.seconds:.1f} s"
    )
    for kind, count in sorted(report.skipped.items()):
        click.echo(f"Skipped {count:,} × {printable(kind)}", err=True)
    for folder in noteworthy(report.missing, settings):
        click.echo(f"There is no folder {printable(str(folder))} with transcripts", err=True)
    return report


@main.command()
@settings_from("home", "database_url", "retention_days")
def aggregate(settings: Settings) -> None:
    """Make one pass over the turns, then exit.

    Without --retention-days, the pass uses the retention of the last pass, for example
    that of a running server.
    """
    from aggregator.jobs.scheduler import ActivityAggregator

    with _database(settings, "aggregate") as engine:
        settings = _with_last_retention(engine, settings)
        click.echo(pass_line(ActivityAggregator(engine, settings).aggregate_once()))


def _with_last_retention(engine: Engine, settings: Settings) -> Settings:
    """Use the retention of the last pass, unless the user gives one."""
    from aggregator.database.state import last_retention_days

    if settings.retention_given:
        return settings
    with engine.connect() as conn:
        days = last_retention_days(conn) or settings.retention_days
    return replace(settings, retention_days=days)


@main.command()
@settings_from("home", "database_url", "retention_days")
@range_options
def backfill(
    settings: Settings, since: str | None, until: str | None, workers: str | None, dask: str | None
) -> None:
    """Recompute a range of hours from their turns.

    Dates are days in UTC; the range is widened to whole hours. Without --retention-days,
    the retention is that of the last pass. You can stop the command at any time and run
    it again: finished hours stay finished.
    """
    from aggregator.passes.backfill import backfill as recompute

    chosen = parse_workers(workers, dask)
    with _database(settings, "backfill") as engine:
        days = _with_last_retention(engine, settings).retention_days
        start, end = parse_range(since, until, datetime.now(UTC), days)
        with click.progressbar(length=1, label="Recomputing hours") as bar:
            report = recompute(engine, start, end, workers=chosen, progress=progress_on(bar))
    click.echo(backfill_line(report))


@main.command()
@settings_from("home", "database_url", "retention_days")
def prune(settings: Settings) -> None:
    """Delete hourly metrics older than the retention, as every pass does.

    Without --retention-days, the retention is that of the last pass.
    """
    from aggregator.jobs.scheduler import ActivityAggregator

    with _database(settings, "prune") as engine:
        settings = _with_last_retention(engine, settings)
        pruned = ActivityAggregator(engine, settings).prune()
    click.echo(f"Pruned {pruned:,} rows older than {settings.retention_days} days")


@main.command()
@settings_from("home", "database_url", "retention_days")
@click.option("--demo", is_flag=True, help="Draw the made-up activity of serve --demo.")
@export_options
def export(settings: Settings, demo: bool, **given: Any) -> None:
    """Save one chart of the page, or all of them, as PNG, SVG or PDF.

    Without --retention-days, the retention is that of the last pass.
    """
    from aggregator.query.reader import MetricReader
    from dashboard.export.command import read_options, write_export

    options = read_options(given)
    with _database(settings, "export", demo=demo) as engine:
        days = _with_last_retention(engine, settings).retention_days
        for path in write_export(options, MetricReader(engine), datetime.now(UTC), days):
            click.echo(f"Wrote {path}")


@main.command()
@settings_from("home", "database_url")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(settings: Settings, as_json: bool) -> None:
    """Print what is running, what was read, and how fresh the metrics are."""
    from aggregator.query.status import read_status

    with _database(settings, "status") as engine, engine.connect() as conn:
        facts = read_status(conn, datetime.now(UTC))
    click.echo(json.dumps(facts, indent=2) if as_json else "\n".join(status_lines(facts)))


@main.command()
@settings_from("home", "database_url", "transcripts", "titles")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--watch", "again", is_flag=True, help="Print it anew every 2 seconds, until Ctrl-C.")
def now(settings: Settings, as_json: bool, again: bool) -> None:
    """Print which agents wait for you, the longest wait first, and who works.

    What is new in the transcripts is imported first.
    """
    from aggregator.jobs.live_import import LiveImport
    from aggregator.query.reader import MetricReader
    from dashboard.api.json_answers import now_json
    from dashboard.command_line.now import now_lines, watch

    with _database(settings, "now") as engine:
        reader, live = MetricReader(engine), LiveImport(engine, settings, lambda: None)

        def read() -> str:
            live.poll()
            at = datetime.now(UTC)
            states = reader.now(at)
            return json.dumps(now_json(states, at)) if as_json else "\n".join(now_lines(states, at))

        if again:
            watch(read, as_list=not as_json)
        else:
            click.echo(read())


@contextmanager
def _database(settings: Settings, purpose: str, *, demo: bool = False) -> Iterator[Engine]:
    from aggregator.standalone.database import open_database

    with open_database(settings, purpose=purpose, demo=demo) as engine:
        yield engine
