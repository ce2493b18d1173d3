"""Summaries of figures in a few sentences, for screen readers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from aggregator.metrics.buckets import FUTURE, GONE
from aggregator.metrics.measures import Measure
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.stack import StackedSeries
from dashboard.charts.titles import bucket_noun, shown_period
from dashboard.charts.tooltips import NO_LONGER_KEPT, bucket_period
from dashboard.labels import LABELS, MEASURE, TURNS, unit


def chart_summary(overview: Overview, stack: list[StackedSeries], metric: str) -> str:
    """Summarize the chart: the active part of the period, the peak, the projects' shares."""
    retained = overview.buckets[~overview.buckets["phase"].isin([GONE, FUTURE])]
    noun = bucket_noun(overview)
    sentences = [f"{LABELS[metric]} per {unit(overview.freq)}, {shown_period(overview)}."]
    measure = MEASURE[metric]
    values = retained[measure.column].astype("float64").fillna(0)
    if values.max() > 0:
        active = int((retained["turn_count"] > 0).sum())
        highest = retained.to_dict("records")[int(values.argmax())]
        sentences += [
            f"{formatting.counted(int(retained['turn_count'].sum()), 'turn')} in {active} of "
            f"{formatting.counted(len(retained), noun)}.",
            f"{'Longest' if measure.unit == 'seconds' else 'Most'}: "
            f"{_value(highest, measure)}, {bucket_period(highest, overview)}.",
        ]
    elif len(retained):
        sentences.append("No turns." if metric == TURNS else "Nothing to show.")
    if metric == TURNS and stack:
        sentences.append(f"By project: {_shares(stack)}.")
    gone = int((overview.buckets["phase"] == GONE).sum())
    if gone:
        sentences.append(f"{formatting.sentence(formatting.counted(gone, noun))} {NO_LONGER_KEPT}.")
    return " ".join(sentences)


def _value(bucket: Mapping[Hashable, Any], measure: Measure) -> str:
    value = bucket[measure.column]
    if measure.unit == "seconds":
        return formatting.duration(value)
    return formatting.counted(value, measure.noun)


def _shares(stack: list[StackedSeries]) -> str:
    turns = [int(series.turns.sum()) for series in stack]
    pairs = zip(stack, turns, strict=True)
    return ", ".join(
        f"{series.name} {formatting.share(part, sum(turns))}" for series, part in pairs
    )
