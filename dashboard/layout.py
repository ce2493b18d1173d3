"""The page before its first answer: every element is in its place from the start.

Nothing moves when numbers arrive, because all that an answer changes is the content
of elements that are here.
"""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import ids
from dashboard.components import aria, cards, state_counts
from dashboard.context import PageContext
from dashboard.view import DEFAULT_WINDOW

REFRESH_MS = 60_000

WINDOW_OPTIONS = [
    {"label": "Day", "value": "day"},
    {"label": "Week", "value": "week"},
    {"label": "Month", "value": "month"},
]


def build_layout(context: PageContext) -> Component:
    """The page for a context, without any numbers."""
    return html.Div(
        [
            dcc.Location(id=ids.URL, refresh=False),
            dcc.Store(id=ids.VIEWER),
            dcc.Interval(id=ids.TICK, interval=REFRESH_MS),
            html.Div(className="activity-progress", **aria(hidden="true")),
            *_demo_notice(context),
            html.Header(
                [
                    html.H1("Activity"),
                    html.Ul(
                        state_counts(None),
                        id=ids.STATES,
                        className="activity-states",
                        **aria(label="Agents now"),
                    ),
                ],
                className="activity-page-head",
            ),
            html.Div(id=ids.NOTICE, className="activity-notice", role="status"),
            html.Div(id=ids.CONNECTION, className="activity-notice", role="status"),
            _controls(),
            html.Div(id=ids.CAPTION, className="activity-caption"),
            html.Dl(cards(None), id=ids.CARDS, className="activity-cards activity-panel"),
            _view(),
            html.P(id=ids.ANNOUNCEMENT, className="activity-unseen", **aria(live="polite")),
        ],
        className="activity",
    )


def _demo_notice(context: PageContext) -> list[Component]:
    if not context.demo:
        return []
    text = "Demo data: all activity on this page is made up"
    return [html.Div(text, className="activity-demo", role="note")]


def _controls() -> Component:
    return html.Div(
        [
            html.Fieldset(
                [
                    html.Legend("Window", className="activity-unseen"),
                    dcc.RadioItems(
                        WINDOW_OPTIONS, DEFAULT_WINDOW, id=ids.WINDOW, className="activity-segments"
                    ),
                ],
                className="activity-window",
            ),
            _dropdown(ids.PROJECT, "Project", "All projects"),
            _dropdown(ids.AGENT, "Agent", "All agents"),
        ],
        className="activity-controls",
    )


def _dropdown(dropdown_id: str, label: str, placeholder: str) -> Component:
    return html.Div(
        [
            # Dash names the button after the elements "…-value-count" and "…-value". The
            # first exists for multiple choice only, so the label can be it.
            html.Label(label, id=f"{dropdown_id}-value-count", htmlFor=dropdown_id),
            dcc.Dropdown(
                [], id=dropdown_id, placeholder=placeholder, maxHeight=320, optionHeight=34
            ),
        ],
        className="activity-choice",
    )


def _view() -> Component:
    """Chart and list, in whose place the empty state can stand."""
    return html.Div(
        [
            html.Section(
                [
                    html.H2("Turns over time", className="activity-unseen"),
                    html.Div(
                        dcc.Graph(
                            id=ids.CHART,
                            className="activity-chart",
                            responsive=True,
                            config=chart_config("activity-turns"),
                        ),
                        className="activity-chart-frame",
                        # Not "img", which may hold no button.
                        role="figure",
                        **aria(labelledby=ids.CHART_SUMMARY),
                    ),
                    html.P(id=ids.CHART_SUMMARY, className="activity-unseen"),
                ],
                className="activity-chart-panel activity-panel",
            ),
            html.Section(id=ids.EMPTY, className="activity-empty"),
            html.Section(
                [
                    html.H2("Projects and agents", className="activity-unseen"),
                    html.Div(id=ids.PROJECTS, className="activity-projects"),
                ],
                className="activity-projects-panel activity-panel",
            ),
        ],
        id=ids.VIEW,
        className="activity-view is-waiting",
    )


def chart_config(filename: str) -> dcc.Graph.Config:
    """Options of the chart: one button, and nothing that leaves this machine."""
    return {
        "displaylogo": False,
        "showSendToCloud": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": filename, "scale": 2},
    }
