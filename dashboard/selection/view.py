"""A view of the page: what is shown, and how. :mod:`.address` reads and writes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, cast
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from aggregator.errors import MissingParameterError, ParameterError
from aggregator.metrics.freqs import Step
from aggregator.metrics.periods import (
    LAST_24_HOURS,
    ROLLING_DAYS,
    CalendarName,
    Period,
    calendar_period,
    custom_period,
    last_days,
    last_hours,
    rolling_period,
)
from aggregator.metrics.periods import today as local_day
from aggregator.metrics.scope import Origin, Scope
from aggregator.metrics.windows import LONGEST
from aggregator.query.overview import Zoom
from dashboard.labels import TIME, WORK_PATTERN
from dashboard.selection.address import ADDRESS_PARAMETERS, STEPS, read_parameter, text_of

WITH_STEPS = ("day", LAST_24_HOURS)
"""Windows whose chart can have buckets shorter than hours."""
MINUTE: Step = "1min"
"""Length of the buckets of one hour."""


@dataclass(frozen=True, slots=True)
class View:
    """The state of the page: scope, period, metric and table.

    Attributes:
        window: One of :data:`WINDOWS`.
        on: A day of the period, the last one of ``last-7-days`` and ``last-30-days``, or
            None for today; not for other periods.
        until: End of ``last-24-hours`` on the hour, UTC, or None for that of the running hour.
        first: First day of a custom period.
        last: Its last day.
        step: Length of the chart's buckets, one of :data:`dashboard.selection.address.STEPS`;
            other windows than :data:`WITH_STEPS` do not use it.
        hour: Start of the hour whose minutes the chart shows, UTC; None for the whole period.
        zone: IANA name of the requested time zone, or None for the viewer's own.
        projects: Ids of the chosen projects, ascending; empty for all.
        agents: Ids of the chosen agents, ascending; empty for all.
        origin: Restricts the scope to agents that a person or a program started; None for
            all. Chosen agents are shown whoever started them.
        metric: Metric of the charts: ``time``, ``turns``, ``turn-time`` or ``agents``.
        pattern: Time that the heatmap shows with the metric ``time``: ``working``, or
            ``waiting`` for the viewer.
        people: Rows of the table: ``projects`` with their agents, or only ``agents``.
        everyone: True to list members without turns in the period, too.
        sort: Key of the table's order, after ``-`` for descending or ``+`` for ascending.
        unfolded: Ids of the projects that show their agents, ascending; None if the
            viewer has not chosen.
    """

    window: str = LAST_24_HOURS
    on: date | None = None
    until: datetime | None = None
    first: date | None = None
    last: date | None = None
    step: str = STEPS[0]
    hour: datetime | None = None
    zone: str | None = None
    projects: tuple[int, ...] = ()
    agents: tuple[int, ...] = ()
    origin: Origin | None = None
    metric: str = TIME
    pattern: str = WORK_PATTERN
    people: str = "projects"
    everyone: bool = False
    sort: str = "-turns"
    unfolded: tuple[int, ...] | None = None

    @classmethod
    def parse(cls, search: str | None) -> tuple[View, tuple[str, ...]]:
        """Read the query string of an address, with or without its question mark.

        Returns:
            The view, and sentences about what is wrong with the address.
        """
        raw = {name: texts[-1] for name, texts in parse_qs((search or "").lstrip("?")).items()}
        given: dict[str, Any] = {}
        problems: list[str] = []
        for parameter in ADDRESS_PARAMETERS:
            if parameter not in raw:
                continue
            try:
                field, value = read_parameter(parameter, raw[parameter])
            except ParameterError as wrong:
                shown = f"{parameter} is “{raw[parameter][:40]}”; it can be {wrong.allowed}"
                problems.append(f"In the address, {shown}.")
            else:
                given[field] = value
        view = implied(cls(**given), given)
        if view.window == "custom":
            view, problem = _checked_range(view)
            problems += problem
        return view, tuple(problems)

    @property
    def search(self) -> str:
        """The query string, empty for the default view."""
        default = View()
        texts = {
            parameter: text_of(getattr(self, field))
            for parameter, (field, _, _) in ADDRESS_PARAMETERS.items()
            if getattr(self, field) != getattr(default, field)
        }
        query = urlencode(texts, safe=":,/+")
        return f"?{query}" if query else ""

    @property
    def address(self) -> str:
        """The query string for a link, in which an empty one needs its question mark."""
        return self.search or "?"

    @property
    def scope(self) -> Scope:
        """The scope: the chosen agents, else the chosen projects, else everybody."""
        if self.agents:
            return Scope("agent", self.agents)
        if self.projects:
            return Scope("project", self.projects, self.origin)
        return Scope(origin=self.origin)

    @property
    def pattern_metric(self) -> str:
        """Subject of the heatmap, one of :data:`dashboard.labels.PATTERN_LABELS`."""
        return self.pattern if self.metric == TIME else self.metric

    @property
    def zoom(self) -> Zoom | None:
        """Buckets of the chart that are shorter than hours, or None."""
        if self.window not in WITH_STEPS:
            return None
        if self.hour:
            return Zoom(MINUTE, self.hour)
        return None if self.step == STEPS[0] else Zoom(cast("Step", self.step))

    def period(self, zone: ZoneInfo, now: datetime) -> Period:
        """Return the period that is shown; a time in the future counts as the present."""
        if self.window == "custom" and self.first and self.last:
            return custom_period(self.first, self.last, zone)
        if self.window == LAST_24_HOURS:
            newest = rolling_period(LAST_24_HOURS, now, zone)
            return last_hours(min(self.until, newest.until), zone) if self.until else newest
        today = local_day(now, zone)
        on = min(self.on or today, today)
        if self.window in ROLLING_DAYS:
            return last_days(self.window, on, zone)
        return calendar_period(cast("CalendarName", self.window), on, zone)

    def during(self, period: Period, now: datetime) -> View:
        """Return this view over another period, without an hour that is not in it."""
        hour = self.hour if self.hour and period.holds(self.hour) and self.hour <= now else None
        elsewhere = replace(
            self,
            window=period.name,
            on=None,
            until=None,
            first=None,
            last=None,
            hour=hour if period.name in WITH_STEPS else None,
        )
        if period.name == "custom":
            return replace(elsewhere, first=period.first, last=period.last)
        if period.end:
            return elsewhere if period.end > now else replace(elsewhere, until=period.end)
        if period.first <= local_day(now, period.zone) <= period.last:
            return elsewhere
        on = period.last if period.name in ROLLING_DAYS else period.first
        return replace(elsewhere, on=on)

    def without(self, kind: str, missing: Collection[int]) -> View:
        """Return this view without some projects or agents."""
        if kind == "agent":
            return replace(self, agents=tuple(each for each in self.agents if each not in missing))
        return replace(self, projects=tuple(each for each in self.projects if each not in missing))


def implied(view: View, given: Mapping[str, Any]) -> View:
    """Complete the fields of an address: a day without a window is shown alone."""
    alone = "on" in given and "window" not in given
    return replace(view, window="day") if alone else view


def _checked_range(view: View) -> tuple[View, list[str]]:
    """Return a view with a valid custom period, or with the default one and the reason."""
    try:
        if view.first is None or view.last is None:
            raise MissingParameterError("window=custom", "from", "to")
        custom_period(view.first, view.last, ZoneInfo("UTC"))
    except (ParameterError, MissingParameterError):
        expected = f"a first day and a last one, at most {LONGEST.days} days in all"
        problem = f"In the address, a custom window needs from and to: {expected}."
        return replace(view, window=View().window, first=None, last=None), [problem]
    return view, []
