"""Titles of figures on the page and in pictures, and names of files."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from operator import itemgetter

from aggregator.metrics.comparisons import Comparison
from aggregator.metrics.periods import Period, first_bucket
from aggregator.metrics.windows import HOUR
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.labels import (
    CHART_LABELS,
    MEASURE,
    METRIC_LABELS,
    PATTERN_LABELS,
    WAIT_PATTERN,
    unit,
)

LONGEST_SLUG = 60


def chart_title(overview: Overview, metric: str) -> str:
    """Return the heading of a chart: ``Turns per hour``, ``Agents at work``."""
    if metric in CHART_LABELS:
        return CHART_LABELS[metric]
    return f"{METRIC_LABELS[metric]} per {unit(overview.freq)}"


def pattern_title(overview: Overview, metric: str) -> str:
    """Return the heatmap's heading: ``Turns per hour by weekday and hour, 26 Oct – 22 Nov``."""
    days = formatting.days(overview.pattern_since, overview.pattern_until)
    question = "When am I the bottleneck? " if metric == WAIT_PATTERN else ""
    return f"{question}{pattern_label(metric)}, {days}"


def pattern_label(metric: str) -> str:
    """Return the heatmap's heading without days, for pictures, whose second line has them."""
    return f"{PATTERN_LABELS[metric]} by weekday and hour"


def title(label: str, scope_name: str) -> str:
    """Return the first line of a picture: ``Turns per hour · Project atlas``."""
    return f"{label} · {scope_name}"


def subtitle(overview: Overview) -> str:
    """Return the second line of a picture: ``16–22 Nov 2026 (week 47) · Europe/Berlin``."""
    period = overview.period
    name = shown_period(overview)
    week = f" (week {period.first.isocalendar().week})" if period.name == "week" else ""
    return f"{name}{week} · {period.zone.key}"


def bucket_noun(overview: Overview) -> str:
    """Return the word for one bucket: ``hour``, ``day`` or ``step``."""
    return "step" if overview.zoom else overview.freq


def shown_period(overview: Overview) -> str:
    """Name the time that the buckets cover: of an hour, ``Sun 22 Nov 2026, 14:00–15:00``."""
    if not (overview.zoom and overview.zoom.hour):
        return formatting.period_name(overview.period)
    start, end = (at.astimezone(overview.period.zone) for at in overview.shown)
    return formatting.period(start, end).replace(",", f" {start.year},", 1)


def change(overview: Overview, metric: str) -> str:
    """Return the change of a metric: ``▲ 12 % compared with a usual Monday``; empty if none.

    An hour of the period is not compared.
    """
    compared, measure = overview.compared, MEASURE.get(metric)
    if compared is None or measure is None or (overview.zoom and overview.zoom.hour):
        return ""
    number = itemgetter(measure.column)
    then = compared.reference(lambda totals: number(totals.values))
    found = formatting.change(number(compared.now.values), then)
    return found and f"{found} compared with {compared_with(compared)}"


def pattern_subtitle(overview: Overview) -> str:
    """Return the second line of a picture of the heatmap, which covers its own days."""
    first, last = overview.pattern_since, overview.pattern_until
    return f"{formatting.days(first, last)} {last.year} · {overview.period.zone.key}"


def compared_with(compared: Comparison | None) -> str:
    """Name the time that numbers are compared with; empty if there is none.

    ``a usual Monday until 21:00``, ``Sat 21 Nov until 14:00``, ``1–20 Oct until 14:00``,
    ``the same hours of the last 4 weeks``, ``the 24 hours before``.
    """
    if compared is None:
        return ""
    period, part = compared.period, compared.parts[0]
    if period.end:
        weeks = formatting.counted(len(compared.parts), "week")
        usual = f"the same hours of the last {weeks}"
        return usual if compared.kind == "usual" else "the 24 hours before"
    since, until = (at.astimezone(period.zone) for at in (part.since, part.until))
    # The day of the last hour is that in which it starts.
    last = (part.until - HOUR).astimezone(period.zone).date()
    name = (
        f"a usual {formatting.FULL_WEEKDAYS[since.weekday()]}"
        if compared.kind == "usual"
        else formatting.days(since.date(), last)
    )
    whole = part.until == first_bucket(last + timedelta(days=1), period.zone)
    return name if whole else f"{name} until {formatting.clock(until)}"


def filename(overview: Overview, scope_name: str, subject: str) -> str:
    """Return a file name without its extension: ``activity-turns-project-x-2026-W47``.

    It has only lower-case letters, digits and hyphens, except for the W of a week,
    whatever the name of the scope is.
    """
    return f"activity-{subject}-{_slug(scope_name)}-{_period(overview)}"


def _slug(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower())[:LONGEST_SLUG].strip("-")
    return slug or "scope"


def _period(overview: Overview) -> str:
    name, zoom = _period_name(overview.period), overview.zoom
    if zoom and zoom.hour:
        return f"{name}-{zoom.hour.astimezone(overview.period.zone):%H%M}-{zoom.step}"
    return f"{name}-{zoom.step}" if zoom else name


def _period_name(period: Period) -> str:
    if period.name == "week":
        year, week, _ = period.first.isocalendar()
        return f"{year}-W{week:02}"
    if period.name == "month":
        return f"{period.first:%Y-%m}"
    if period.name == "day":
        return period.first.isoformat()
    if period.end:
        return f"24-hours-to-{period.end.astimezone(period.zone):%Y-%m-%d-%H%M}"
    return f"{period.first}--{period.last}"
