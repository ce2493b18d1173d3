"""Read the parameters of an export strictly: a typo must not draw a different picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from re import fullmatch
from zoneinfo import ZoneInfo

from aggregator.errors import (
    ConflictingParametersError,
    MissingParameterError,
    ParameterError,
    UnknownParameterError,
)
from aggregator.metrics.periods import LAST_24_HOURS, custom_period
from aggregator.metrics.windows import LONGEST
from aggregator.parameters import one_of
from dashboard.labels import CHART_LABELS, METRIC_LABELS
from dashboard.pictures.formats import KINDS
from dashboard.pictures.picture import REPORT, PictureSize, Subject
from dashboard.selection.address import ADDRESS_PARAMETERS, read_parameter
from dashboard.selection.view import WITH_STEPS, View, implied

PATTERN, ALL = "pattern", "all"
CHARTS = (*METRIC_LABELS, *CHART_LABELS, PATTERN, ALL)
BUNDLES = ("pdf", "zip")
"""Formats of a file that holds a whole report."""
THEMES = ("light", "dark")
WIDTHS, HEIGHTS, SCALES = (300, 4000), (200, 4000), (1, 4)
MOST_PIXELS = 32_000_000
"""Limit of one picture: the browser holds four bytes per pixel, and several copies."""
FITTING_WINDOWS: Mapping[str, tuple[str, ...]] = {
    "until": (LAST_24_HOURS,),
    "step": WITH_STEPS,
    "hour": WITH_STEPS,
    "from": ("custom",),
    "to": ("custom",),
}
"""Windows that a parameter fits, if not all."""
PICTURE_PARAMETERS = ("theme", "width", "height", "scale")
"""Parameters of an export that the page's address does not have."""


@dataclass(frozen=True, slots=True)
class Export:
    """A request for pictures: what to draw, and how.

    Attributes:
        view: Scope and period; its metric matters for a single heatmap only.
        chart: One of :data:`CHARTS`.
        kind: Format of each picture, one of :data:`KINDS`.
        bundle: Format of one file with all charts, one of :data:`BUNDLES`; or None.
        size: Size of each picture.
        theme: ``light`` or ``dark``.
    """

    view: View
    chart: str
    kind: str
    bundle: str | None
    size: PictureSize
    theme: str

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The subject of each picture, in order."""
        if self.chart == ALL:
            return REPORT
        return (
            Subject(self.view.pattern_metric, pattern=True)
            if self.chart == PATTERN
            else Subject(self.chart),
        )


def read_name(name: str) -> tuple[str, str, str | None]:
    """Read chart, kind and bundle from the name of a file, such as ``turns.png``.

    Raises:
        ParameterError: There is no such chart, or not in this format.
    """
    chart, _, extension = name.partition(".")
    chart = one_of("chart", chart, CHARTS)
    if chart != ALL:
        return chart, one_of("format", extension, KINDS), None
    bundle = one_of("format", extension, BUNDLES)
    return chart, "png" if bundle == "zip" else bundle, bundle


def read_export(chart: str, kind: str, bundle: str | None, raw: Mapping[str, str]) -> Export:
    """Read the parameters of an export: those of the page, and those of its look.

    Args:
        chart: See :class:`Export`.
        kind: See :class:`Export`.
        bundle: See :class:`Export`.
        raw: Texts of the parameters by name.

    Raises:
        UnknownParameterError: There is no such parameter.
        ParameterError: A parameter is malformed.
        ConflictingParametersError: Two parameters exclude each other.
        MissingParameterError: A parameter needs another one.
    """
    for name in raw:
        if name not in ADDRESS_PARAMETERS and name not in PICTURE_PARAMETERS:
            raise UnknownParameterError(name, (*ADDRESS_PARAMETERS, *PICTURE_PARAMETERS))
    return Export(
        view=read_view({name: text for name, text in raw.items() if name in ADDRESS_PARAMETERS}),
        chart=chart,
        kind=kind,
        bundle=bundle,
        size=read_size(raw, kind),
        theme=one_of("theme", raw.get("theme", THEMES[0]), THEMES),
    )


def read_view(raw: Mapping[str, str]) -> View:
    """Read a view strictly; the page would replace what makes no sense by a default.

    Raises:
        ParameterError: A parameter is malformed.
        ConflictingParametersError: Two parameters exclude each other.
        MissingParameterError: A parameter needs another one.
    """
    given = dict(read_parameter(name, text) for name, text in raw.items())
    view = implied(View(**given), given)
    for name, windows in FITTING_WINDOWS.items():
        if name in raw and view.window not in windows:
            raise MissingParameterError(name, f"window={' or '.join(windows)}")
    if "on" in raw and view.window == LAST_24_HOURS:
        raise ConflictingParametersError("on", f"window={LAST_24_HOURS}")
    if view.window != "custom":
        return view
    if view.on is not None:
        raise ConflictingParametersError("on", "window=custom")
    if view.first is None or view.last is None:
        raise MissingParameterError("window=custom", "from", "to")
    try:
        custom_period(view.first, view.last, ZoneInfo("UTC"))
    except ParameterError:
        allowed = f"a first day and a last one, at most {LONGEST.days} days in all"
        raise ParameterError("from", f"{raw['from']} to {raw['to']}", allowed) from None
    return view


def read_size(raw: Mapping[str, str], kind: str) -> PictureSize:
    """Read the size of a picture; the default scale is 2 for PNG and 1 for SVG and PDF.

    Raises:
        ParameterError: A text is not a number, or the number is too small or too large.
    """
    default = PictureSize() if kind == "png" else PictureSize(scale=1)
    width = int(_number("width", raw.get("width", str(default.width)), WIDTHS))
    height = int(_number("height", raw.get("height", str(default.height)), HEIGHTS))
    scale = _number("scale", raw.get("scale", f"{default.scale:g}"), SCALES, decimals=True)
    if width * height * scale**2 > MOST_PIXELS:
        allowed = f"at most {MOST_PIXELS // 10**6} million pixels: width × height × scale × scale"
        raise ParameterError("scale", f"{scale:g}", allowed)
    return PictureSize(width, height, scale)


def _number(name: str, text: str, bounds: tuple[int, int], *, decimals: bool = False) -> float:
    low, high = bounds
    form = r"[0-9]{1,4}(\.[0-9]{1,3})?" if decimals else r"[0-9]{1,4}"
    if not (fullmatch(form, text) and low <= float(text) <= high):
        kind = "a number" if decimals else "a whole number"
        raise ParameterError(name, text, f"{kind} from {low} to {high}")
    return float(text)
