"""The chart of agents at work: how many worked, and how many waited, at the same time.

Pure Plotly: an overview in, data and layout out.
"""

from __future__ import annotations

import pandas as pd

from aggregator.intervals.kinds import WAITING, WORKING
from aggregator.metrics.buckets import FUTURE, GONE
from aggregator.query.overview import Overview
from dashboard.charts.axes import count_axis
from dashboard.charts.bars import column_layout, placed, pointer_bars, shade_gone
from dashboard.charts.figure_types import Chart, Trace
from dashboard.charts.lines import line
from dashboard.charts.palette import Palette, palette
from dashboard.charts.theme import WIDE_MARGIN, template
from dashboard.charts.time.summaries import work_summary
from dashboard.charts.time.tooltips import time_tooltips, with_means


def work_chart_of(overview: Overview, scheme: str = "light") -> Chart:
    """Draw the mean and the peak of working agents in each bucket, and the mean of waiting ones.

    The result is like that of :func:`dashboard.charts.activity_chart.chart_of`.

    Args:
        overview: The metrics; may be empty.
        scheme: ``light`` or ``dark``.
    """
    colours = palette(scheme)
    buckets = placed(with_means(overview))
    buckets["tooltip"] = time_tooltips(overview, colours)
    known = ~buckets["phase"].isin([GONE, FUTURE])
    peaks = buckets["peak_working_agents"].astype("float64").where(known)
    highest = pd.concat([peaks, buckets["waiting_agents"]]).max()
    return {
        "data": [*_lines(buckets, peaks, colours), _columns(buckets, highest, colours)],
        "layout": {
            "template": template(scheme),
            "meta": {"summary": work_summary(overview)},
            **column_layout(overview),
            "margin": WIDE_MARGIN,
            "yaxis": count_axis(0 if pd.isna(highest) else highest),
            **shade_gone(buckets, colours),
        },
    }


def _lines(buckets: pd.DataFrame, peaks: pd.Series, colours: Palette) -> list[Trace]:
    working, waiting = colours.kinds[WORKING], colours.kinds[WAITING]
    peak = line(buckets, peaks, working, 1, **_entry("Most at work at once"))
    # Steps: a peak holds for its whole bucket.
    peak["line"] |= {"shape": "hvh", "dash": "dot"}
    mean = line(buckets, buckets["working_agents"], working, 2.2, **_entry("At work, mean"))
    others = line(
        buckets, buckets["waiting_agents"], waiting, 1.6, **_entry("Waiting for me, mean")
    )
    return [mean, peak, others]


def _entry(name: str) -> dict[str, object]:
    return {"name": name, "legendgroup": name, "showlegend": True}


def _columns(buckets: pd.DataFrame, highest: float, colours: Palette) -> Trace:
    """Draw the invisible columns that take the pointer and clicks."""
    heights = pd.Series(0 if pd.isna(highest) else highest, buckets.index)
    return pointer_bars(buckets, heights, "Agents at work", None, colours)
