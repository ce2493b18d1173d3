"""Summaries of the figures of time in a few sentences, for screen readers."""

from __future__ import annotations

import pandas as pd

from aggregator.intervals.kinds import WORKING
from aggregator.metrics.buckets import FUTURE, GONE
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts.time.tooltips import STACK, with_means
from dashboard.charts.titles import bucket_noun, shown_period
from dashboard.charts.tooltips import NO_LONGER_KEPT, bucket_period
from dashboard.labels import KIND_LABELS, unit

NOTHING = "Nothing to show."


def time_summary(overview: Overview) -> str:
    """Summarize the chart of time: the sum of each kind, and the bucket with most work."""
    known = _known(overview)
    sums = {kind: known[f"{kind}_seconds"].sum() for kind in STACK}
    sentences = [f"Time per {unit(overview.freq)}, {shown_period(overview)}."]
    if any(sums.values()):
        parts = (f"{KIND_LABELS[kind].lower()} {formatting.duration(sums[kind])}" for kind in STACK)
        sentences += [
            formatting.sentence(f"{', '.join(parts)}."),
            *_most(known, "working_seconds", overview),
        ]
    elif len(known):
        sentences.append(NOTHING)
    return " ".join([*sentences, *_gone(overview)])


def work_summary(overview: Overview) -> str:
    """Summarize the chart of agents at work: the highest peak and mean."""
    known = _known(overview)
    sentences = [f"Agents at work at once, {shown_period(overview)}."]
    peaks = known["peak_working_agents"].astype("float64").fillna(0)
    if peaks.max() > 0:
        at, most = known.to_dict("records")[int(peaks.argmax())], formatting.count(int(peaks.max()))
        sentences.append(f"Most: {most}, {bucket_period(at, overview)}.")
        highest = formatting.rate(known["working_agents"].max())
        sentences.append(f"Highest mean of one {bucket_noun(overview)}: {highest}.")
    elif len(known):
        sentences.append(NOTHING)
    return " ".join([*sentences, *_gone(overview)])


def _known(overview: Overview) -> pd.DataFrame:
    buckets = with_means(overview)
    return buckets[~buckets["phase"].isin([GONE, FUTURE])]


def _most(known: pd.DataFrame, column: str, overview: Overview) -> list[str]:
    if not known[column].max():
        return []
    bucket = known.to_dict("records")[int(known[column].argmax())]
    text = formatting.duration(bucket[column])
    return [f"Most {WORKING}: {text}, {bucket_period(bucket, overview)}."]


def _gone(overview: Overview) -> list[str]:
    gone = int((overview.buckets["phase"] == GONE).sum())
    return [f"{formatting.counted(gone, bucket_noun(overview))} {NO_LONGER_KEPT}."] if gone else []
