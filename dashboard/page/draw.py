"""Draw an answer: turn what was read into the content of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aggregator.metrics.periods import ROLLING_DAYS
from aggregator.query.agents.now import in_order
from aggregator.query.overview import Overview
from dashboard.charts import titles
from dashboard.charts.figure_types import Chart
from dashboard.context import PageContext
from dashboard.labels import TIME
from dashboard.page import ids
from dashboard.page.draw_charts import NO_CHART, draw_charts
from dashboard.page.freshness import freshness
from dashboard.page.parts import captions, navigation
from dashboard.page.parts.agent_table import project_list
from dashboard.page.parts.asking import asking, reaction
from dashboard.page.parts.cards import cards
from dashboard.page.parts.controls import EVERY_ORIGIN
from dashboard.page.parts.downloads import downloads
from dashboard.page.parts.empty_state import empty_state
from dashboard.page.parts.legend import legend, without_legend
from dashboard.page.parts.navigation import range_picker
from dashboard.page.parts.now_strip import now_strip, strip_rows
from dashboard.selection.address import CUSTOM
from dashboard.selection.answer import Answer, Viewer
from dashboard.selection.choices import Choices
from dashboard.selection.view import WITH_STEPS, View


def draw(answer: Answer, viewer: Viewer, context: PageContext) -> dict[str, Any]:
    """Return the content of every element, by the names of the callback's outputs."""
    view, overview, choices = answer.view, answer.overview, answer.choices
    period, names = overview.period, choices.project_names
    name = choices.scope_name(view)
    empty = empty_state(overview, view, context, name)
    charts = draw_charts(overview, view, names, viewer.scheme)
    now = in_order(overview.states, overview.window.as_of)
    return {
        **_controls(view, overview, choices),
        **_chart_outputs(charts),
        "period": navigation.period_links(view, period, overview.window.as_of),
        "range": range_picker(view, overview),
        "crumbs": navigation.crumbs(view, choices),
        "now": now_strip(now, resumable=context.is_resumable),
        "now_rows": strip_rows(now),
        "states": captions.states_now(overview.scope, overview.states),
        "caption": captions.caption(overview, titles.compared_with(overview.compared)),
        "cards": cards(overview),
        "chart_title": titles.chart_title(overview.zoomed(), view.metric),
        "hour": navigation.hour_links(view, overview),
        "clicked": None,
        "sub_agents": captions.sub_agents(overview),
        "pattern_title": titles.pattern_title(overview, view.pattern_metric),
        "asking": asking(overview),
        "asking_note": reaction(overview),
        "agent_table": project_list(overview, view),
        "shares": captions.shares(overview.agents),
        "downloads": downloads(overview, names, view, name, charts),
        "version": freshness(overview, context),
        "empty": empty,
        "view": view_class(view, is_empty=bool(empty)),
        "announcement": captions.summary(overview, name),
    }


def _chart_outputs(charts: Mapping[str, Chart]) -> dict[str, Any]:
    """Return figures, legends and summaries; those of charts that are out of sight are empty."""
    chart, work, timeline, pattern, capacity = (
        charts.get(chart_id, NO_CHART)
        for chart_id in (ids.CHART, ids.WORK, ids.TIMELINE, ids.PATTERN, ids.CAPACITY)
    )
    return {
        "figure": without_legend(chart),
        "legend": legend(chart),
        "chart_summary": _summary(chart),
        "work": without_legend(work),
        "work_legend": legend(work),
        "work_summary": _summary(work),
        "timeline": without_legend(timeline),
        "timeline_frame": {"height": f"{timeline['layout'].get('height', 0)}px"},
        "timeline_legend": legend(timeline),
        "timeline_summary": _summary(timeline),
        "pattern": pattern,
        "pattern_summary": _summary(pattern),
        "capacity": without_legend(capacity),
        "capacity_summary": _summary(capacity),
    }


def _summary(chart: Chart) -> str:
    return str(chart["layout"].get("meta", {}).get("summary", ""))


def view_class(view: View, *, is_empty: bool) -> str:
    """Return the classes of the view, which say what is in sight."""
    classes = {
        "activity-view": True,
        "is-empty": is_empty,
        "is-time": view.metric == TIME,
        "is-alone": len(view.agents) == 1,
        "has-steps": view.window in WITH_STEPS,
        "is-narrow": view.hour is not None,
    }
    return " ".join(name for name, applies in classes.items() if applies)


def _controls(view: View, overview: Overview, choices: Choices) -> dict[str, Any]:
    return {
        "window": CUSTOM if view.window in ROLLING_DAYS else view.window,
        "project": list(view.projects),
        "project_options": choices.project_options(view),
        "agent": list(view.agents),
        "agent_options": choices.agent_options(view),
        "origin": view.origin or EVERY_ORIGIN,
        "metric": view.metric,
        "step": view.step,
        "pattern_of": view.pattern,
        "active_only": [] if view.everyone else ["active"],
        "zone": overview.period.zone.key,
    }


def notice(problems: tuple[str, ...], shown: str) -> str:
    """Say what is wrong with a request, and what is shown instead; empty without problems."""
    return " ".join([*problems, f"Showing {shown[0].lower()}{shown[1:]}."]) if problems else ""
