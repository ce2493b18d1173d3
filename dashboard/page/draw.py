"""Draw an answer: turn what was read into the content of the page."""

from __future__ import annotations

from typing import Any

from aggregator.metrics.periods import ROLLING_DAYS
from aggregator.query.overview import Overview
from dashboard.charts import titles
from dashboard.charts.activity_chart import chart_of
from dashboard.charts.heatmap import heatmap_of
from dashboard.context import PageContext
from dashboard.page.freshness import freshness
from dashboard.page.parts import captions, navigation
from dashboard.page.parts.agent_table import project_list
from dashboard.page.parts.cards import cards
from dashboard.page.parts.downloads import downloads
from dashboard.page.parts.empty_state import empty_state
from dashboard.page.parts.legend import legend, without_legend
from dashboard.page.parts.navigation import range_picker
from dashboard.selection.answer import Answer, Viewer
from dashboard.selection.choices import Choices
from dashboard.selection.view import CUSTOM, View


def draw(answer: Answer, viewer: Viewer, context: PageContext) -> dict[str, Any]:
    """Return the content of every element, by the names of the callback's outputs."""
    view, overview, choices = answer.view, answer.overview, answer.choices
    period, names = overview.period, choices.project_names
    name = choices.scope_name(view)
    empty = empty_state(overview, view, context, name)
    chart = chart_of(overview, names, view.metric, viewer.scheme)
    pattern = heatmap_of(overview, view.metric, viewer.scheme)
    return {
        **_controls(view, overview, choices),
        "period": navigation.period_links(view, period, overview.window.as_of),
        "range": range_picker(view, overview),
        "crumbs": navigation.crumbs(view, choices),
        "states": captions.state_counts(captions.states_in(overview.scope, overview.states)),
        "caption": captions.caption(overview, titles.compared_with(overview.compared)),
        "cards": cards(overview),
        "figure": without_legend(chart),
        "legend": legend(chart),
        "chart_title": titles.chart_title(overview, view.metric),
        "chart_summary": chart["layout"]["meta"]["summary"],
        "clicked": None,
        "pattern": pattern,
        "pattern_title": titles.pattern_title(overview, view.metric),
        "pattern_summary": pattern["layout"]["meta"]["summary"],
        "agent_table": project_list(overview, view),
        "shares": captions.shares(overview.agents),
        "downloads": downloads(overview, names, view.metric, name, chart=chart, pattern=pattern),
        "version": freshness(overview, context),
        "empty": empty,
        "view": "activity-view is-empty" if empty else "activity-view",
        "announcement": captions.summary(overview, name),
    }


def _controls(view: View, overview: Overview, choices: Choices) -> dict[str, Any]:
    return {
        "window": CUSTOM if view.window in ROLLING_DAYS else view.window,
        "project": list(view.projects),
        "project_options": choices.project_options(view),
        "agent": list(view.agents),
        "agent_options": choices.agent_options(view),
        "metric": view.metric,
        "active_only": [] if view.everyone else ["active"],
        "zone": overview.period.zone.key,
    }


def notice(problems: tuple[str, ...], shown: str) -> str:
    """Say what is wrong with a request, and what is shown instead; empty without problems."""
    return " ".join([*problems, f"Showing {shown[0].lower()}{shown[1:]}."]) if problems else ""
