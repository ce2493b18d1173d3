"""Save a picture to a file, for notebooks and scripts."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from aggregator.errors import ParameterError
from aggregator.parameters import one_of
from aggregator.query.overview import Overview
from dashboard.charts.activity_chart import names_in
from dashboard.labels import CHART_LABELS, METRIC_LABELS, PATTERN_LABELS, TURNS
from dashboard.pictures.formats import KINDS, Drawing
from dashboard.pictures.picture import PictureSize, Subject, picture_of
from dashboard.pictures.renderer import shared


def save_picture(
    overview: Overview,
    path: str | PathLike[str],
    metric: str = TURNS,
    *,
    pattern: bool = False,
    scope_name: str | None = None,
    scheme: str = "light",
    size: PictureSize | None = None,
) -> Path:
    """Draw a chart of the page and write it to a file.

    Args:
        overview: The metrics, see :func:`aggregator.notebook.load.load_overview`.
        path: Path of the file; its extension, ``.png``, ``.svg`` or ``.pdf``, is the format.
        metric: The chart, see :class:`dashboard.pictures.picture.Subject`.
        pattern: True for weekday and hour, False for the period.
        scope_name: The scope in words, for the title; by default taken from the overview.
        scheme: ``light`` or ``dark``.
        size: Size of the picture; by default that of the page's button.

    Returns:
        The path of the file.

    Raises:
        ParameterError: The extension or the metric is unknown.
        BrowserMissingError: There is no Chrome or Chromium.
        PicturePackageMissingError: Kaleido is not installed.
        PictureFailedError: The browser fails.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise ParameterError("path", str(path), "a name that ends in .png, .svg or .pdf")
    one_of(
        "metric", metric, tuple(PATTERN_LABELS if pattern else {**METRIC_LABELS, **CHART_LABELS})
    )
    size = size or PictureSize()
    chart = picture_of(
        overview,
        names_in(overview),
        Subject(metric, pattern),
        scope_name=scope_name or _scope_name(overview),
        scheme=scheme,
        size=size,
    )
    [content] = shared.draw([Drawing(chart, kind, size.scale)])
    path.write_bytes(content)
    return path


def _scope_name(overview: Overview) -> str:
    """Name the scope, as far as an overview knows the names."""
    name, origin = _name(overview), overview.scope.origin
    return f"{name}, {origin} agents" if origin else name


def _name(overview: Overview) -> str:
    kind, ids = overview.scope.kind, overview.scope.ids
    if kind == "overall":
        return "All projects"
    if len(ids) > 1:
        return f"{len(ids)} {kind}s"
    known = overview.projects if kind == "project" else overview.agents
    names = dict(zip(known[f"{kind}_id"].tolist(), known["name"], strict=True))
    return f"{kind.capitalize()} {names.get(ids[0], ids[0])}"
