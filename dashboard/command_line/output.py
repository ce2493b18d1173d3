"""The output of commands, and their errors: one line each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from aggregator.passes.backfill import BackfillReport
    from aggregator.passes.run import PassReport
    from aggregator.passes.write.metrics import Written

import click

from aggregator.errors import ActivityError, ExtraMissingError, printable
from aggregator.installation import extra_with


def pass_line(report: PassReport | None) -> str:
    """Describe a pass in one sentence; None means that another process is making one."""
    if report is None:
        return "Another process is making a pass right now"
    deleted = report.written.deleted + report.pruned
    return f"Pass in {report.seconds:.1f} s: {_changes(report.written)}, {deleted:,} deleted"


def backfill_line(report: BackfillReport) -> str:
    """Describe a backfill in one sentence."""
    return (
        f"Recomputed {report.hours:,} hours in {report.seconds:.1f} s: "
        f"{_changes(report.written)}, {report.written.deleted:,} deleted"
    )


def _changes(written: Written) -> str:
    return (
        f"{written.agents:,} agent, {written.projects:,} project and {written.overall:,} "
        "overall rows changed"
    )


def progress_on(bar: Any) -> Callable[[int, int], None]:
    """Return a callback that reports progress, done and total, to a progress bar of click."""

    def show(done: int, total: int) -> None:
        bar.length = max(total, 1)
        bar.update(done - bar.pos)

    return show


def status_lines(facts: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Format nested facts as indented lines."""
    for name, value in facts.items():
        label = printable(name.replace("_", " "))
        if isinstance(value, dict) and value:
            yield f"{indent}{label}:"
            yield from status_lines(value, indent + "  ")
        elif isinstance(value, list):
            commands = ", ".join(f"{row['command']} (pid {row['pid']})" for row in value)
            yield f"{indent}{label}: {commands or 'nothing'}"
        else:
            shown = "none" if value in (None, {}) else printable(str(value))
            yield f"{indent}{label}: {shown}"


class PrintableFormatter(logging.Formatter):
    """A formatter of log lines whose messages cannot forge a line or control a terminal.

    Names of files and answers of other programs get into messages, of our own and of
    libraries. Tracebacks keep their lines.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Format a record on one line."""
        record.message = printable(record.message)
        return super().formatMessage(record)


def log_to_terminal() -> None:
    """Log to standard error, of libraries only what deserves attention."""
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("alembic", "apscheduler", "waitress", "watchfiles"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # How many requests wait for a thread, one line for each.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


class OneLineGroup(click.Group):
    """A group whose commands print an :class:`ActivityError` in one line and exit 1.

    A missing package of one of our extras is such an error, too.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ActivityError as error:
            _fail(ctx, self.name, error)
        except ModuleNotFoundError as missing:
            extra = extra_with(missing.name or "")
            if extra is None:
                raise
            feature = ctx.invoked_subcommand or self.name or ""
            _fail(ctx, self.name, ExtraMissingError(feature, missing.name or "", extra))


def _fail(ctx: click.Context, name: str | None, error: ActivityError) -> NoReturn:
    click.echo(f"{name}: {error}", err=True)
    ctx.exit(1)
