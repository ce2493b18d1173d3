"""The panels of the page: a chart or a table with its heading, its buttons and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.page.parts.attributes import aria, data
from dashboard.page.parts.controls import tool


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel with a chart.

    Attributes:
        chart: Id of the chart.
        table: Name of the table with its numbers, and of its style.
        title: Id of the heading.
        summary: Id of the description for screen readers.
        text: The heading, if it is always the same.
        legend: Id of its legend, or None.
        frame: Id of the chart's frame, whose height depends on the answer, or None.
        note: A caption below the chart.
    """

    chart: str
    table: str
    title: str
    summary: str
    text: str | None = None
    legend: str | None = None
    frame: str | None = None
    note: str = ""


def chart_panel(panel: Panel, *beside: Component) -> Component:
    """Return a panel with a chart, without any numbers; some controls stand beside its heading."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2(panel.text, id=panel.title, tabIndex="-1"),
                    *beside,
                    tool("PNG", data(png=panel.chart), "Save the chart as a picture"),
                    tool("CSV", data(csv=panel.table), "Save its numbers as a table"),
                ],
                className="activity-panel-head",
            ),
            *_legend(panel),
            _frame(panel),
            html.P(id=panel.summary, className="activity-unseen"),
            *([html.P(panel.note, className="activity-note")] if panel.note else []),
            numbers(panel.table),
        ],
        className=f"activity-panel activity-chart-panel activity-panel-{panel.table}",
    )


def _frame(panel: Panel) -> Component:
    identity: dict[str, Any] = {"id": panel.frame} if panel.frame else {}
    return html.Div(
        dcc.Graph(
            id=panel.chart,
            className=f"activity-plot activity-plot-{panel.table}",
            responsive=True,
            config={"displayModeBar": False, "showSendToCloud": False},
        ),
        className=f"activity-frame activity-frame-{panel.table}",
        # Not "img", which must not contain buttons.
        role="figure",
        **aria(labelledby=panel.title, describedby=panel.summary),
        **identity,
    )


def _legend(panel: Panel) -> list[Component]:
    if panel.legend is None:
        return []
    # It scrolls where it is longer than its place, which a keyboard can do only with the focus.
    named = aria(label="Legend")
    return [html.Ul(id=panel.legend, className="activity-legend", tabIndex="0", **named)]


def numbers(table: str) -> Component:
    """Return the place that shows the numbers of a chart as a table."""
    return html.Details(
        [
            html.Summary("Show as a table"),
            # Filled by assets/chart-tables.js on opening.
            html.Div(**data(table=table)),
        ],
        className="activity-numbers",
    )
