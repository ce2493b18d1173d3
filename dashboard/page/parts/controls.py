"""The row of controls below the page's heading: period, scope, metric, and a menu."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from dash import dcc, html
from dash.development.base_component import Component

from aggregator.metrics.periods import LAST_24_HOURS
from aggregator.metrics.scope import ORIGINS
from dashboard.labels import METRIC_LABELS, TIME, WAIT_PATTERN, WORK_PATTERN
from dashboard.page import ids
from dashboard.page.parts.attributes import aria, data
from dashboard.selection.address import CUSTOM, STEPS

WINDOW_OPTIONS = [
    # Texts alone: a component in a label is drawn later, and moves what is beside it.
    {"label": "Last 24 hours", "value": LAST_24_HOURS},
    {"label": "Day", "value": "day"},
    {"label": "Week", "value": "week"},
    {"label": "Month", "value": "month"},
    {"label": "Custom", "value": CUSTOM},
]
METRIC_OPTIONS = [{"label": label, "value": metric} for metric, label in METRIC_LABELS.items()]
PATTERN_OPTIONS = [
    {"label": "Working", "value": WORK_PATTERN},
    {"label": "Waiting for me", "value": WAIT_PATTERN},
]
STEP_OPTIONS = [
    {"label": label, "value": step}
    for label, step in zip(("Hour", "15 min", "5 min"), STEPS, strict=True)
]
EVERY_ORIGIN = "all"
ORIGIN_OPTIONS = [
    {"label": "All", "value": EVERY_ORIGIN},
    *({"label": origin.capitalize(), "value": origin} for origin in ORIGINS),
]
ACTIVE = "active"
"""Value of the switch that hides quiet projects and agents when it is on."""

DROPDOWN_LABELS: dcc.Dropdown.Labels = {
    "select_all": "Select all",
    "deselect_all": "Deselect all",
    "selected_count": "{num_selected} selected",
    "search": "Search",
    "clear_search": "Clear search",
    "clear_selection": "Clear selection",
    "no_options_found": "Nothing found",
}
"""Texts of Dash's dropdowns, whose own are in Title Case."""


def controls() -> Component:
    """Return the controls, without the choices that only an answer knows."""
    return html.Div(
        [html.Div([_window(), _when()], className="activity-periods"), *_scope()],
        className="activity-controls",
    )


def pattern_choice() -> Component:
    """Return the choice of the time that the heatmap shows."""
    return html.Fieldset(
        [
            html.Legend("Time in the heatmap", className="activity-unseen"),
            dcc.RadioItems(
                PATTERN_OPTIONS, WORK_PATTERN, id=ids.PATTERN_OF, className="activity-segments"
            ),
        ],
        className="activity-pattern-of",
    )


def step_choice() -> Component:
    """Return the choice of the chart's steps, and the place of the links of one hour."""
    return html.Div(
        [
            html.Fieldset(
                [
                    html.Legend("Steps of the chart", className="activity-unseen"),
                    dcc.RadioItems(
                        STEP_OPTIONS, STEPS[0], id=ids.STEP, className="activity-segments"
                    ),
                ],
                className="activity-step-choice",
            ),
            html.Nav(id=ids.HOUR, className="activity-hour", **aria(label="Hour")),
        ],
        className="activity-steps",
    )


def tool(label: str, attributes: dict[str, Any], title: str | None = None) -> Component:
    """Return a small button that a script of ours answers, found by its data attributes."""
    return html.Button(label, className="activity-tool", title=title, **attributes)


@cache
def zone_options() -> list[dict[str, str]]:
    """Return the time zones of the dropdown, sorted by name."""
    names = (name for name in available_timezones() if "/" in name or name == "UTC")
    offered = (name for name in names if not name.startswith(("Etc/", "SystemV/", "US/", "posix")))
    return [{"label": name.replace("_", " "), "value": name} for name in sorted(offered)]


def _window() -> Component:
    return html.Fieldset(
        [
            html.Legend("Period", className="activity-unseen"),
            dcc.RadioItems(
                WINDOW_OPTIONS, LAST_24_HOURS, id=ids.WINDOW, className="activity-segments"
            ),
        ],
        className="activity-window",
    )


def _when() -> Component:
    """Return the place of the period's name, or of the range that is chosen instead."""
    return html.Div(
        [
            html.Nav(id=ids.PERIOD, className="activity-period", **aria(label="Period")),
            html.Div(id=ids.RANGE_BOX, className="activity-range"),
        ],
        className="activity-when",
    )


def _scope() -> list[Component]:
    return [
        _choice(ids.PROJECT, "Project", multi=True, placeholder="All projects", maxHeight=320),
        _choice(ids.AGENT, "Agent", multi=True, placeholder="All agents", maxHeight=320),
        _choice(
            ids.METRIC,
            "Metric",
            options=METRIC_OPTIONS,
            value=TIME,
            clearable=False,
            searchable=False,
        ),
        _menu(),
    ]


def _choice(dropdown_id: str, label: str, **options: Any) -> Component:
    return html.Div(
        [
            # Dash labels the button by the elements "…-value-count" and "…-value". The first
            # exists only for multiple choice, so elsewhere the label can take its place.
            html.Label(label, id=f"{dropdown_id}-label", htmlFor=dropdown_id),
            dcc.Dropdown(id=dropdown_id, labels=DROPDOWN_LABELS, **{"options": [], **options}),
        ],
        className=f"activity-choice activity-choice-{dropdown_id}",
    )


def _origin() -> Component:
    return html.Fieldset(
        [
            html.Legend("Agents started by hand, or by a program"),
            dcc.RadioItems(
                ORIGIN_OPTIONS, EVERY_ORIGIN, id=ids.ORIGIN, className="activity-segments"
            ),
        ],
        className="activity-origin",
    )


def _menu() -> Component:
    """Return the menu of what is chosen rarely; ``assets/menu.js`` closes it."""
    return html.Details(
        [
            html.Summary("More", className="activity-menu-button"),
            html.Div(
                [
                    _choice(
                        ids.ZONE,
                        "Time zone",
                        options=zone_options(),
                        clearable=False,
                        maxHeight=280,
                    ),
                    _origin(),
                    dcc.Checklist(
                        [{"label": "Hide quiet projects and agents", "value": ACTIVE}],
                        [ACTIVE],
                        id=ids.ACTIVE_ONLY,
                        className="activity-switch",
                    ),
                    html.Div(
                        [
                            tool("Copy link", data(copy="")),
                            tool("Theme", data(theme="")),
                            tool("Shortcuts", data(keys="")),
                        ],
                        className="activity-tools",
                    ),
                ],
                className="activity-menu-content",
            ),
        ],
        className="activity-menu",
    )
