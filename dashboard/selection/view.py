"""A view of the page, and its address.

``?window=week&on=2026-11-16&tz=Europe/Berlin&project=3,5&agent=7&metric=turns``: missing
parameters have their defaults, and so have those that make no sense, which are reported as
problems. Without ``window``, a day in ``on`` is shown alone, and ``until=2026-11-22T14:00Z``
ends 24 hours. ``window=custom`` needs ``from=2026-11-02&to=2026-11-08``. ``people=agents`` lists
agents without their projects, ``everyone=yes`` includes those without turns, ``sort=-turns``
puts the busiest first; ``open=2,5`` unfolds two of the projects, ``open=none`` none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, cast
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from aggregator.errors import MissingParameterError, ParameterError
from aggregator.metrics.periods import (
    CALENDAR,
    LAST_24_HOURS,
    ROLLING,
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
from aggregator.metrics.scope import ORIGINS, Origin, Scope
from aggregator.metrics.windows import LONGEST, ceil_hour
from aggregator.parameters import parse_zone
from dashboard.labels import METRIC_LABELS, TIME, WAIT_PATTERN, WORK_PATTERN

CUSTOM = "custom"
"""Window of chosen days. The page offers the last 7 and 30 days beside them."""
WINDOWS = (*CALENDAR, *ROLLING, CUSTOM)
WINDOW_NAMES = f"{', '.join(WINDOWS[:-1])} or {WINDOWS[-1]}"
METRICS = tuple(METRIC_LABELS)
LISTS = ("projects", "agents")
SORT_KEYS = (
    "working",
    "waiting",
    "responses",
    "response-time",
    "turns",
    "turn-time",
    "last",
    "name",
    "state",
)
SORTS = tuple(way + key for key in SORT_KEYS for way in "-+")
PATTERNS = (WORK_PATTERN, WAIT_PATTERN)
LONGEST_LIST = 500
"""Most ids of one kind in an address, and of one control."""
FOLDED = "none"
"""Value of ``open`` in an address if no project is unfolded."""


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
            parameter: _text(getattr(self, field))
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
        """Return this view over another period."""
        elsewhere = replace(self, window=period.name, on=None, until=None, first=None, last=None)
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


def read_parameter(name: str, text: str) -> tuple[str, Any]:
    """Read one parameter of an address: return the field of the view, and its value.

    Raises:
        ParameterError: The text makes no sense.
    """
    field, read, allowed = ADDRESS_PARAMETERS[name]
    try:
        return field, read(text)
    except (ValueError, ParameterError):
        raise ParameterError(name, text, allowed) from None


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


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def read(raw: str) -> str:
        if raw not in allowed:
            raise ValueError
        return raw

    return read


def read_day(raw: str) -> date:
    """Read a day in ISO 8601.

    Raises:
        ValueError: It is none, or too far away.
    """
    day = date.fromisoformat(raw)
    # In these years, the periods around the day stay inside datetime's range in any zone.
    if not 1970 < day.year < 9998:
        raise ValueError
    return day


def _end(raw: str) -> datetime:
    at = datetime.fromisoformat(raw)
    # In these years, the hours around the end stay inside datetime's range in any zone.
    if at.tzinfo is None or not 1970 < at.year < 9998:
        raise ValueError
    return ceil_hour(at.astimezone(UTC))


def read_id(raw: str) -> int:
    """Read the id of a project or an agent, which the database's largest integers can hold.

    Raises:
        ValueError: It is none.
    """
    if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
        raise ValueError
    return int(raw)


def _ids(raw: str) -> tuple[int, ...]:
    parts = raw.split(",")
    if len(parts) > LONGEST_LIST:
        raise ValueError
    return tuple(sorted({read_id(part) for part in parts}))


def _unfolded(raw: str) -> tuple[int, ...]:
    return () if raw == FOLDED else _ids(raw)


def _zone(raw: str) -> str:
    return parse_zone(raw).key


def _sort(raw: str) -> str:
    # A plus sign in an address means a blank.
    return _one_of(SORTS)(raw.replace(" ", "+"))


def _yes(raw: str) -> bool:
    return _one_of(("yes",))(raw) == "yes"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or FOLDED
    if isinstance(value, datetime):
        return f"{value:%FT%H:%MZ}"
    return "yes" if value is True else str(value)


_IDS = "whole numbers separated by commas"
_DAY = "a day such as 2026-11-16"
ADDRESS_PARAMETERS: Mapping[str, tuple[str, Callable[[str], Any], str]] = {
    "window": ("window", _one_of(WINDOWS), WINDOW_NAMES),
    "on": ("on", read_day, _DAY),
    "until": ("until", _end, "an instant with a time zone such as 2026-11-22T14:00Z"),
    "from": ("first", read_day, _DAY),
    "to": ("last", read_day, _DAY),
    "tz": ("zone", _zone, "a time zone such as Europe/Berlin"),
    "project": ("projects", _ids, _IDS),
    "agent": ("agents", _ids, _IDS),
    "origin": ("origin", _one_of(ORIGINS), " or ".join(ORIGINS)),
    "metric": ("metric", _one_of(METRICS), f"{', '.join(METRICS[:-1])} or {METRICS[-1]}"),
    "pattern": ("pattern", _one_of(PATTERNS), "working or waiting"),
    "people": ("people", _one_of(LISTS), "projects or agents"),
    "everyone": ("everyone", _yes, "yes"),
    "sort": ("sort", _sort, f"- or + before {', '.join(SORT_KEYS[:-1])} or {SORT_KEYS[-1]}"),
    "open": ("unfolded", _unfolded, f"{_IDS}, or {FOLDED}"),
}
"""Parameters of an address: the field of the view, the parser, and the allowed values."""
