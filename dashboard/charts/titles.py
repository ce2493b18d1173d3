"""Titles of figures on the page and in pictures, and names of files."""

from __future__ import annotations

import re
import unicodedata

from aggregator.metrics.buckets import by_day
from aggregator.query.overview import Overview
from dashboard import formatting
from dashboard.labels import LABELS, PATTERN_LABELS

LONGEST_SLUG = 60


def chart_title(overview: Overview, metric: str) -> str:
    """Return the heading of the chart: ``Turns per hour``."""
    return f"{LABELS[metric]} per {'day' if by_day(overview.period) else 'hour'}"


def pattern_title(overview: Overview, metric: str) -> str:
    """Return the heatmap's heading: ``Turns per hour by weekday and hour, 26 Oct – 22 Nov``."""
    days = formatting.days(overview.pattern_since, overview.pattern_until)
    return f"{pattern_label(metric)}, {days}"


def pattern_label(metric: str) -> str:
    """Return the heatmap's heading without days, for pictures, whose second line has them."""
    return f"{PATTERN_LABELS[metric]} by weekday and hour"


def title(label: str, scope_name: str) -> str:
    """Return the first line of a picture: ``Turns per hour · Project atlas``."""
    return f"{label} · {scope_name}"


def subtitle(overview: Overview) -> str:
    """Return the second line of a picture: ``16–22 Nov 2026 (week 47) · Europe/Berlin``."""
    period = overview.period
    name = formatting.period_name(period.name, period.first, period.last)
    week = f" (week {period.first.isocalendar().week})" if period.name == "week" else ""
    return f"{name}{week} · {period.zone.key}"


def pattern_subtitle(overview: Overview) -> str:
    """Return the second line of a picture of the heatmap, which covers its own days."""
    first, last = overview.pattern_since, overview.pattern_until
    return f"{formatting.days(first, last)} {last.year} · {overview.period.zone.key}"


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
    period = overview.period
    if period.name == "week":
        year, week, _ = period.first.isocalendar()
        return f"{year}-W{week:02}"
    if period.name == "month":
        return f"{period.first:%Y-%m}"
    if period.name == "day":
        return period.first.isoformat()
    return f"{period.first}--{period.last}"
