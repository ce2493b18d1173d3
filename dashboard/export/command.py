"""The work of ``headspace-activity export`` and ``flask activity export``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal import get_localzone

from aggregator.errors import (
    ConflictingParametersError,
    MissingParameterError,
    ParameterError,
    SettingError,
)
from aggregator.metrics.periods import CALENDAR, ROLLING
from aggregator.parameters import one_of
from aggregator.query.agents.names import find_ids
from aggregator.query.reader import MetricReader
from dashboard.context import PageContext
from dashboard.export.files import make_files
from dashboard.export.parameters import CHARTS, Export, read_export
from dashboard.export.target import Target, check_folder, find_target, write
from dashboard.pictures.renderer import Renderer, shared
from dashboard.selection.view import View

VIEW_OPTIONS = (
    *("metric", "pattern", "window", "on", "until", "from", "to"),
    *("step", "hour", "tz", "origin", "theme", "width", "height", "scale"),
)
"""Options with the meaning of the address parameter of that name."""
PERIODS = (*CALENDAR, *ROLLING)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """The parsed options of the command.

    Attributes:
        export: What to draw, without projects and agents.
        target: Where to write it.
        projects: Names or ids.
        agents: Names or ids.
    """

    export: Export
    target: Target
    projects: tuple[str, ...]
    agents: tuple[str, ...]


def read_options(given: Mapping[str, Any]) -> ExportOptions:
    """Read the options of :func:`dashboard.export.options.export_options`.

    Raises:
        SettingError: An option is malformed.
        ConflictingParametersError: Two options exclude each other.
        MissingParameterError: An option needs another one.
        OutputError: There is no folder to write to.
    """
    raw = {name: given[name] for name in VIEW_OPTIONS if given[name] is not None}
    for name, other in (("from", "to"), ("to", "from")):
        if name in raw and other not in raw:
            raise MissingParameterError(f"--{name}", f"--{other}")
    if "from" in raw:
        for name in ("window", "on", "until"):
            if name in raw:
                raise ConflictingParametersError(f"--{name}", "--from", "--to")
        raw["window"] = "custom"
    try:
        raw.setdefault("window", CALENDAR[0])
        one_of("window", given["window"] or CALENDAR[0], PERIODS)
        chart = one_of("chart", given["chart"] or CHARTS[0], CHARTS)
        target = find_target(chart, given["out"], given["format"])
        export = read_export(chart, target.kind, target.bundle, raw)
    except ParameterError as wrong:
        raise _as_option(wrong) from None
    check_folder(target)
    return ExportOptions(export, target, given["project"], given["agent"])


def write_export(
    options: ExportOptions,
    reader: MetricReader,
    now: datetime,
    retention_days: int,
    renderer: Renderer = shared,
) -> list[Path]:
    """Draw the pictures and write them; return the paths of the files.

    Args:
        options: What to draw, and where to write it.
        reader: Reads the metrics.
        now: The current time.
        retention_days: Days for which metrics are retained.
        renderer: Draws the pictures.

    Raises:
        SettingError: The period is in the future.
        UnknownNameError: No project or agent has this name.
        OutputError: A file cannot be written.
        ActivityError: Any other error of :func:`dashboard.export.files.make_files`.
    """
    export = replace(options.export, view=_scoped_view(options, reader))
    context = PageContext(retention_days)
    try:
        files = make_files(export, reader, local_zone(), now, context=context, renderer=renderer)
    except ParameterError as wrong:
        raise _as_option(wrong) from None
    return write(files, options.target)


def _scoped_view(options: ExportOptions, reader: MetricReader) -> View:
    view = options.export.view
    if not options.projects and not options.agents:
        return view
    projects, agents = reader.everyone()
    chosen = find_ids(options.projects or None, projects, "project")
    if chosen:
        agents = agents[agents["project_id"].isin(chosen)]
    return replace(view, projects=chosen, agents=find_ids(options.agents or None, agents, "agent"))


def local_zone() -> ZoneInfo:
    """Return this machine's time zone, or UTC if its zone has no name."""
    name = getattr(get_localzone(), "key", None) or "UTC"
    # Debian's default on a machine without a configured time zone.
    return ZoneInfo("UTC" if name == "Etc/UTC" else name)


def _as_option(wrong: ParameterError) -> SettingError:
    return SettingError(f"--{wrong.name}", wrong.value, wrong.allowed)
