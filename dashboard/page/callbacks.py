"""The page's one callback: the controls and the address in, the whole view out.

The address carries the view and the controls show it, so both are inputs and outputs of
the same callback. The one that changed decides; the answer adjusts the other. One change
is one request, and Dash drops an answer that a newer request has overtaken.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, ctx, no_update

from aggregator.errors import HostSchemaError, NotMigratedError, RightsMissingError
from aggregator.query.reader import DATABASE_AWAY, MetricReader
from dashboard.context import Clock, PageContext
from dashboard.page import ids
from dashboard.page.changed_view import changed_view
from dashboard.page.draw import draw, notice
from dashboard.page.shared_contents import Drawn, Maker, SharedContents
from dashboard.selection.address import CUSTOM
from dashboard.selection.answer import Viewer, read_answer
from dashboard.selection.choices import Choices
from dashboard.selection.view import View

log = logging.getLogger(__name__)

OUTPUTS = {
    "search": Output(ids.URL, "search"),
    "window": Output(ids.WINDOW, "value"),
    "period": Output(ids.PERIOD, "children"),
    "range": Output(ids.RANGE_BOX, "children"),
    "project": Output(ids.PROJECT, "value"),
    "project_options": Output(ids.PROJECT, "options"),
    "agent": Output(ids.AGENT, "value"),
    "agent_options": Output(ids.AGENT, "options"),
    "origin": Output(ids.ORIGIN, "value"),
    "metric": Output(ids.METRIC, "value"),
    "step": Output(ids.STEP, "value"),
    "active_only": Output(ids.ACTIVE_ONLY, "value"),
    "zone": Output(ids.ZONE, "value"),
    "crumbs": Output(ids.CRUMBS, "children"),
    "states": Output(ids.STATES, "children"),
    "now": Output(ids.NOW_STRIP, "data"),
    "now_rows": Output(ids.NOW, "style"),
    "notice": Output(ids.NOTICE, "children"),
    "caption": Output(ids.CAPTION, "children"),
    "cards": Output(ids.CARDS, "children"),
    "figure": Output(ids.CHART, "figure"),
    "clicked": Output(ids.CHART, "clickData"),
    "hour": Output(ids.HOUR, "children"),
    "chart_title": Output(ids.CHART_TITLE, "children"),
    "legend": Output(ids.LEGEND, "children"),
    "chart_summary": Output(ids.CHART_SUMMARY, "children"),
    "work": Output(ids.WORK, "figure"),
    "work_legend": Output(ids.WORK_LEGEND, "children"),
    "work_summary": Output(ids.WORK_SUMMARY, "children"),
    "timeline": Output(ids.TIMELINE, "figure"),
    "timeline_frame": Output(ids.TIMELINE_FRAME, "style"),
    "timeline_legend": Output(ids.TIMELINE_LEGEND, "children"),
    "timeline_summary": Output(ids.TIMELINE_SUMMARY, "children"),
    "sub_agents": Output(ids.SUB_AGENTS, "children"),
    "capacity": Output(ids.CAPACITY, "figure"),
    "capacity_summary": Output(ids.CAPACITY_SUMMARY, "children"),
    "asking": Output(ids.ASKING, "children"),
    "asking_note": Output(ids.ASKING_NOTE, "children"),
    "pattern_of": Output(ids.PATTERN_OF, "value"),
    "pattern": Output(ids.PATTERN, "figure"),
    "pattern_title": Output(ids.PATTERN_TITLE, "children"),
    "pattern_summary": Output(ids.PATTERN_SUMMARY, "children"),
    "agent_table": Output(ids.AGENT_TABLE, "data"),
    "shares": Output(ids.SHARES, "children"),
    "downloads": Output(ids.DOWNLOADS, "data"),
    "version": Output(ids.VERSION, "data"),
    "empty": Output(ids.EMPTY, "children"),
    "view": Output(ids.VIEW, "className"),
    "announcement": Output(ids.ANNOUNCEMENT, "children"),
}

CONTROLS = {
    "window": Input(ids.WINDOW, "value"),
    "project": Input(ids.PROJECT, "value"),
    "agent": Input(ids.AGENT, "value"),
    "origin": Input(ids.ORIGIN, "value"),
    "metric": Input(ids.METRIC, "value"),
    "pattern_of": Input(ids.PATTERN_OF, "value"),
    "step": Input(ids.STEP, "value"),
    "active_only": Input(ids.ACTIVE_ONLY, "value"),
    "zone": Input(ids.ZONE, "value"),
    "clicked": Input(ids.CHART, "clickData"),
    # These exist only while the period is a custom one.
    "first": Input(ids.RANGE, "start_date", allow_optional=True),
    "last": Input(ids.RANGE, "end_date", allow_optional=True),
}

INPUTS = {
    "search": Input(ids.URL, "search"),
    "viewer": Input(ids.VIEWER, "data"),
    "tick": Input(ids.TICK, "data"),
    "controls": CONTROLS,
}

UNCHANGED = dict.fromkeys(OUTPUTS, no_update)

DATABASE_AWAY_NOTICE = (
    "The database does not answer. What you see may be out of date; trying again every few seconds."
)


def register(app: Dash, reader: MetricReader, now: Clock, contents: SharedContents) -> None:
    """Register the page's callbacks: four in the browser, one on the server."""
    app.clientside_callback(
        ClientsideFunction("activity", "agent_table"),
        Input(ids.AGENT_TABLE, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("activity", "now_strip"),
        Input(ids.NOW_STRIP, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("activity", "downloads"),
        Input(ids.DOWNLOADS, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("activity", "shown"),
        Input(ids.VERSION, "data"),
    )

    # The layout comes with the first answer in it, see first_answer.py.
    @app.callback(output=OUTPUTS, inputs=INPUTS, prevent_initial_call=True)
    def update(
        *,
        search: str | None,
        viewer: dict[str, str] | None,
        tick: int,  # noqa: ARG001 - it only signals that there are new numbers
        controls: dict[str, Any],
    ) -> dict[str, Any]:
        choice = Choice(search, Viewer.of(viewer), controls, frozenset(changed_ids()))
        found = content(choice, reader, contents, now())
        return {**found, **left_alone(search)} if choice.are_news else found


def maker(reader: MetricReader, context: PageContext) -> Maker:
    """Return the function that reads and draws a view."""

    def make(view: View, viewer: Viewer, as_of: datetime) -> Drawn:
        answer = read_answer(reader, view, viewer, as_of, context)
        drawn = draw(answer, viewer, context)
        return Drawn.of(drawn, answer.problems, answer.choices.scope_name(answer.view))

    return make


def left_alone(search: str | None) -> dict[str, Any]:
    """Return what news leave as it is: what is read out, and an open picker of chosen days."""
    is_custom = View.parse(search)[0].window == CUSTOM
    return {"announcement": no_update} | ({"range": no_update} if is_custom else {})


@dataclass(frozen=True, slots=True)
class Choice:
    """A request of the browser for a view.

    Attributes:
        search: Query of the page's address.
        viewer: The viewer's time zone and colour scheme.
        controls: Values of the controls, by the names of :data:`CONTROLS`.
        changed: Ids of the elements that changed; none at first load.
    """

    search: str | None
    viewer: Viewer
    controls: Mapping[str, Any] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()

    @property
    def are_news(self) -> bool:
        """True if nothing but the numbers has changed."""
        return self.changed == {ids.TICK}


def content(
    choice: Choice, reader: MetricReader, contents: SharedContents, as_of: datetime
) -> dict[str, Any]:
    """Return the content of every element, by the names of :data:`OUTPUTS`; only read it."""
    addressed, problems = View.parse(choice.search)
    try:
        view = changed_view(addressed, choice.controls, choice.changed, choice.viewer, as_of)
        if ids.PROJECT in choice.changed:
            view = Choices(*reader.choices()).cascaded(view)
        drawn = contents.content(view, choice.viewer, are_news=choice.are_news)
    except DATABASE_AWAY:
        # Without a version, the page asks again as soon as the database is back.
        return {**UNCHANGED, "version": None, "notice": DATABASE_AWAY_NOTICE}
    except (HostSchemaError, NotMigratedError, RightsMissingError) as missing:
        log.warning("the page cannot be filled: %s", missing)
        return {**UNCHANGED, "version": None, "notice": f"Nothing to show: {missing}."}
    address = no_update if view == addressed else view.search
    text = notice((*problems, *drawn.problems), drawn.name)
    return {"search": address, "notice": text, **drawn.content}


def changed_ids() -> list[str]:
    """Return the ids of the elements that caused the current request; none at first load."""
    return [str(item["prop_id"]).split(".")[0] for item in ctx.triggered]
