"""The page's charts as pictures, with a title that says what they show.

Pure Plotly: an overview in, a figure out, which a notebook can show and write to a file.
The page's buttons, the command ``export`` and ``/activity/export`` all save these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import plotly.graph_objects as go

from aggregator.query.overview import Overview
from dashboard.charts import titles
from dashboard.charts.activity_chart import chart_of
from dashboard.charts.figure_types import Chart
from dashboard.charts.heatmap import heatmap_of
from dashboard.charts.time.capacity_chart import capacity_chart_of
from dashboard.charts.time.timeline import timeline_of
from dashboard.charts.time.work_chart import work_chart_of
from dashboard.labels import (
    AT_WORK,
    LABELS,
    METRIC_LABELS,
    ONE_AGENT,
    OPEN_AGENTS,
    PATTERN_LABELS,
    TIME,
    TURNS,
)
from dashboard.pictures.text_fitting import fitted, row_count, text_width

EDGE = 24
"""Pixels to the left and right of the title."""
TITLE_FONT, SUBTITLE_FONT, LEGEND_FONT = 18, 13, 12
TITLE_TOP = 35
"""Pixels from the top to the baseline of the title's first line."""
TITLE_ROOM = 72
"""Pixels above the chart for a title and a subtitle of one line each."""
LINE_HEIGHT = 1.3
CAP_SHIFT = 0.7
"""Plotly lowers the baseline of a title by this, in em, if it has only one line."""
MOST_LINES = 2
QUIET = {
    "text": "No turns in this period",
    "x": 0.5,
    "y": 0.5,
    "xref": "paper",
    "yref": "paper",
    "showarrow": False,
    "font": {"size": 15},
}
"""Annotation of an empty chart; the page shows its empty state instead."""
LOW = 300
"""Height in pixels below which a picture has no room for a legend."""
LEGEND_ROW, LEGEND_SIGN = 19, 40
"""Pixels of a row's height, and of the symbol and gaps around each name."""
LEGEND_ROWS = 2
"""Rows of a legend for which the page's charts have room."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """The size of a picture.

    Attributes:
        width: In pixels of the layout, in which text is 12 pixels high.
        height: In pixels of the layout.
        scale: Pixels of the picture per pixel of the layout.
    """

    width: int = 1200
    height: int = 500
    scale: float = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a picture: a metric or another chart, or a heatmap by weekday and hour.

    Attributes:
        metric: One of :data:`dashboard.labels.METRIC_LABELS` or
            :data:`dashboard.labels.CHART_LABELS`; of a heatmap, one of
            :data:`dashboard.labels.PATTERN_LABELS`.
        pattern: True for weekday and hour, False for the period.
    """

    metric: str
    pattern: bool = False

    @property
    def name(self) -> str:
        """The name in file names: ``turns``, ``pattern-turns``."""
        return f"pattern-{self.metric}" if self.pattern else self.metric

    def seen(self, overview: Overview) -> Overview:
        """Return an overview with the buckets that a picture of this subject shows."""
        by_bucket = not self.pattern and (self.metric in METRIC_LABELS or self.metric == AT_WORK)
        return overview.zoomed() if by_bucket else overview


OTHERS: Mapping[str, Callable[[Overview, str], Chart]] = {
    AT_WORK: work_chart_of,
    OPEN_AGENTS: capacity_chart_of,
    ONE_AGENT: timeline_of,
}
"""Charts beside those of metrics."""
REPORT = (
    *(Subject(name) for name in (TIME, AT_WORK, *LABELS, OPEN_AGENTS)),
    *(Subject(name, pattern=True) for name in PATTERN_LABELS),
)
"""The subjects of a report, in order; a timeline, which is of one agent, is none of them."""


def picture(
    overview: Overview,
    names: Mapping[int, str],
    subject: Subject = Subject(TURNS),
    *,
    scope_name: str = "All projects",
    scheme: str = "light",
    size: PictureSize = PictureSize(),
) -> go.Figure:
    """Draw a picture, see :func:`picture_of`; ``write_image(…, scale=2)`` saves it."""
    return go.Figure(
        picture_of(overview, names, subject, scope_name=scope_name, scheme=scheme, size=size)
    )


