"""The cards at the top of the page: numbers, each with its change and its trend.

Pure: facts in, Dash components out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import pandas as pd
from dash import html
from dash.development.base_component import Component

from aggregator.metrics.comparisons import Comparison
from aggregator.metrics.measures import COLUMNS, TURN_MEASURES, Measure
from aggregator.metrics.totals import Totals, Value
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.charts import titles
from dashboard.labels import (
    AGENTS,
    EXPLANATIONS,
    PATTERN_LABELS,
    RATE_EXPLANATION,
    TURN_TIME,
    TURNS,
)
from dashboard.page import ids
from dashboard.page.parts.attributes import aria, explained

CARD_IDS = {
    TURNS: ids.CARD_TURNS,
    TURN_TIME: ids.CARD_TURN_TIME,
    AGENTS: ids.CARD_ACTIVE_AGENTS,
}
"""Ids that others rely on; those of other measures follow from their names."""


def _card_labels() -> Iterator[tuple[str, str]]:
    """Yield id and label of every card: one for each measure, and one for turns per hour."""
    for measure in TURN_MEASURES:
        yield CARD_IDS.get(measure.name, f"card-{measure.name}"), measure.label
        if measure.name == TURNS:
            yield ids.CARD_TURN_RATE, PATTERN_LABELS[TURNS]


CARD_LABELS = dict(_card_labels())
_EXPLANATIONS = {
    **{CARD_IDS.get(name, f"card-{name}"): text for name, text in EXPLANATIONS.items()},
    ids.CARD_TURN_RATE: RATE_EXPLANATION,
}
MOST_COLUMNS = 31
"""Columns of a sparkline; more would be narrower than a pixel on a phone."""


@dataclass(frozen=True, slots=True)
class Card:
    """One number: its text, a detail below it, its change and its trend."""

    value: str = formatting.NO_VALUE
    detail: str = ""
    change: str = ""
    trend: Sequence[float] = ()


def cards(overview: Overview | None) -> list[Component]:
    """Return the cards of a view; without numbers before the first answer."""
    if overview is None:
        contents = [Card()] * len(CARD_LABELS)
        against = ""
    else:
        contents = _contents(overview)
        against = titles.compared_with(overview.compared)
    return [
        _card(card_id, card, against) for card_id, card in zip(CARD_LABELS, contents, strict=True)
    ]


def _contents(overview: Overview) -> list[Card]:
    totals, compared = overview.totals, overview.compared
    if overview.window.until <= overview.kept_since:
        return [Card(detail="no longer kept")] * len(CARD_LABELS)
    if not totals.turn_count:
        return [Card(amount) for amount in _amounts(totals)]
    shapes = trends(overview.buckets)
    details = _details(overview)
    shown = []
    for measure in TURN_MEASURES:
        shown.append(
            Card(
                formatting.amount(measure, totals.values[measure.column]),
                details.get(measure.name, ""),
                _change(compared, _value_of(measure)),
                shapes[measure.column],
            )
        )
        if measure.name == TURNS:
            shown.append(
                Card(
                    formatting.rate(totals.turn_rate),
                    f"{formatting.rate(totals.turns_per_active_hour)} per active hour",
                    _change(compared, attrgetter("turn_rate")),
                    shapes[measure.column],
                )
            )
    return shown


def _amounts(totals: Totals) -> Iterator[str]:
    """Yield only the numbers, in the order of the cards."""
    for measure in TURN_MEASURES:
        yield formatting.amount(measure, totals.values[measure.column])
        if measure.name == TURNS:
            yield formatting.rate(totals.turn_rate)


def _details(overview: Overview) -> dict[str, str]:
    """Return the second line of some cards, by the name of the measure."""
    projects = overview.agents.loc[overview.agents["turn_count"] > 0, "project_id"].nunique()
    return {
        TURNS: f"in {formatting.counted(overview.totals.active_hours, 'active hour')}",
        TURN_TIME: "of one agent",
        AGENTS: f"in {formatting.counted(projects, 'project')}",
    }


def _value_of(measure: Measure) -> Callable[[Totals], Value]:
    return lambda totals: totals.values[measure.column]


def _change(compared: Comparison | None, number: Callable[[Totals], Value]) -> str:
    return formatting.change(number(compared.now), compared.reference(number)) if compared else ""


def trends(buckets: pd.DataFrame) -> dict[str, list[float]]:
    """Return each number over the whole period, in at most :data:`MOST_COLUMNS` columns.

    A column of several buckets shows their mean. Buckets that are empty, outside the
    retention or in the future count as 0.
    """
    columns = {}
    for name in COLUMNS:
        values = buckets[name].astype("float64").fillna(0.0).to_numpy()
        parts = np.array_split(values, min(len(values), MOST_COLUMNS))
        columns[name] = [float(part.mean()) for part in parts]
    return columns


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
