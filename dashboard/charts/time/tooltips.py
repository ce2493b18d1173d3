"""The tooltips of buckets of time: each kind, and the agents at once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from aggregator.intervals.kinds import BLOCKED, IDLE, WAITING, WORKING
from aggregator.metrics.buckets import FUTURE, GONE, elapsed_seconds
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.palette import Palette
from dashboard.charts.tooltips import NO_LONGER_KEPT, bucket_period
from dashboard.labels import KIND_LABELS

MINE = (BLOCKED, WAITING)
"""Kinds of time in which an agent waits for a person."""
STACK = (WORKING, *MINE)
"""Kinds of time in the bars, from below."""

Bucket = Mapping[Hashable, Any]


def is_alone(overview: Overview) -> bool:
    """Return True if the scope is a single agent, which is never at work twice at once."""
    return overview.scope.is_one_agent


def with_means(overview: Overview) -> pd.DataFrame:
    """Add ``working_agents`` and ``waiting_agents`` to the buckets: means over time (float64).

    They are NaN in buckets that are not retained or have not begun.
    """
    buckets = overview.buckets
    passed = elapsed_seconds(buckets, overview.kept_since, overview.window.as_of)
    seconds = {kind: buckets[f"{kind}_seconds"] for kind in STACK}
    return buckets.assign(
        working_agents=seconds[WORKING] / passed,
        waiting_agents=sum(seconds[kind] for kind in MINE) / passed,
    )


def time_tooltips(overview: Overview, colours: Palette) -> list[str]:
    """Return the tooltip of every bucket; empty for buckets in the future."""
    alone = is_alone(overview)
    texts = []
    for bucket in with_means(overview).to_dict("records"):
        if bucket["phase"] == FUTURE:
            texts.append("")
            continue
        heading = f"<b>{bucket_period(bucket, overview)}</b>"
        texts.append("<br>".join([heading, *_numbers(bucket, colours, alone=alone)]))
    return texts


def _numbers(bucket: Bucket, colours: Palette, *, alone: bool) -> list[str]:
    if bucket["phase"] == GONE:
        return [NO_LONGER_KEPT]
    lines = [
        swatch_line(colours.kinds[kind], label, formatting.duration(bucket[f"{kind}_seconds"]))
        for kind, label in KIND_LABELS.items()
        if kind != IDLE and (kind == WORKING or bucket[f"{kind}_seconds"] > 0)
    ]
    whole = sum(bucket[f"{kind}_seconds"] for kind in STACK)
    if whole:
        lines.append(f"Utilisation {formatting.share(bucket['working_seconds'], whole)}")
    return lines if alone else [*lines, *_agents(bucket)]


def swatch_line(colour: str, label: str, text: str) -> str:
    """Return a line of a tooltip that begins with a square in a colour."""
    return f'<span style="color:{colour}">■</span> {label}: {text}'


def _agents(bucket: Bucket) -> list[str]:
    """Return the means and peaks of agents that worked and that waited."""
    return [
        f"{text}: {formatting.rate(bucket[f'{name}_agents'])} on average, "
        f"{formatting.count(bucket[f'peak_{name}_agents'])} at once"
        for name, text in (("working", "Agents at work"), ("waiting", "Agents waiting for me"))
        if bucket[f"peak_{name}_agents"]
    ]
