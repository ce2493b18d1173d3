"""What the page says where there is nothing to draw, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dash import dcc, html
from dash.development.base_component import Component

from aggregator.read import Activity
from aggregator.windows import HOUR
from dashboard import words
from dashboard.components import SPAN_WORDS, Children
from dashboard.context import PageContext
from dashboard.view import View


def empty_state(
    activity: Activity, view: View, zone: ZoneInfo, context: PageContext, scope_name: str
) -> Children:
    """Explain a window without turns; nothing where there are some.

    Args:
        activity: The view's metrics.
        view: What was asked for.
        zone: The viewer's time zone.
        context: Where turns come from and how long their metrics are kept.
        scope_name: The scope in words, such as ``All projects``.
    """
    if not activity.hours.empty:
        return []
    if activity.newest_bucket is None and activity.newest_turn_at is None:
        return _nothing_ever(activity, context, scope_name)
    return [
        html.H2(f"No turns {_window_words(activity, view, zone)}"),
        html.P(_subject(activity, scope_name)),
        *_newest(activity, view, zone, context),
    ]


def _nothing_ever(activity: Activity, context: PageContext, scope_name: str) -> Children:
    if activity.scope.kind != "overall":
        return [html.H2("No turns yet"), html.P(f"{scope_name} has no turns at any time.")]
    if not context.looked_in:
        return [
            html.H2("No activity yet"),
            html.P("As soon as an agent has its first turn, it shows up here within minutes."),
        ]
    return [
        html.H2("No activity yet"),
        html.P("No Claude Code transcripts with turns were found in"),
        html.Ul([html.Li(html.Code(str(folder))) for folder in context.looked_in]),
        html.P("What to do:"),
        html.Ul(_ways_to_begin(), className="activity-steps"),
    ]


def _ways_to_begin() -> list[Component]:
    return [
        html.Li("Start Claude Code on this machine: this page notices by itself."),
        html.Li(
            [
                "Or name the folder with ",
                html.Code("--transcripts DIR"),
                ", as in ",
                html.Code('make serve ARGS="--transcripts DIR"'),
            ]
        ),
        html.Li(["Or look at made-up activity first with ", html.Code("--demo")]),
    ]


def _window_words(activity: Activity, view: View, zone: ZoneInfo) -> str:
    if view.until is None:
        return f"in the last {SPAN_WORDS[view.window]}"
    until = activity.window.until.astimezone(zone)
    return f"in the {SPAN_WORDS[view.window]} to {words.date(until)}, {words.clock(until)}"


def _subject(activity: Activity, scope_name: str) -> str:
    if activity.scope.kind == "overall":
        return "All projects were quiet."
    return f"{scope_name} was quiet."


def _newest(
    activity: Activity, view: View, zone: ZoneInfo, context: PageContext
) -> list[Component]:
    """Where there is activity, or why there is none any more."""
    bucket, turn = activity.newest_bucket, activity.newest_turn_at
    if turn is not None and (bucket is None or turn >= bucket + HOUR):
        now = activity.window.as_of
        if turn > now - timedelta(days=context.retention_days):
            return [html.P("New turns have arrived and will be counted within minutes.")]
        option = "--retention-days" if context.looked_in else "ACTIVITY_RETENTION_DAYS"
        return [
            html.P(f"The last turn was on {words.date(turn.astimezone(zone))}."),
            html.P(
                [
                    f"Hourly metrics are kept for {words.counted(context.retention_days, 'day')}; ",
                    html.Code(option),
                    " keeps more.",
                ]
            ),
        ]
    return [] if bucket is None else _way_to(bucket.astimezone(zone), activity, view)


def _way_to(bucket: datetime, activity: Activity, view: View) -> list[Component]:
    end = bucket + HOUR
    there = replace(view, until=None if end > activity.window.as_of else end.astimezone(UTC))
    between = f"between {words.clock(bucket)} and {words.clock(end)}"
    return [
        html.P(f"The latest activity was on {words.date(bucket)}, {between}."),
        html.P(
            dcc.Link("Show the latest activity", href=there.address, className="activity-button")
        ),
    ]
