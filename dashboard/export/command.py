"""The work of the commands ``export``, the same on its own and on a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal import get_localzone

from aggregator.errors import ParameterError, SettingError
from aggregator.parameters import one_of
from aggregator.query.names import find_ids
from aggregator.query.reader import MetricReader
from dashboard.context import PageContext
from dashboard.export.files import make_files
from dashboard.export.parameters import CHARTS, Export, read_export
from dashboard.export.target import Target, check_folder, find_target, write
from dashboard.pictures.renderer import Renderer, shared
from dashboard.selection.view import View

VIEW_OPTIONS = ("metric", "window", "on", "from", "to", "tz", "theme", "width", "height", "scale")
"""Options that mean what an address means by the same name."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the options of a command say.

    Attributes:
        export: What is to be drawn, but for whom.
        target: Where it goes.
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
        SettingError: One is malformed, or contradicts another.
        OutputError: There is no folder to write to.
    """
    raw = {name: given[name] for name in VIEW_OPTIONS if given[name] is not None}
    for name, other in (("from", "to"), ("to", "from")):
        if name in raw and other not in raw:
            raise SettingError(f"--{other}", "", f"a day beside --{name}")
    if "from" in raw:
        if "window" in raw:
            raise SettingError("--window", raw["window"], "no window beside --from and --to")
        raw["window"] = "custom"
    try:
        chart = one_of("chart", given["chart"] or CHARTS[0], CHARTS)
        target = find_target(chart, given["out"], given["format"])
        export = read_export(chart, target.kind, target.bundle, raw)
    except ParameterError as wrong:
        raise _as_option(wrong) from None
    check_folder(target)
    return ExportOptions(export, target, given["project"], given["agent"])


def write_export(
    wanted: ExportOptions,
    reader: MetricReader,
    now: datetime,
    retention_days: int,
    renderer: Renderer = shared,
) -> list[Path]:
    """Draw and write; tell which files.

    Args:
        wanted: What and where.
        reader: Where the metrics come from.
        now: The present.
        retention_days: For how long metrics are kept.
        renderer: Draws.

    Raises:
        SettingError: The period is in the future.
        UnknownNameError: A project or agent is not known by this name.
        OutputError: A file cannot be written.
        ActivityError: What :func:`dashboard.export.files.make_files` raises.
    """
    export = replace(wanted.export, view=_named(wanted, reader))
    context = PageContext(retention_days)
    try:
        files = make_files(export, reader, local_zone(), now, context=context, renderer=renderer)
    except ParameterError as wrong:
        raise _as_option(wrong) from None
    return write(files, wanted.target)


def _named(wanted: ExportOptions, reader: MetricReader) -> View:
    view = wanted.export.view
    if not wanted.projects and not wanted.agents:
        return view
    projects, agents = reader.everyone()
    chosen = find_ids(wanted.projects or None, projects, "project")
    if chosen:
        agents = agents[agents["project_id"].isin(chosen)]
    return replace(view, projects=chosen, agents=find_ids(wanted.agents or None, agents, "agent"))


def local_zone() -> ZoneInfo:
    """This machine's time zone; UTC where it has none with a name."""
    name = getattr(get_localzone(), "key", None) or "UTC"
    # Debian calls it so on a machine that was never told where it is.
    return ZoneInfo("UTC" if name == "Etc/UTC" else name)


def _as_option(wrong: ParameterError) -> SettingError:
    return SettingError(f"--{wrong.name}", wrong.value, wrong.allowed)
