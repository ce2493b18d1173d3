"""The empty state: say why there is nothing to draw, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dash import dcc, html
from dash.development.base_component import Component

from aggregator.installation import this_installation
from aggregator.metrics.periods import CALENDAR
from aggregator.metrics.scope import OVERALL
from aggregator.metrics.windows import HOUR
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.context import PageContext
from dashboard.page.parts.attributes import Children
from dashboard.selection.view import View


def empty_state(overview: Overview, view: View, context: PageContext, scope_name: str) -> Children:
    """Explain a period without turns and time; empty if it has some.

    Args:
        overview: The view's metrics.
        view: The requested view.
        context: The source of turns, and the retention.
        scope_name: The scope in words, such as ``All projects``.
    """
    if not overview.totals.is_quiet:
        return []
    if overview.newest_bucket is None and overview.newest_turn_at is None:
        return _nothing_ever(overview, context, scope_name)
    period = overview.period
    name = formatting.period_name(period)
    if overview.window.until <= overview.kept_since:
        return [html.H2(f"{name} is no longer kept"), _retention_hint(context)]
    return [
        html.H2(f"No turns {'on' if period.name == 'day' else 'in'} {name}"),
        html.P(_subject(overview, scope_name)),
        *_newest(overview, view, context),
    ]


def _retention_hint(context: PageContext) -> Component:
    option = "--retention-days" if context.looked_in else "ACTIVITY_RETENTION_DAYS"
    return html.P(
        [
            f"Hourly metrics are kept for {formatting.counted(context.retention_days, 'day')}; ",
            html.Code(option),
            " keeps more.",
        ]
    )


def _nothing_ever(overview: Overview, context: PageContext, scope_name: str) -> Children:
    if overview.scope != OVERALL:
        return [html.H2("No turns yet"), html.P(f"{scope_name} has no turns at any time.")]
    if not context.looked_in:
        return [
            html.H2("No activity yet"),
            html.P("As soon as an agent has its first turn, it shows up here within minutes."),
        ]
    return [
        html.H2("No activity yet"),
        html.P("No Claude Code transcripts with turns were found in"),
        html.Ul([_looked_in(folder) for folder in context.looked_in]),
        html.P("What to do:"),
        html.Ul(_first_steps(), className="activity-steps"),
    ]


def _looked_in(folder: Path) -> Component:
    missing = "" if folder.is_dir() else ", which is not there"
    return html.Li([html.Code(str(folder)), missing])


def _first_steps() -> list[Component]:
    return [
        html.Li("Start Claude Code on this machine: this page notices by itself."),
        html.Li(
            [
                "Or name the folder with ",
                html.Code("--transcripts DIR"),
                ", as in ",
                html.Code(this_installation().serve_command("--transcripts DIR")),
            ]
        ),
        html.Li(["Or look at made-up activity first with ", html.Code("--demo")]),
    ]


def _subject(overview: Overview, scope_name: str) -> str:
    if overview.scope.kind == "overall":
        return f"{scope_name} were quiet."
    return f"{scope_name} {'was' if len(overview.scope.ids) == 1 else 'were'} quiet."


def _newest(overview: Overview, view: View, context: PageContext) -> list[Component]:
    """Link to the latest activity, or say why there is none to link to."""
    bucket, turn = overview.newest_bucket, overview.newest_turn_at
    if turn is not None and (bucket is None or turn >= bucket + HOUR):
        if turn >= overview.kept_since:
            return [html.P("New turns have arrived and will be counted within minutes.")]
        zone = overview.period.zone
        return [
            html.P(f"The last turn was on {formatting.date(turn.astimezone(zone))}."),
            _retention_hint(context),
        ]
    return [] if bucket is None else _link_to(bucket, overview, view)


def _link_to(bucket: datetime, overview: Overview, view: View) -> list[Component]:
    zone = overview.period.zone
    start, end = bucket.astimezone(zone), (bucket + HOUR).astimezone(zone)
    as_of = overview.window.as_of
    window = view.window if view.window in CALENDAR else "day"
    around = replace(view, window=window, on=start.date())
    target = around.during(around.period(zone, as_of), as_of)
    between = f"between {formatting.clock(start)} and {formatting.clock(end)}"
    return [
        html.P(f"The latest activity was on {formatting.date(start)}, {between}."),
        html.P(
            dcc.Link("Show the latest activity", href=target.address, className="activity-button")
        ),
    ]
