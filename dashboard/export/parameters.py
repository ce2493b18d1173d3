"""What an export is asked for, read strictly: nothing is drawn that was not meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from re import fullmatch
from zoneinfo import ZoneInfo

from aggregator.errors import ParameterError
from aggregator.metrics.periods import custom_period
from aggregator.metrics.windows import LONGEST
from aggregator.parameters import one_of
from dashboard.labels import LABELS
from dashboard.pictures.formats import KINDS
from dashboard.pictures.picture import REPORT, PictureSize, Subject
from dashboard.selection.view import ADDRESS_PARAMETERS, View, read_parameter

PATTERN, ALL = "pattern", "all"
CHARTS = (*LABELS, PATTERN, ALL)
BUNDLES = ("pdf", "zip")
"""One file with all of a report."""
THEMES = ("light", "dark")
WIDTHS, HEIGHTS, SCALES = (300, 4000), (200, 4000), (1, 4)
MOST_PIXELS = 32_000_000
"""Of a picture: the browser holds each in four bytes, and more than once."""
OWN = ("theme", "width", "height", "scale")


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be drawn, and how.

    Attributes:
        view: Of whom and when; its metric counts for a single heatmap only.
        chart: One of :data:`CHARTS`.
        kind: Of each picture, one of :data:`KINDS`.
        bundle: For all charts in one file, one of :data:`BUNDLES`; or None.
        size: Of each picture.
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
        """What the pictures show."""
        if self.chart == ALL:
            return REPORT
        return (
            Subject(self.view.metric, pattern=True)
            if self.chart == PATTERN
            else Subject(self.chart),
        )


def read_name(name: str) -> tuple[str, str, str | None]:
    """What a file is called to have it drawn: chart, kind and bundle of ``turns.png``.

    Raises:
        ParameterError: There is no such chart, or not in this format.
    """
    chart, _, ending = name.partition(".")
    chart = one_of("chart", chart, CHARTS)
    if chart != ALL:
        return chart, one_of("format", ending, KINDS), None
    bundle = one_of("format", ending, BUNDLES)
    return chart, "png" if bundle == "zip" else bundle, bundle


def read_export(chart: str, kind: str, bundle: str | None, raw: Mapping[str, str]) -> Export:
    """Read the parameters of an export: those of the page, and how it is to look.

    Args:
        chart: See :class:`Export`.
        kind: See :class:`Export`.
        bundle: See :class:`Export`.
        raw: Texts by name of their parameter.

    Raises:
        ParameterError: One is unknown, malformed, or contradicts another.
    """
    for name, text in raw.items():
        if name not in ADDRESS_PARAMETERS and name not in OWN:
            allowed = f"one of the parameters {', '.join([*ADDRESS_PARAMETERS, *OWN])}"
            raise ParameterError(name, text, allowed)
    return Export(
        view=read_view({name: text for name, text in raw.items() if name in ADDRESS_PARAMETERS}),
        chart=chart,
        kind=kind,
        bundle=bundle,
        size=read_size(raw, kind),
        theme=one_of("theme", raw.get("theme", THEMES[0]), THEMES),
    )


def read_view(raw: Mapping[str, str]) -> View:
    """Read a view, in which nothing is left to the page's discretion.

    Raises:
        ParameterError: A parameter is malformed, or contradicts another.
    """
    view = View(**dict(read_parameter(name, text) for name, text in raw.items()))
    if view.window != "custom":
        for name in ("from", "to"):
            if name in raw:
                raise ParameterError(name, raw[name], "it only together with window=custom")
        return view
    if view.on is not None:
        raise ParameterError("on", raw["on"], "no day beside window=custom")
    if view.first is None or view.last is None:
        raise ParameterError("window", "custom", "from and to beside it")
    try:
        custom_period(view.first, view.last, ZoneInfo("UTC"))
    except ParameterError:
        allowed = f"a first day and a last one, at most {LONGEST.days} days in all"
        raise ParameterError("from", f"{raw['from']} to {raw['to']}", allowed) from None
    return view


def read_size(raw: Mapping[str, str], kind: str) -> PictureSize:
    """Read the size of a picture; one of pixels has two for each of a screen by default.

    Raises:
        ParameterError: A number is none, or too small or too large.
    """
    usual = PictureSize() if kind == "png" else PictureSize(scale=1)
    width = int(_number("width", raw.get("width", str(usual.width)), WIDTHS))
    height = int(_number("height", raw.get("height", str(usual.height)), HEIGHTS))
    scale = _number("scale", raw.get("scale", f"{usual.scale:g}"), SCALES, decimals=True)
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
