"""Make the files of an export: read the metrics once, then draw."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from aggregator.errors import ParameterError, UnknownScopeError
from aggregator.metrics.periods import (
    CALENDAR,
    LAST_24_HOURS,
    calendar_period,
    rolling_period,
)
from aggregator.metrics.periods import today as local_day
from aggregator.query.overview import Overview
from aggregator.query.reader import MetricReader
from dashboard.charts import titles
from dashboard.context import PageContext
from dashboard.export.bundles import File, one_pdf, one_zip
from dashboard.export.parameters import Export
from dashboard.labels import ONE_AGENT
from dashboard.pictures.formats import Drawing
from dashboard.pictures.picture import heading, picture_of
from dashboard.pictures.renderer import Renderer
from dashboard.selection.answer import Answer, Viewer, read_answer
from dashboard.selection.view import View


def make_files(
    export: Export,
    reader: MetricReader,
    zone: ZoneInfo,
    now: datetime,
    *,
    context: PageContext,
    renderer: Renderer,
) -> list[File]:
    """Draw the pictures of an export.

    Args:
        export: What to draw.
        reader: Reads the metrics.
        zone: The time zone if the view names none.
        now: The current time.
        context: Holds the retention.
        renderer: Draws the pictures.

    Returns:
        One file per picture, or a single file with all of them.

    Raises:
        ParameterError: The period is in the future, the hour outside of the period, or a
            timeline not of one agent.
        UnknownScopeError: There is no such project or agent.
        BrowserMissingError: There is no Chrome or Chromium.
        PicturePackageMissingError: A package is not installed.
        PictureFailedError: The browser fails.
        PicturesBusyError: Too many other calls are waiting.
    """
    answer = _read(export, reader, zone, now, context)
    overview, name = answer.overview, answer.choices.scope_name(answer.view)
    contents = renderer.draw(_drawings(export, answer, name))
    files = [
        File(
            name=f"{titles.filename(subject.seen(overview), name, subject.name)}.{export.kind}",
            title=heading(overview, subject, name)[0],
            content=content,
        )
        for subject, content in zip(export.subjects, contents, strict=True)
    ]
    return [_bundled(files, export.bundle, overview, name)] if export.bundle else files


def _read(
    export: Export, reader: MetricReader, zone: ZoneInfo, now: datetime, context: PageContext
) -> Answer:
    view = export.view
    if export.chart == ONE_AGENT and len(view.agents) != 1:
        raise ParameterError("chart", ONE_AGENT, "this chart only with exactly one agent")
    _check_begun(view, ZoneInfo(view.zone) if view.zone else zone, now)
    answer = read_answer(reader, view, Viewer(zone, export.theme), now, context)
    for kind, requested, known in (
        ("project", view.projects, answer.view.projects),
        ("agent", view.agents, answer.view.agents),
    ):
        missing = sorted(set(requested) - set(known))
        if missing:
            raise UnknownScopeError(kind, *missing)
    if view.hour and not answer.view.hour:
        raise ParameterError("hour", f"{view.hour:%FT%H:%MZ}", "an hour of the period so far")
    return answer


def _check_begun(view: View, zone: ZoneInfo, now: datetime) -> None:
    """Refuse a period in the future: the page would show the current one."""
    today = local_day(now, zone)
    if view.on and view.window in CALENDAR:
        begins = calendar_period(view.window, view.on, zone).first
    else:
        begins = view.on or today
    if view.on and begins > today:
        raise ParameterError("on", view.on.isoformat(), f"a day up to {today}, today in {zone.key}")
    newest = rolling_period(LAST_24_HOURS, now, zone).until
    if view.until and view.until > newest:
        allowed = f"an instant up to {newest:%FT%H:%MZ}, the end of the running hour"
        raise ParameterError("until", f"{view.until:%FT%H:%MZ}", allowed)


def _drawings(export: Export, answer: Answer, scope_name: str) -> list[Drawing]:
    charts = (
        picture_of(
            answer.overview,
            answer.choices.project_names,
            subject,
            scope_name=scope_name,
            scheme=export.theme,
            size=export.size,
        )
        for subject in export.subjects
    )
    return [Drawing(chart, export.kind, export.size.scale) for chart in charts]


def _bundled(files: list[File], bundle: str, overview: Overview, scope_name: str) -> File:
    title = titles.title("Activity", f"{scope_name} · {titles.subtitle(overview)}")
    content = (
        one_pdf(files, title)
        if bundle == "pdf"
        else one_zip(files, overview.window.as_of.astimezone(overview.period.zone))
    )
    return File(f"{titles.filename(overview, scope_name, 'report')}.{bundle}", title, content)
