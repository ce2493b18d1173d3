"""The options of both ``export`` commands; :mod:`dashboard.export.command` reads them."""

from __future__ import annotations

from collections.abc import Callable

import click


def export_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options; it gets them by name, None if not given."""
    options = (
        _option(
            "--chart",
            "CHART",
            "Chart to draw: time, agents-at-work, turns, turn-time, agents, capacity, timeline (of "
            "one agent), pattern (weekday × hour), or all.",
            "time",
        ),
        _option(
            "--metric", "METRIC", "Metric of the pattern: time, turns, turn-time or agents.", "time"
        ),
        _option(
            "--pattern",
            "KIND",
            "Time in the pattern of the metric time: working or waiting.",
            "working",
        ),
        _option(
            "--window",
            "WINDOW",
            "Period: day, week or month of the calendar; last-24-hours, last-7-days or "
            "last-30-days.",
            "day",
        ),
        _option("--on", "DAY", "Any day in that period, such as 2026-11-16.", "today"),
        _option("--until", "INSTANT", "End of last-24-hours, such as 2026-11-16T14:00Z.", "now"),
        _option("--from", "DAY", "First day of a custom period."),
        _option("--to", "DAY", "Last day of a custom period."),
        _option("--step", "STEP", "Bars of a day or of 24 hours: hour, 15min or 5min.", "hour"),
        _option("--hour", "INSTANT", "Only the minutes of this hour of that day or 24 hours."),
        _option("--tz", "ZONE", "Time zone, such as Europe/Berlin.", "this machine's"),
        _option("--project", "PROJECT", "Name or id of a project; repeatable.", "all", many=True),
        _option("--agent", "AGENT", "Name or id of an agent; repeatable.", "all", many=True),
        _option("--origin", "ORIGIN", "Only interactive or only automated agents.", "all"),
        _option("--theme", "THEME", "Colours: light or dark.", "light"),
        _option("--width", "PIXELS", "Width of the picture, from 300 to 4000.", "1200"),
        _option("--height", "PIXELS", "Height of the picture, from 200 to 4000.", "500"),
        _option("--scale", "N", "PNG pixels per pixel of width and height, from 1 to 4.", "2"),
        _option("--format", "FORMAT", "png, svg or pdf.", "the extension of the file, or else png"),
        _option(
            "--out",
            "PATH",
            "File, or folder ending in /; for all charts a .pdf, a .zip or a folder.",
            "a name that describes the picture",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _option(
    flag: str, metavar: str, meaning: str, default: str | None = None, *, many: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    text = f"{meaning}  [default: {default}]" if default else meaning
    return click.option(flag, metavar=metavar, multiple=many, help=text)
