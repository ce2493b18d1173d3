"""The page's one callback: the controls and the address in, the whole view out.

The address carries the view and the controls show it, so both are input and output
of the same callback. Whichever changed says what is wanted; the answer brings the
other into line. One change is one request, and an answer that a newer request has
overtaken is dropped by Dash.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, ctx, no_update

from aggregator.errors import HostSchemaError, NotMigratedError
from aggregator.read import DATABASE_AWAY, MetricReader
from dashboard import ids
from dashboard.answer import Viewer, draw, read_answer
from dashboard.context import Clock, PageContext
from dashboard.view import View

log = logging.getLogger(__name__)

OUTPUTS = {
    "search": Output(ids.URL, "search"),
    "window": Output(ids.WINDOW, "value"),
    "project": Output(ids.PROJECT, "value"),
    "project_options": Output(ids.PROJECT, "options"),
    "agent": Output(ids.AGENT, "value"),
    "agent_options": Output(ids.AGENT, "options"),
    "states": Output(ids.STATES, "children"),
    "notice": Output(ids.NOTICE, "children"),
    "caption": Output(ids.CAPTION, "children"),
    "cards": Output(ids.CARDS, "children"),
    "figure": Output(ids.CHART, "figure"),
    "config": Output(ids.CHART, "config"),
    "chart_summary": Output(ids.CHART_SUMMARY, "children"),
    "projects": Output(ids.PROJECTS, "children"),
    "empty": Output(ids.EMPTY, "children"),
    "view": Output(ids.VIEW, "className"),
    "announcement": Output(ids.ANNOUNCEMENT, "children"),
}
INPUTS = {
    "search": Input(ids.URL, "search"),
    "window": Input(ids.WINDOW, "value"),
    "project": Input(ids.PROJECT, "value"),
    "agent": Input(ids.AGENT, "value"),
    "viewer": Input(ids.VIEWER, "data"),
    "tick": Input(ids.TICK, "n_intervals"),
}
CONTROLS = {ids.WINDOW, ids.PROJECT, ids.AGENT}
UNCHANGED = dict.fromkeys(OUTPUTS, no_update)
AWAY = "The database does not answer. What you see may be out of date; trying again every minute."


def register(app: Dash, reader: MetricReader, context: PageContext, now: Clock) -> None:
    """Give the page its callbacks: one in the browser, one here."""
    app.clientside_callback(
        ClientsideFunction("activity", "viewer"),
        Output(ids.VIEWER, "data"),
        Input(ids.VIEWER, "id"),
    )

    @app.callback(output=OUTPUTS, inputs=INPUTS)
    def update(
        *,
        search: str | None,
        window: str,
        project: int | None,
        agent: int | None,
        viewer: dict[str, str] | None,
        tick: int,  # noqa: ARG001 - it only says that a minute has passed
    ) -> dict[str, Any]:
        changed = set(changed_ids())
        view = wanted_view(search, View(window, project, agent), changed)
        address = no_update if view == View.parse(search) else view.search
        try:
            answer = read_answer(reader, view, now())
        except DATABASE_AWAY as failure:
            log.warning("the page has no database: %s", str(failure).split("\n", 1)[0])
            return {**UNCHANGED, "search": address, "notice": AWAY}
        except (HostSchemaError, NotMigratedError) as missing:
            log.warning("the page cannot be filled: %s", missing)
            return {**UNCHANGED, "search": address, "notice": f"Nothing to show: {missing}."}
        shown = draw(answer, Viewer.of(viewer), context)
        if changed == {ids.TICK}:
            # Nobody wants to hear the same view's numbers every minute.
            shown["announcement"] = no_update
        return {"search": address, **shown}


def changed_ids() -> list[str]:
    """Ids of the elements that caused the present request; none at first load."""
    return [str(item["prop_id"]).split(".")[0] for item in ctx.triggered]


def wanted_view(search: str | None, controls: View, changed: set[str]) -> View:
    """The view that a request is about.

    Args:
        search: Query string of the address.
        controls: What the controls show, which know neither the end of the window nor
            which projects are unfolded.
        changed: Ids of the elements that changed.
    """
    addressed = View.parse(search)
    if not changed & CONTROLS:
        return addressed
    if ids.PROJECT in changed:
        # The agent chosen before belongs to another project.
        controls = replace(controls, agent=None)
    return replace(controls, until=addressed.until, unfolded=addressed.unfolded)
