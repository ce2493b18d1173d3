"""What commands tell people on standard output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aggregator.passes import PassReport


def pass_line(report: PassReport | None) -> str:
    """One sentence about a pass; None is one that another process is making."""
    if report is None:
        return "Another process is making a pass right now"
    written = report.written
    return (
        f"Pass in {report.seconds:.1f} s: {written.agents:,} agent, {written.projects:,} project "
        f"and {written.overall:,} overall rows changed, {written.deleted + report.pruned:,} deleted"
    )


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
