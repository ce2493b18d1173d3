"""What a bar says when pointed at: its true local time and its exact numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from html import escape
from typing import Any

import pandas as pd

from aggregator.metrics.buckets import FUTURE, GONE, RUNNING, by_day
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.stack import StackedSeries
from dashboard.charts.theme import Palette

NAME_LENGTH = 24
NO_LONGER_KEPT = "no longer kept"


def short_name(name: str) -> str:
    """A name, short enough for a figure, in which Plotly finds no markup."""
    return escape(formatting.shortened(name, NAME_LENGTH), quote=False)


def tooltips(overview: Overview, stack: list[StackedSeries], colours: Palette) -> list[str]:
    """The text of every bucket; empty where it has not begun."""
    alone = overview.scope.kind == "agent" and len(overview.scope.ids) == 1
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
    """The turns of each project by start of the bucket, only those with turns."""
    parts: dict[Any, list[str]] = defaultdict(list)
    for layer in stack:
        swatch = f'<span style="color:{colours.layer(layer.slot)}">■</span>'
        for start, turns in layer.turns.items():
            parts[start].append(f"{swatch} {short_name(layer.name)}: {formatting.count(turns)}")
    return parts


def bucket_period(bucket: Mapping[Hashable, Any], overview: Overview) -> str:
    """The local time that a bucket tells about: ``Tue 3 Nov, 14:00–15:00, so far``."""
    start, end = bucket["start"], bucket["end"]
    if bucket["phase"] != GONE:
        start = max(start, overview.kept_since)
    running = bucket["phase"] == RUNNING
    if running and by_day(overview.period):
        # A running day ends now; a running hour is named as the hour it will be.
        end = min(end, pd.Timestamp(overview.window.as_of))
    zone = overview.period.zone
    period = formatting.period(start.astimezone(zone), end.astimezone(zone))
    return f"{period}, so far" if running else period


def _numbers(bucket: Mapping[Hashable, Any], parts: list[str], *, alone: bool) -> list[str]:
    if bucket["phase"] == GONE:
        return [NO_LONGER_KEPT]
    lines = [formatting.counted(bucket["turn_count"], "turn"), *parts]
    if not pd.isna(bucket["avg_turn_time_seconds"]):
        lines.append(f"{formatting.duration(bucket['avg_turn_time_seconds'])} average turn time")
    if bucket["active_agents"] and not alone:
        lines.append(formatting.counted(bucket["active_agents"], "active agent"))
    return lines
