"""The two days of a custom period."""

from __future__ import annotations

from dash import dcc
from dash.development.base_component import Component

from aggregator.overview import Overview
from aggregator.periods import today as local_day
from dashboard import ids
from dashboard.view import View


def range_picker(view: View, overview: Overview) -> list[Component]:
    """A picker for the days of a custom period; nothing for the others."""
    if view.window != "custom":
        return []
    period = overview.period
    today = local_day(overview.window.as_of, period.zone)
    kept = overview.kept_since.astimezone(period.zone).date()
    return [
        dcc.DatePickerRange(
            id=ids.RANGE,
            start_date=period.first.isoformat(),
            end_date=period.last.isoformat(),
            min_date_allowed=min(kept, period.first).isoformat(),
            max_date_allowed=max(today, period.last).isoformat(),
            display_format="D MMM YYYY",
            first_day_of_week=1,
            minimum_nights=0,
        )
    ]
