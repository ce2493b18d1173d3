"""The layout of the page before its first answer, with every element in its place.

Nothing moves when numbers arrive, because an answer only changes the content of these
elements.
"""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.context import PageContext
from dashboard.page import ids
from dashboard.page.parts.attributes import aria, data
from dashboard.page.parts.captions import state_counts
from dashboard.page.parts.cards import cards
from dashboard.page.parts.controls import controls, tool


def build_layout(context: PageContext) -> Component:
    """Build the page for a context, without any numbers."""
    return html.Div(
        [
            *_memory(),
            html.Div(className="activity-progress", **aria(hidden="true")),
            _head(context),
            controls(),
            html.Div(
                [
                    html.Nav(id=ids.CRUMBS, className="activity-crumbs", **aria(label="Scope")),
                    html.Div(id=ids.CAPTION),
                ],
                className="activity-caption",
            ),
            html.Dl(cards(None), id=ids.CARDS, className="activity-cards activity-panel"),
            _view(),
            html.P(id=ids.ANNOUNCEMENT, className="activity-unseen", **aria(live="polite")),
            _notices(),
        ],
        className="activity",
    )


def _memory() -> list[Component]:
    """Return the invisible elements: the address, and data for the browser or the server."""
    return [
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(id=ids.VIEWER),
        # Incremented by assets/live-updates.js when there are new numbers.
        dcc.Store(id=ids.TICK),
        dcc.Store(id=ids.VERSION),
        dcc.Store(id=ids.DOWNLOADS),
        dcc.Store(id=ids.AGENT_TABLE),
    ]


def _head(context: PageContext) -> Component:
    return html.Header(
        [
            html.H1("Activity"),
            html.Ul(
                state_counts(None),
                id=ids.STATES,
                className="activity-states",
                **aria(label="Agents now"),
            ),
            *_demo_notice(context),
            html.Span(id=ids.FRESHNESS, className="activity-freshness"),
        ],
        className="activity-page-head",
    )


def _demo_notice(context: PageContext) -> list[Component]:
    if not context.demo:
        return []
    text = "Demo data: all activity on this page is made up"
    return [html.Div(text, className="activity-demo", role="note")]


def _notices() -> Component:
    """Return the notices, which lie over the page's lower edge and so move nothing."""
    return html.Div(
        [
            html.Div(id=ids.NOTICE, className="activity-notice", role="status"),
            html.Div(id=ids.CONNECTION, className="activity-notice", role="status"),
        ],
        className="activity-notices",
    )


def _view() -> Component:
    """Return the charts and the table, which the empty state can replace."""
    return html.Div(
        [
            _chart_panel(ids.CHART, ids.CHART_TITLE, ids.CHART_SUMMARY, "chart"),
            html.Section(id=ids.EMPTY, className="activity-empty"),
            _agent_table(),
            _chart_panel(ids.PATTERN, ids.PATTERN_TITLE, ids.PATTERN_SUMMARY, "pattern"),
        ],
        id=ids.VIEW,
        className="activity-view is-waiting",
    )


def _chart_panel(chart: str, title: str, summary: str, table: str) -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2(id=title),
                    tool("PNG", data(png=chart), "Save the chart as a picture"),
                    tool("CSV", data(csv=table), "Save its numbers as a table"),
                ],
                className="activity-panel-head",
            ),
            *_legend(chart),
            html.Div(
                dcc.Graph(
                    id=chart,
                    className=f"activity-plot activity-plot-{table}",
                    responsive=True,
                    config={"displayModeBar": False, "showSendToCloud": False},
                ),
                className=f"activity-frame activity-frame-{table}",
                # Not "img", which must not contain buttons.
                role="figure",
                **aria(labelledby=title, describedby=summary),
            ),
            html.P(id=summary, className="activity-unseen"),
            html.Details(
                [
                    html.Summary("Show as a table"),
                    # Filled by assets/chart-tables.js on opening.
                    html.Div(**data(table=table)),
                ],
                className="activity-numbers",
            ),
        ],
        className=f"activity-panel activity-chart-panel activity-panel-{table}",
    )


def _legend(chart: str) -> list[Component]:
    if chart != ids.CHART:
        return []
    # It scrolls where it is longer than its place, which a keyboard can do only with the focus.
    named = aria(label="Legend")
    return [html.Ul(id=ids.LEGEND, className="activity-legend", tabIndex="0", **named)]


def _agent_table() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Projects and agents"),
                    html.Span(id=ids.SHARES, className="activity-shares"),
                    tool("CSV", data(csv="agent-table"), "Save this table"),
                ],
                className="activity-panel-head",
            ),
            # Its rows are HTML, see dashboard/page/parts/agent_table.py.
            html.Div(id=ids.PROJECTS, className="activity-agent-table"),
        ],
        className="activity-agent-table-panel activity-panel",
    )
