"""The options of the commands ``export``; what they mean is in :mod:`dashboard.export.command`."""

from __future__ import annotations

from collections.abc import Callable

import click


def export_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, which it gets by their names, with None for none."""
    options = (
        _option(
            "--chart",
            "CHART",
            "turns, turn-time, agents, pattern (weekday × hour), or all.",
            "turns",
        ),
        _option("--metric", "METRIC", "Of the pattern: turns, turn-time or agents.", "turns"),
        _option("--window", "WINDOW", "day, week or month of the calendar.", "day"),
        _option("--on", "DAY", "A day in it, such as 2026-11-16.", "today"),
        _option("--from", "DAY", "First day of another period."),
        _option("--to", "DAY", "Its last day."),
        _option("--tz", "ZONE", "Time zone, such as Europe/Berlin.", "this machine's"),
        _option("--project", "PROJECT", "Name or id of a project; repeatable.", "all", many=True),
        _option("--agent", "AGENT", "Name or id of an agent; repeatable.", "all", many=True),
        _option("--theme", "THEME", "light or dark.", "light"),
        _option("--width", "PIXELS", "From 300 to 4000.", "1200"),
        _option("--height", "PIXELS", "From 200 to 4000.", "500"),
        _option("--scale", "N", "Pixels of a PNG per pixel of these, from 1 to 4.", "2"),
        _option("--format", "FORMAT", "png, svg or pdf.", "as the file's name ends, else png"),
        _option(
            "--out",
            "PATH",
            "File, or folder with / at its end; for all charts a .pdf, a .zip or a folder.",
            "a name that says what it shows",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _option(
    flag: str, metavar: str, words: str, default: str | None = None, *, many: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    shown = f"{words}  [default: {default}]" if default else words
    return click.option(flag, metavar=metavar, multiple=many, help=shown)
