"""The layout of the page before its first answer, with every element in its place.

Nothing moves when numbers arrive, because an answer only changes the content of these
elements.
"""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.charts.time.capacity_chart import CAPTION
from dashboard.context import PageContext
from dashboard.labels import AT_WORK, CHART_LABELS, ONE_AGENT, OPEN_AGENTS
from dashboard.page import ids
from dashboard.page.parts.attributes import aria, data
from dashboard.page.parts.captions import state_counts
from dashboard.page.parts.cards import cards
from dashboard.page.parts.controls import controls, pattern_choice, step_choice, tool
from dashboard.page.parts.panels import Panel, chart_panel

CHART = Panel(ids.CHART, "chart", ids.CHART_TITLE, ids.CHART_SUMMARY, legend=ids.LEGEND)
WORK = Panel(
    ids.WORK,
    "work",
    ids.WORK_TITLE,
    ids.WORK_SUMMARY,
    text=CHART_LABELS[AT_WORK],
    legend=ids.WORK_LEGEND,
)
TIMELINE = Panel(
    ids.TIMELINE,
    "timeline",
    ids.TIMELINE_TITLE,
    ids.TIMELINE_SUMMARY,
    text=CHART_LABELS[ONE_AGENT],
    legend=ids.TIMELINE_LEGEND,
    frame=ids.TIMELINE_FRAME,
)
PATTERN = Panel(ids.PATTERN, "pattern", ids.PATTERN_TITLE, ids.PATTERN_SUMMARY)
CAPACITY = Panel(
    ids.CAPACITY,
    "capacity",
    ids.CAPACITY_TITLE,
    ids.CAPACITY_SUMMARY,
    text=CHART_LABELS[OPEN_AGENTS],
    note=CAPTION,
)


def build_layout(context: PageContext) -> Component:
    """Build the page for a context, without any numbers."""
    return html.Div(
        [
            *_memory(),
            html.Div(className="activity-progress", **aria(hidden="true")),
            _head(context),
            # Its content is HTML, see dashboard/page/parts/now_strip.py.
            html.Section(
                id=ids.NOW,
                className="activity-now activity-panel",
                **aria(label="What all agents do now"),
            ),
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
        dcc.Store(id=ids.NOW_STRIP),
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
    about = html.Span(": all activity on this page is made up", className="activity-demo-about")
    return [html.Div(["Demo data", about], className="activity-demo", role="note")]


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
    """Return the charts and the table, which the empty state can replace.

    Its classes say which panels are in sight, see :func:`dashboard.page.draw.view_class`.
    """
    return html.Div(
        [
            chart_panel(CHART, step_choice()),
            html.Section(id=ids.EMPTY, className="activity-empty"),
            chart_panel(WORK),
            chart_panel(TIMELINE, html.Span(id=ids.SUB_AGENTS, className="activity-shares")),
            _agent_table(),
            chart_panel(PATTERN, pattern_choice()),
            html.Div([chart_panel(CAPACITY), _asking()], className="activity-pair"),
        ],
        id=ids.VIEW,
        className="activity-view is-waiting is-time has-steps",
    )


def _asking() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("What asking costs"),
                    tool("CSV", data(csv="asking"), "Save this table, by project"),
                ],
                className="activity-panel-head",
            ),
            html.P(id=ids.ASKING_NOTE, className="activity-note"),
            html.Div(id=ids.ASKING, className="activity-asking"),
        ],
        className="activity-panel activity-chart-panel activity-panel-asking",
    )


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
