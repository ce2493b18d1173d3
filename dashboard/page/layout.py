"""The layout of the page before its first answer, with every element in its place.

Nothing moves when numbers arrive, because an answer only changes the content of these
elements.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.context import PageContext
from dashboard.labels import LABELS, TURNS
from dashboard.page import ids
from dashboard.page.parts.attributes import aria, data
from dashboard.page.parts.captions import state_counts
from dashboard.page.parts.cards import cards

WINDOW_OPTIONS = [
    {"label": "Day", "value": "day"},
    {"label": "Week", "value": "week"},
    {"label": "Month", "value": "month"},
    {"label": "Custom", "value": "custom"},
]
METRIC_OPTIONS = [{"label": label, "value": metric} for metric, label in LABELS.items()]
ACTIVE = "active"
"""Value of the switch "Active only" when it is on."""


def build_layout(context: PageContext) -> Component:
    """Build the page for a context, without any numbers."""
    return html.Div(
        [
            *_memory(),
            html.Div(className="activity-progress", **aria(hidden="true")),
            *_demo_notice(context),
            _head(),
            html.Div(id=ids.NOTICE, className="activity-notice", role="status"),
            html.Div(id=ids.CONNECTION, className="activity-notice", role="status"),
            _time_controls(),
            _scope_controls(),
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


def _demo_notice(context: PageContext) -> list[Component]:
    if not context.demo:
        return []
    text = "Demo data: all activity on this page is made up"
    return [html.Div(text, className="activity-demo", role="note")]


def _head() -> Component:
    return html.Header(
        [
            html.H1("Activity"),
            html.Ul(
                state_counts(None),
                id=ids.STATES,
                className="activity-states",
                **aria(label="Agents now"),
            ),
            html.Span(id=ids.FRESHNESS, className="activity-freshness"),
            html.Div(
                [
                    _tool("Copy link", data(copy="")),
                    _tool("Theme", data(theme="")),
                    _tool("Keys", data(keys="")),
                ],
                className="activity-tools",
            ),
        ],
        className="activity-page-head",
    )


def _tool(label: str, attributes: dict[str, Any], title: str | None = None) -> Component:
    return html.Button(label, className="activity-tool", title=title, **attributes)


def _time_controls() -> Component:
    return html.Div(
        [
            html.Fieldset(
                [
                    html.Legend("Period", className="activity-unseen"),
                    dcc.RadioItems(
                        WINDOW_OPTIONS, "day", id=ids.WINDOW, className="activity-segments"
                    ),
                ],
                className="activity-window",
            ),
            html.Nav(id=ids.PERIOD, className="activity-period", **aria(label="Period")),
            html.Div(id=ids.RANGE_BOX, className="activity-range"),
            _choice(
                ids.ZONE,
                "Time zone",
                dcc.Dropdown(zone_options(), id=ids.ZONE, clearable=False, maxHeight=320),
            ),
        ],
        className="activity-controls activity-time-controls",
    )


@cache
def zone_options() -> list[dict[str, str]]:
    """Return the time zones of the dropdown, sorted by name."""
    names = (name for name in available_timezones() if "/" in name or name == "UTC")
    offered = (name for name in names if not name.startswith(("Etc/", "SystemV/", "US/", "posix")))
    return [{"label": name.replace("_", " "), "value": name} for name in sorted(offered)]


def _scope_controls() -> Component:
    return html.Div(
        [
            _choice(
                ids.PROJECT,
                "Project",
                dcc.Dropdown(
                    [], id=ids.PROJECT, multi=True, placeholder="All projects", maxHeight=320
                ),
            ),
            _choice(
                ids.AGENT,
                "Agent",
                dcc.Dropdown([], id=ids.AGENT, multi=True, placeholder="All agents", maxHeight=320),
            ),
            _choice(
                ids.METRIC,
                "Charts show",
                dcc.Dropdown(
                    METRIC_OPTIONS, TURNS, id=ids.METRIC, clearable=False, searchable=False
                ),
            ),
            dcc.Checklist(
                [{"label": "Active only", "value": ACTIVE}],
                [ACTIVE],
                id=ids.ACTIVE_ONLY,
                className="activity-switch",
            ),
        ],
        className="activity-controls",
    )


def _choice(dropdown_id: str, label: str, dropdown: Component) -> Component:
    return html.Div(
        [
            # Dash labels the button by the elements "…-value-count" and "…-value". The first
            # exists only for multiple choice, so elsewhere the label can take its place.
            html.Label(label, id=f"{dropdown_id}-label", htmlFor=dropdown_id),
            dropdown,
        ],
        className=f"activity-choice activity-choice-{dropdown_id}",
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
                    _tool("PNG", data(png=chart), "Save the chart as a picture"),
                    _tool("CSV", data(csv=table), "Save its numbers as a table"),
                ],
                className="activity-panel-head",
            ),
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


def _agent_table() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Projects and agents"),
                    html.Span(id=ids.SHARES, className="activity-shares"),
                    _tool("CSV", data(csv="agent-table"), "Save this table"),
                ],
                className="activity-panel-head",
            ),
            # Its rows are HTML, see dashboard/page/parts/agent_table.py.
            html.Div(id=ids.PROJECTS, className="activity-agent-table"),
        ],
        className="activity-agent-table-panel activity-panel",
    )
