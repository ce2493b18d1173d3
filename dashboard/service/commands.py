"""The commands ``headspace-activity service …``."""

from __future__ import annotations

import sys

import click

from aggregator.errors import ExtraMissingError
from aggregator.installation import PROGRAM, missing_package, this_installation
from aggregator.settings import OPTIONS, Settings, inherited
from dashboard.access.token import LINK_HINT, needs_token
from dashboard.command_line.listening import listen
from dashboard.command_line.settings_options import settings_from
from dashboard.errors import OutputError, ServiceError
from dashboard.service.launchd import Launchd
from dashboard.service.manager import ServiceManager
from dashboard.service.program import server_program
from dashboard.service.systemd import Systemd


@click.group()
def service() -> None:
    """Keep the server running in the background, by systemd or launchd."""


@service.command()
@settings_from(*(option.name for option in OPTIONS))
@click.option("--demo", is_flag=True, help="Show made-up activity, in a separate database.")
def install(settings: Settings, demo: bool) -> None:
    """Start the server now and after every login, with these options.

    Run it again to change the options. A server that fails is started again.
    """
    if package := missing_package("standalone"):
        raise ExtraMissingError("service", package, "standalone")
    manager = _manager()
    program = server_program(this_installation(), settings, inherited(), demo=demo)
    manager.check()
    if not manager.is_running():
        # Another server may be there, which the service would wait for in vain.
        listen(settings.host, settings.port).close()
    try:
        changed = manager.install(program)
    except OSError as failure:
        raise OutputError(manager.unit, failure.strerror or str(failure)) from None
    click.echo(f"{'Wrote' if changed else 'Unchanged:'} {manager.unit}")
    click.echo(f"Serving http://{settings.host}:{settings.port}/activity")
    if needs_token(settings):
        click.echo(LINK_HINT)
    click.echo(f"Log: {manager.log_command}")
    if manager.hint:
        click.echo(manager.hint)


@service.command()
def uninstall() -> None:
    """Stop the server, and do not start it again. The data stays."""
    manager = _manager()
    removed = manager.uninstall()
    click.echo(f"Removed {manager.unit}" if removed else "No service is installed")


@service.command()
@click.pass_context
def status(ctx: click.Context) -> None:
    """Print whether the service is running; exit with 1 if it is not."""
    manager = _manager()
    if not manager.unit.exists():
        click.echo(f"No service is installed; run: {PROGRAM} service install")
        ctx.exit(1)
    manager.check()
    running = manager.is_running()
    click.echo(f"{'Running' if running else 'Stopped'}: {manager.unit}")
    click.echo(f"Log: {manager.log_command}")
    ctx.exit(0 if running else 1)


def _manager() -> ServiceManager:
    match sys.platform:
        case "linux":
            return Systemd()
        case "darwin":
            return Launchd()
        case other:
            raise ServiceError(
                f"there is no service manager for {other}; expected systemd, launchd"
            )
