"""The chart of time: how long agents worked, were blocked and waited in each bucket.

Pure Plotly: an overview in, data and layout out.
"""

from __future__ import annotations

from aggregator.query.overview import Overview
from dashboard.charts.axes import duration_axis
from dashboard.charts.bars import column_layout, layer, placed, pointer_bars, shade_gone
from dashboard.charts.figure_types import Chart
from dashboard.charts.palette import palette
from dashboard.charts.theme import WIDE_MARGIN, template
from dashboard.charts.time.summaries import time_summary
from dashboard.charts.time.tooltips import STACK, time_tooltips
from dashboard.labels import KIND_LABELS


def time_chart_of(overview: Overview, scheme: str = "light") -> Chart:
    """Draw the time of each bucket as stacked bars, in seconds added up over agents.

    The result is like that of :func:`dashboard.charts.activity_chart.chart_of`.

    Args:
        overview: The metrics; may be empty.
        scheme: ``light`` or ``dark``.
    """
    colours = palette(scheme)
    buckets = placed(overview.buckets)
    buckets["tooltip"] = time_tooltips(overview, colours)
    parts = [
        layer(buckets, buckets[f"{kind}_seconds"], KIND_LABELS[kind], colours.kinds[kind], colours)
        for kind in STACK
    ]
    whole = buckets[[f"{kind}_seconds" for kind in STACK]].sum(axis=1)
    return {
        "data": [*parts, pointer_bars(buckets, whole, "Time", None, colours)],
        "layout": {
            "template": template(scheme),
            "meta": {"summary": time_summary(overview)},
            **column_layout(overview),
            "margin": WIDE_MARGIN,
            "yaxis": duration_axis(whole.max()),
            **shade_gone(buckets, colours),
        },
    }
