"""What each figure shows in a sentence or two, for those who hear it instead."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from aggregator.bins import FUTURE, GONE, by_day
from aggregator.overview import Overview
from dashboard import words
from dashboard.layers import Layer
from dashboard.metrics import COLUMNS, LABELS, TURN_TIME, TURNS
from dashboard.tooltips import NO_LONGER_KEPT, bucket_period


def chart_summary(overview: Overview, layers: list[Layer], metric: str) -> str:
    """How much of the period had turns, its highest bucket, and the share of each project."""
    period = overview.period
    kept = overview.buckets[~overview.buckets["phase"].isin([GONE, FUTURE])]
    unit = "day" if by_day(period) else "hour"
    name = words.period_name(period.name, period.first, period.last)
    sentences = [f"{LABELS[metric]} per {unit}, {name}."]
    values = kept[COLUMNS[metric]].astype("float64").fillna(0)
    if values.max() > 0:
        active = int((kept["turn_count"] > 0).sum())
        highest = kept.to_dict("records")[int(values.argmax())]
        sentences += [
            f"{words.counted(overview.totals.turn_count, 'turn')} in {active} of "
            f"{words.counted(len(kept), unit)}.",
            f"{'Longest' if metric == TURN_TIME else 'Most'}: "
            f"{_value(highest, metric)}, {bucket_period(highest, overview)}.",
        ]
    elif len(kept):
        sentences.append("No turns." if metric == TURNS else "Nothing to show.")
    if metric == TURNS and layers:
        sentences.append(f"By project: {_shares(layers)}.")
    gone = int((overview.buckets["phase"] == GONE).sum())
    if gone:
        sentences.append(f"{words.sentence(words.counted(gone, unit))} {NO_LONGER_KEPT}.")
    return " ".join(sentences)


def _value(bucket: Mapping[Hashable, Any], metric: str) -> str:
    value = bucket[COLUMNS[metric]]
    if metric == TURN_TIME:
        return words.duration(value)
    return words.counted(value, "turn" if metric == TURNS else "agent")


def _shares(layers: list[Layer]) -> str:
    turns = [int(layer.turns.sum()) for layer in layers]
    pairs = zip(layers, turns, strict=True)
    return ", ".join(f"{layer.name} {words.share(part, sum(turns))}" for layer, part in pairs)
