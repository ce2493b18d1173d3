"""What commands print, and how they fail: one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggregator.passes.backfill import BackfillReport
    from aggregator.passes.run import PassReport
    from aggregator.passes.write import Written


from typing import NoReturn

import click

from aggregator.errors import ActivityError


def pass_line(report: PassReport | None) -> str:
    """One sentence about a pass; None is one that another process is making."""
    if report is None:
        return "Another process is making a pass right now"
    deleted = report.written.deleted + report.pruned
    return f"Pass in {report.seconds:.1f} s: {_changes(report.written)}, {deleted:,} deleted"


def backfill_line(report: BackfillReport) -> str:
    """One sentence about a backfill."""
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
    """What tells one of click's progress bars how much is done, and of how much."""

    def show(done: int, total: int) -> None:
        bar.length = max(total, 1)
        bar.update(done - bar.pos)

    return show


def status_lines(facts: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Nested facts as indented lines."""
    for name, value in facts.items():
        words = name.replace("_", " ")
        if isinstance(value, dict) and value:
            yield f"{indent}{words}:"
            yield from status_lines(value, indent + "  ")
        elif isinstance(value, list):
            shown = ", ".join(f"{row['command']} (pid {row['pid']})" for row in value)
            yield f"{indent}{words}: {shown or 'nothing'}"
        else:
            yield f"{indent}{words}: {'none' if value in (None, {}) else value}"


class OneLineGroup(click.Group):
    """A group whose commands exit 1 with the message of an :class:`ActivityError`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ActivityError as error:
            _end(ctx, self.name, error)


def _end(ctx: click.Context, name: str | None, error: ActivityError) -> NoReturn:
    click.echo(f"{name}: {error}", err=True)
    ctx.exit(1)