def picture_of(
    overview: Overview,
    names: Mapping[int, str],
    subject: Subject,
    *,
    scope_name: str,
    scheme: str,
    size: PictureSize,
) -> Chart:
    """Draw a picture as ``data`` and ``layout`` of a figure, like a chart on the page.

    Args:
        overview: The metrics; may be empty.
        names: Names of projects by id.
        subject: The chart to draw.
        scope_name: The scope in words, for the title: ``Project atlas``.
        scheme: ``light`` or ``dark``.
        size: Width and height; a figure has no scale.
    """
    overview = subject.seen(overview)
    chart = _chart(overview, names, subject, scheme)
    frame = frame_of(chart, overview, subject, scope_name, size)
    quiet = {"annotations": [QUIET]} if overview.totals.is_quiet and not subject.pattern else {}
    # If nothing is retained, the chart itself says so.
    return {"data": chart["data"], "layout": {**quiet, **chart["layout"], **frame}}


def _chart(overview: Overview, names: Mapping[int, str], subject: Subject, scheme: str) -> Chart:
    metric = subject.metric
    if subject.pattern:
        return heatmap_of(overview, metric, scheme)
    if metric in OTHERS:
        return OTHERS[metric](overview, scheme)
    return chart_of(overview, names, metric, scheme)


def frame_of(
    chart: Chart,
    overview: Overview,
    subject: Subject,
    scope_name: str,
    size: PictureSize = PictureSize(),
) -> dict[str, Any]:
    """Return the layout properties that turn a chart of the page into a picture."""
    low = size.height < LOW
    most, room = 1 if low else MOST_LINES, size.width - 2 * EDGE
    title, subtitle = heading(overview, subject, scope_name)
    first = fitted(title, room / TITLE_FONT, most)
    second = fitted(subtitle, room / SUBTITLE_FONT, most)
    return {
        "autosize": False,
        "width": size.width,
        "height": size.height,
        "margin": _margin(chart, subject, size, first, second),
        "title": {
            "text": _plain(first),
            "subtitle": {"text": _plain(second), "font": {"size": SUBTITLE_FONT}},
            "font": {"size": TITLE_FONT},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"l": EDGE, "t": TITLE_TOP - (0 if first[1:] else CAP_SHIFT * TITLE_FONT)},
        },
        **({"showlegend": False} if low else {}),
    }


def _margin(
    chart: Chart, subject: Subject, size: PictureSize, title: list[str], subtitle: list[str]
) -> dict[str, int]:
    """Return the chart's margin, with room for the title and the legend."""
    margin: dict[str, int] = chart["layout"]["margin"]
    more = TITLE_FONT * (len(title) - 1) + SUBTITLE_FONT * (len(subtitle) - 1)
    top = margin["t"] + TITLE_ROOM + round(LINE_HEIGHT * more)
    if size.height >= LOW:
        rows = _legend_rows(chart, size.width - margin["l"])
        top += LEGEND_ROW * max(0, rows - LEGEND_ROWS)
    elif not subject.pattern:
        top -= LEGEND_ROW * LEGEND_ROWS
    return {**margin, "t": top}


def _legend_rows(chart: Chart, room: float) -> int:
    """Count the rows, at most, of a chart's legend in a width in pixels."""
    if not chart["layout"].get("showlegend", True):
        return 0
    named = [
        trace["name"]
        for trace in chart["data"]
        if "name" in trace and trace.get("showlegend", True)
    ]
    return row_count([LEGEND_SIGN + LEGEND_FONT * text_width(name) for name in named], room)


def heading(overview: Overview, subject: Subject, scope_name: str) -> tuple[str, str]:
    """Return the title and the subtitle of a picture."""
    overview = subject.seen(overview)
    if subject.pattern:
        label = titles.pattern_label(subject.metric)
        return titles.title(label, scope_name), titles.pattern_subtitle(overview)
    label = titles.chart_title(overview, subject.metric)
    about = (titles.subtitle(overview), titles.change(overview, subject.metric))
    return titles.title(label, scope_name), " · ".join(filter(None, about))


def _plain(lines: list[str]) -> str:
    # Plotly interprets tags and templates in texts, and a project may have any name.
    return "<br>".join(escape(line, quote=False).replace("%{", "%&#123;") for line in lines)
