"""Lines over the buckets of a period."""

from __future__ import annotations

from typing import Any

import pandas as pd

from aggregator.metrics.buckets import RUNNING
from dashboard.charts.figure_types import Trace


def line(
    buckets: pd.DataFrame, values: pd.Series, colour: str, width: float, **options: Any
) -> Trace:
    """Draw a line through the middles of buckets, with a hole where a value is missing.

    Args:
        buckets: The buckets, see :func:`dashboard.charts.bars.placed`.
        values: (n,) their values.
        colour: Its colour.
        width: In pixels.
        options: Further properties of the trace; by default it is not in the legend.
    """
    # A bucket between two holes has no line, so it needs a dot to be visible.
    isolated = values.notna() & values.shift().isna() & values.shift(-1).isna()
    running = buckets["phase"] == RUNNING
    dot = width + 3.5
    return dict(
        type="scatter",
        x=buckets["x"].to_numpy(),
        y=values.to_numpy(),
        mode="lines+markers",
        connectgaps=False,
        # The bar's tooltip includes this number.
        hoverinfo="skip",
        line={"color": colour, "width": width},
        marker={
            "color": colour,
            "size": [dot if has_dot else 0 for has_dot in isolated | running],
            # Otherwise Plotly makes dots of different sizes transparent.
            "opacity": 1,
            "symbol": ["circle-open" if is_running else "circle" for is_running in running],
        },
        **{"showlegend": False, **options},
    )
