"""Apply the controls that a viewer has changed to the view in the address."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.metrics.periods import custom_period, first_bucket
from aggregator.metrics.periods import today as local_day
from aggregator.metrics.windows import LONGEST, floor_hour
from dashboard.charts.clicks import clicked_bar
from dashboard.page import ids
from dashboard.page.parts.controls import EVERY_ORIGIN
from dashboard.selection.answer import Viewer
from dashboard.selection.view import WITH_STEPS, View


def changed_view(
    addressed: View,
    controls: Mapping[str, Any],
    changed: Collection[str],
    viewer: Viewer,
    now: datetime,
) -> View:
    """Apply the changed controls to the view in the address.

    Args:
        addressed: The view in the address.
        controls: Values of the controls, by the names of :data:`dashboard.page.callbacks.CONTROLS`.
        changed: Ids of the elements that changed.
        viewer: The viewer's time zone and colour scheme.
        now: The current time.
    """
    view = addressed
    zone = ZoneInfo(view.zone) if view.zone else viewer.zone
    if ids.WINDOW in changed:
        view = _in_window(view, controls["window"], zone, now)
    if ids.RANGE in changed and controls["first"] and controls["last"]:
        view = _in_range(view, controls["first"], controls["last"])
    for element, (control, field_name, read) in _SIMPLE.items():
        if element in changed:
            view = replace(view, **{field_name: read(controls[control])})
    if ids.ZONE in changed and controls["zone"]:
        is_own = controls["zone"] == viewer.zone.key
        view = replace(view, zone=None if is_own else ZoneInfo(controls["zone"]).key)
    if ids.CHART in changed:
        view = narrowed(view, controls["clicked"], zone)
    return view


def _in_window(view: View, window: str, zone: ZoneInfo, now: datetime) -> View:
    """Switch to another length of period around the shown days, or today if it is shown."""
    before, today = view.period(zone, now), local_day(now, zone)
    if window == "custom":
        return view.during(custom_period(before.first, before.last, zone), now)
    on = today if before.first <= today <= before.last else before.first
    until = None if on == today else first_bucket(on + timedelta(days=1), zone)
    switched = replace(view, window=window, on=on, until=until, first=None, last=None, hour=None)
    return switched.during(switched.period(zone, now), now)


def _in_range(view: View, first: str, last: str) -> View:
    """Switch to the days of the picker: ISO 8601, with or without a time.

    Days beyond the longest period are cut off at the end.
    """
    start, end = date.fromisoformat(first[:10]), date.fromisoformat(last[:10])
    end = min(max(start, end), start + LONGEST - timedelta(days=1))
    return replace(view, window="custom", on=None, until=None, first=start, last=end)


def _ids(chosen: list[int] | None) -> tuple[int, ...]:
    return tuple(sorted(chosen or ()))


def _origin(chosen: str) -> str | None:
    return None if chosen == EVERY_ORIGIN else chosen


_SIMPLE: Mapping[str, tuple[str, str, Callable[[Any], Any]]] = {
    ids.PROJECT: ("project", "projects", _ids),
    ids.AGENT: ("agent", "agents", _ids),
    ids.ORIGIN: ("origin", "origin", _origin),
    ids.METRIC: ("metric", "metric", str),
    ids.STEP: ("step", "step", str),
    ids.PATTERN_OF: ("pattern_of", "pattern", str),
    ids.ACTIVE_ONLY: ("active_only", "everyone", operator.not_),
}
"""Controls that set one field of the view: the control, the field, and the value for it."""


def narrowed(view: View, click: Mapping[str, Any] | None, zone: ZoneInfo) -> View:
    """Narrow a view to a clicked bar.

    That is its day; or within a day or 24 hours its project, or its hour if it is a bar of
    several projects.
    """
    bar = clicked_bar(click)
    if bar is None:
        return view
    project, start = bar
    if view.window not in WITH_STEPS:
        return replace(view, window="day", on=start.astimezone(zone).date(), first=None, last=None)
    if project is not None and not view.agents:
        return replace(view, projects=(project,))
    return replace(view, hour=floor_hour(start))
