"""The cards at the top of the page: numbers, each with its change and its trend.

Pure: facts in, Dash components out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from aggregator.metrics.measures import TURN_MEASURES, Measure
from aggregator.metrics.totals import Totals, Value
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts import titles
from dashboard.labels import AGENTS, EXPLANATIONS, TIME_EXPLANATIONS, TURN_TIME, TURNS
from dashboard.page import ids
from dashboard.page.parts.attributes import Children, aria, explained

FURTHER = tuple(
    measure for measure in TURN_MEASURES if measure.name not in {TURNS, TURN_TIME, AGENTS}
)
"""Measures with a card of their own besides those that every page has."""
CARD_LABELS = {
    ids.CARD_WORKING: "Working time",
    ids.CARD_WAITING: "Waiting for me",
    ids.CARD_RESPONSE_TIME: "Response time p50",
    ids.CARD_TURNS: "Turns",
    ids.CARD_ACTIVE_AGENTS: "Active agents",
    **{f"card-{measure.name}": measure.label for measure in FURTHER},
}
_EXPLANATIONS = {
    ids.CARD_WORKING: TIME_EXPLANATIONS["working"],
    ids.CARD_WAITING: TIME_EXPLANATIONS["waiting"],
    ids.CARD_RESPONSE_TIME: TIME_EXPLANATIONS["response-time"],
    ids.CARD_TURNS: EXPLANATIONS[TURNS],
    ids.CARD_ACTIVE_AGENTS: EXPLANATIONS[AGENTS],
    **{f"card-{measure.name}": EXPLANATIONS[measure.name] for measure in FURTHER},
}
MOST_COLUMNS = 31
"""Columns of a sparkline; more would be narrower than a pixel on a phone."""


@dataclass(frozen=True, slots=True)
class Card:
    """One number: its text, a detail below it, its change and its trend."""

    value: str = formatting.NO_VALUE
    detail: Children | str = ""
    change: str = ""
    trend: Sequence[float] = ()


def cards(overview: Overview | None) -> list[Component]:
    """Return the cards of a view; without numbers before the first answer."""
    contents = UNKNOWN if overview is None else _contents(overview)
    against = titles.compared_with(overview.compared) if overview else ""
    return [_card(card_id, contents[card_id], against) for card_id in CARD_LABELS]


def _contents(overview: Overview) -> dict[str, Card]:
    if overview.window.until <= overview.kept_since:
        gone = dict.fromkeys(CARD_LABELS, Card(detail="no longer kept"))
        return {**gone, ids.CARD_TURNS: UNKNOWN[ids.CARD_TURNS]}
    trend = trends(overview.buckets)
    further = {f"card-{measure.name}": _further(measure, overview, trend) for measure in FURTHER}
    return {
        ids.CARD_WORKING: _working(overview, trend),
        ids.CARD_WAITING: _waiting(overview, trend),
        ids.CARD_RESPONSE_TIME: _response_time(overview, trend),
        ids.CARD_TURNS: _turns(overview, trend),
        ids.CARD_ACTIVE_AGENTS: _active_agents(overview, trend),
        **further,
    }


Trends = Mapping[str, Sequence[float]]


def _working(overview: Overview, trend: Trends) -> Card:
    totals = overview.totals
    used = totals.utilisation
    return Card(
        formatting.duration(totals.values["working_seconds"]),
        "" if used is None else f"utilisation {formatting.share(used, 1)}",
        _change(overview, _value_of("working_seconds")),
        trend["working_seconds"],
    )


def _waiting(overview: Overview, trend: Trends) -> Card:
    totals = overview.totals
    blocked, after = (totals.values[name] for name in ("blocked_seconds", "waiting_seconds"))
    parts = f"{formatting.duration(blocked)} blocked, {formatting.duration(after)} after turns"
    return Card(
        formatting.duration(totals.waiting_for_me_seconds),
        parts if totals.waiting_for_me_seconds else "",
        _change(overview, attrgetter("waiting_for_me_seconds")),
        np.add(trend["blocked_seconds"], trend["waiting_seconds"]).tolist(),
    )


def _response_time(overview: Overview, trend: Trends) -> Card:
    times, exact = overview.times.responses, overview.totals.exact_share
    if not times.count:
        return Card()
    slowest = f"p90 {formatting.duration(times.p90_seconds)}"
    share = "" if exact is None else f", {formatting.share(exact, 1)} exact"
    return Card(
        formatting.duration(times.p50_seconds), f"{slowest}{share}", trend=trend["response_time"]
    )


def _turns(overview: Overview, trend: Trends) -> Card:
    totals = overview.totals
    return Card(
        formatting.count(totals.turn_count),
        _pace(totals.turn_rate, totals.avg_turn_time_seconds),
        _change(overview, attrgetter("turn_count")),
        trend["turn_count"],
    )


def _pace(rate: float | None, gap: float | None) -> Children:
    """Return turns per hour and the average gap between turns, which have ids of their own."""
    return [
        html.Span(formatting.rate(rate), id=ids.CARD_TURN_RATE),
        " per hour, ",
        html.Span(formatting.duration(gap), id=ids.CARD_TURN_TIME),
        " between turns",
    ]


def _active_agents(overview: Overview, trend: Trends) -> Card:
    totals = overview.totals
    peak = totals.values["peak_working_agents"]
    return Card(
        formatting.count(totals.active_agents),
        f"peak {formatting.count(int(peak))} at once" if peak else "",
        _change(overview, attrgetter("active_agents")),
        trend["active_agents"],
    )


def _further(measure: Measure, overview: Overview, trend: Trends) -> Card:
    number = _value_of(measure.column)
    return Card(
        formatting.amount(measure, number(overview.totals)),
        change=_change(overview, number),
        trend=trend[measure.column],
    )


def _value_of(column: str) -> Callable[[Totals], Value]:
    return lambda totals: totals.values[column]


def _change(overview: Overview, number: Callable[[Totals], Value]) -> str:
    compared = overview.compared
    if compared is None or overview.totals.is_quiet:
        return ""
    return formatting.change(number(compared.now), compared.reference(number))


UNKNOWN = {
    **dict.fromkeys(CARD_LABELS, Card()),
    ids.CARD_TURNS: Card(detail=_pace(None, None)),
}
"""The cards without numbers, with every id in its place."""


def trends(buckets: pd.DataFrame) -> dict[str, list[float]]:
    """Return each number over the whole period, in at most :data:`MOST_COLUMNS` columns.

    A column of several buckets shows their mean. Buckets that are empty, outside the
    retention or in the future count as 0. ``response_time`` is the mean of the responses
    that ended in a bucket.
    """
    numbers: dict[str, Any] = {
        str(name): values.astype("float64").fillna(0.0).to_numpy()
        for name, values in buckets.drop(columns=["start", "end", "phase"]).items()
    }
    responses = numbers["responses"]
    numbers["response_time"] = np.divide(
        numbers["response_seconds"], responses, out=np.zeros(len(responses)), where=responses > 0
    )
    return {name: _columns(values) for name, values in numbers.items()}


def _columns(values: Any) -> list[float]:
    parts = np.array_split(values, min(len(values), MOST_COLUMNS))
    return [float(part.mean()) for part in parts]


def _card(card_id: str, card: Card, against: str) -> Component:
    change = (
        [
            html.Span(card.change, className="activity-change"),
            html.Span(f" compared with {against}", className="activity-unseen"),
        ]
        if card.change
        else []
    )
    return html.Div(
        [
            html.Dt(
                html.Span(CARD_LABELS[card_id], **explained(_EXPLANATIONS[card_id])),
                className="activity-card-label",
            ),
            html.Dd(
                [html.Span(card.value, id=card_id, className="activity-card-value"), *change],
                title=f"Compared with {against}" if card.change else None,
            ),
            html.Dd(card.detail, className="activity-card-detail"),
            html.Dd(
                className="activity-spark",
                style={"clipPath": skyline(card.trend)},
                **aria(hidden="true"),
            ),
        ],
        className="activity-card",
    )


def skyline(values: Sequence[float]) -> str:
    """Return a CSS ``clip-path`` with columns of these heights; the highest reaches the top.

    An element with this path is a small chart without an image or a script.
    """
    highest = max(values, default=0)
    if highest <= 0:
        return "polygon(0 100%, 100% 100%, 100% 97%, 0 97%)"
    width = 100 / len(values)
    points = ["0 100%"]
    for place, value in enumerate(values):
        top = f"{97 - 97 * value / highest:.4g}%"
        points += [f"{place * width:.4g}% {top}", f"{(place + 1) * width:.4g}% {top}"]
    return f"polygon({', '.join([*points, '100% 100%'])})"
