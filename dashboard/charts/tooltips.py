"""The tooltips of bars: the true local time, and the exact numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from html import escape
from typing import Any

import pandas as pd

from aggregator.metrics.buckets import FUTURE, GONE, RUNNING
from aggregator.metrics.measures import TURN_MEASURES, Measure
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.palette import Palette
from dashboard.charts.stack import StackedSeries
from dashboard.labels import TURNS

NAME_LENGTH = 24
NO_LONGER_KEPT = "no longer kept"
MOST_PARTS = 7
"""Projects in a tooltip. Plotly shows no tooltip that is higher than the plot, which on a phone
has room for twelve lines."""


def short_name(name: str) -> str:
    """Shorten a name for a figure, and escape it, so that Plotly finds no markup in it."""
    return escape(formatting.shortened(name, NAME_LENGTH), quote=False)


def tooltips(overview: Overview, stack: list[StackedSeries], colours: Palette) -> list[str]:
    """Return the tooltip of every bucket; empty for buckets in the future."""
    alone = overview.scope.is_one_agent
    parts = _parts(stack, colours)
    texts = []
    for bucket in overview.buckets.to_dict("records"):
        if bucket["phase"] == FUTURE:
            texts.append("")
            continue
        heading = f"<b>{bucket_period(bucket, overview)}</b>"
        numbers = _numbers(bucket, parts.get(bucket["start"], []), alone=alone)
        texts.append("<br>".join([heading, *numbers]))
    return texts


def _parts(stack: list[StackedSeries], colours: Palette) -> dict[Any, list[str]]:
    """Return lines with the turns of each project, most first, by start of the bucket."""
    parts: dict[Any, list[tuple[int, StackedSeries]]] = defaultdict(list)
    for series in stack:
        for start, turns in series.turns.items():
            parts[start].append((turns, series))
    return {start: _lines(inside, colours) for start, inside in parts.items()}


def _lines(parts: list[tuple[int, StackedSeries]], colours: Palette) -> list[str]:
    ordered = sorted(parts, key=lambda part: -part[0])
    if len(ordered) <= MOST_PARTS:
        return [_line(series.name, turns, series.slot, colours) for turns, series in ordered]
    named = [part for part in ordered if part[1].project_id is not None][: MOST_PARTS - 1]
    rest = sum(turns for turns, _ in ordered) - sum(turns for turns, _ in named)
    return [
        *(_line(series.name, turns, series.slot, colours) for turns, series in named),
        _line("all others", rest, None, colours),
    ]


def _line(name: str, turns: int, slot: int | None, colours: Palette) -> str:
    swatch = f'<span style="color:{colours.of_project(slot)}">■</span>'
    return f"{swatch} {short_name(name)}: {formatting.count(turns)}"


def bucket_period(bucket: Mapping[Hashable, Any], overview: Overview) -> str:
    """Format the local time that a bucket covers: ``Tue 3 Nov, 14:00–15:00, so far``."""
    start, end = bucket["start"], bucket["end"]
    if bucket["phase"] != GONE:
        start = max(start, overview.kept_since)
    running = bucket["phase"] == RUNNING
    if running and overview.freq == "day":
        # A running day ends now; a running hour is named as a whole hour.
        end = min(end, pd.Timestamp(overview.window.as_of))
    zone = overview.period.zone
    period = formatting.period(start.astimezone(zone), end.astimezone(zone))
    return f"{period}, so far" if running else period


def _numbers(bucket: Mapping[Hashable, Any], parts: list[str], *, alone: bool) -> list[str]:
    if bucket["phase"] == GONE:
        return [NO_LONGER_KEPT]
    lines = []
    for measure in TURN_MEASURES:
        if _has_line(measure, bucket[measure.column], alone=alone):
            lines.append(formatting.quantity(measure, bucket[measure.column]))
        if measure.name == TURNS:
            lines += parts
    return lines


def _has_line(measure: Measure, value: Any, *, alone: bool) -> bool:
    """Return True for turns, and for other numbers if there is something to show."""
    if measure.combine == "distinct" and alone:
        return False
    return measure.name == TURNS or (
        not pd.isna(value) and (measure.combine == "pooled" or value > 0)
    )
