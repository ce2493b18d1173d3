"""Read the parameters of a request strictly: a typo must not return other numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aggregator.errors import (
    ConflictingParametersError,
    ParameterError,
    UnknownParameterError,
)
from aggregator.metrics.freqs import FREQS, MOST_STEPS, STEPS, check_steps
from aggregator.metrics.periods import (
    LAST_24_HOURS,
    ROLLING,
    ROLLING_DAYS,
    Period,
    calendar_period,
    last_days,
    last_hours,
    rolling_period,
    today,
)
from aggregator.metrics.scope import ORIGINS, Origin, Scope, ScopeKind
from aggregator.metrics.spans import Span
from aggregator.metrics.windows import (
    HOUR,
    LONGEST,
    SPANS,
    Window,
    custom_window,
    retained_hours,
    rolling_window,
)
from aggregator.parameters import one_of, parse_zone

MOST_OFFSET = 366
RESOLUTION = timedelta(microseconds=1)
LONGEST_HOURLY = timedelta(days=32)
"""Longest window of all agents in hours; a month with a clock change fits in."""
MOST_STEPS_OF_ALL = LONGEST_HOURLY // HOUR
"""Most steps in an answer about all agents."""
ZONED_INSTANT = "an ISO 8601 instant with a time zone, such as 2026-11-22T14:00:00Z"
IDS = "a whole number"
ALONE = {"since": ("window", "offset"), "offset": ("until",)}
"""Parameters that exclude each other."""
OFFSETS = f"a whole number from -{MOST_OFFSET} to 0"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a query string, for the parser and for the OpenAPI document.

    Attributes:
        name: Its name.
        read: Parses a text, or raises ParameterError.
        schema: The allowed values, as JSON Schema.
        description: Its meaning, in sentences.
    """

    name: str
    read: Callable[[str], Any]
    schema: Mapping[str, Any]
    description: str


def parse_scope(kind: ScopeKind, raw: str) -> Scope:
    """Read an id from a path.

    Raises:
        ParameterError: It is not a whole number.
    """
    if not re.fullmatch("[0-9]{1,100}", raw):
        raise ParameterError(f"{kind}_id", raw, IDS)
    return Scope(kind, (int(raw),))


def parse_span(
    args: Mapping[str, list[str]],
    now: datetime,
    retention: timedelta,
    allowed: Mapping[str, Parameter],
) -> Span:
    """Read the time and the buckets that a request asks for.

    Args:
        args: The values of each parameter of the query string.
        now: The current time.
        retention: Time for which metrics are retained.
        allowed: The parameters of the endpoint.

    Raises:
        UnknownParameterError: There is no such parameter.
        ParameterError: A parameter is repeated or malformed, or there are too many steps.
        ConflictingParametersError: Two parameters exclude each other.
    """
    for name, values in args.items():
        if name not in allowed:
            raise UnknownParameterError(name, allowed)
        if len(values) > 1:
            raise ParameterError(name, ", ".join(values), "one value")
    for name, others in ALONE.items():
        for other in others:
            if name in args and other in args:
                raise ConflictingParametersError(other, name)
    given = {name: allowed[name].read(values[0]) for name, values in args.items()}
    zone = given.get("tz", ZoneInfo("UTC"))
    period = _period(given, zone, now)
    window = _window(given, period, now)
    freq = given.get("freq", "hour")
    span = Span(window, retained_hours(now, retention), freq, zone, period)
    check_steps(freq, span.since, span.until)
    return span


def _window(given: Mapping[str, Any], period: Period | None, now: datetime) -> Window:
    if "since" in given:
        if "until" not in given and given["since"] >= now:
            raise ParameterError("since", f"{given['since']:%FT%TZ}", "an instant before now")
        return custom_window(given["since"], given.get("until", now), now)
    name = given.get("window", "day")
    if period and (name in ROLLING or "offset" in given):
        return period.window(now)
    return rolling_window(name, now, given.get("until"))


def _period(given: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> Period | None:
    """Return the period of the page that a request means, or None if it means none."""
    name, offset = given.get("window", "day"), given.get("offset")
    if "since" in given or (offset is None and name in ("week", "month")):
        return None
    if name in ROLLING_DAYS and "until" in given:
        last = (given["until"] - RESOLUTION).astimezone(zone).date()
        period = last_days(name, last, zone)
    elif name in ROLLING_DAYS:
        period = rolling_period(name, now, zone)
    elif name == LAST_24_HOURS or offset is None:
        end = rolling_period(LAST_24_HOURS, now, zone).until
        period = last_hours(given.get("until", end), zone)
    else:
        period = calendar_period(name, today(now, zone), zone)
    for _ in range(-(offset or 0)):
        period = period.earlier()
    return period


def parse_origin(args: Mapping[str, str]) -> Origin | None:
    """Read the origin of agents, None for all, once :func:`parse_span` has found it allowed.

    Raises:
        ParameterError: There is no such origin.
    """
    return ORIGIN.read(args[ORIGIN.name]) if ORIGIN.name in args else None


def check_size(span: Span) -> None:
    """Limit the size of an answer about all agents.

    Raises:
        ParameterError: The window is longer than :data:`LONGEST_HOURLY`, in hourly buckets, or
            has more than :data:`MOST_STEPS_OF_ALL` steps.
    """
    check_steps(span.freq, span.since, span.until, MOST_STEPS_OF_ALL)
    window = span.window
    if span.freq == "hour" and window.until - window.since > LONGEST_HOURLY:
        days = LONGEST_HOURLY.days
        allowed = f"an instant at most {days} days before until, or freq=day or freq=week"
        raise ParameterError("since", f"{window.since:%FT%TZ}", allowed)


def _offset(raw: str) -> int:
    if not re.fullmatch("0|-[1-9][0-9]{0,2}", raw) or int(raw) < -MOST_OFFSET:
        raise ParameterError("offset", raw, OFFSETS)
    return int(raw)


def _instant(name: str) -> Callable[[str], datetime]:
    def read(raw: str) -> datetime:
        try:
            at = datetime.fromisoformat(raw)
        except ValueError:
            raise ParameterError(name, raw, ZONED_INSTANT) from None
        # In these years, a month before the instant stays inside datetime's range in any zone.
        if not raw.isprintable() or at.tzinfo is None or not 1970 < at.year < 9999:
            raise ParameterError(name, raw, ZONED_INSTANT)
        return at.astimezone(UTC)

    return read


_WINDOWS = (*SPANS, *ROLLING)
PARAMETERS: Mapping[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter(
            "window",
            lambda raw: one_of("window", raw, _WINDOWS),
            {"type": "string", "enum": list(_WINDOWS), "default": "day"},
            "The last 24 hours, 7 days or 30 days, up to now or until; with offset the day, "
            "week (from Monday) or month of the calendar. Or the last 24 hours, or 7 or 30 days "
            "of the calendar in tz, as the page has them.",
        ),
        Parameter(
            "offset",
            _offset,
            {"type": "integer", "minimum": -MOST_OFFSET, "maximum": 0},
            "The window in tz, as the page has it: 0 is the present one, -1 the one before. Not "
            "together with since or until.",
        ),
        Parameter(
            "since",
            _instant("since"),
            {"type": "string", "format": "date-time"},
            "Start of a range of your own, up to until or now, widened to whole UTC hours. At "
            f"most {LONGEST.days} days; of all agents in hours, {LONGEST_HOURLY.days}. Not "
            "together with window or offset.",
        ),
        Parameter(
            "until",
            _instant("until"),
            {"type": "string", "format": "date-time"},
            "End of the range or of the window, exclusive, instead of now.",
        ),
        Parameter(
            "freq",
            lambda raw: one_of("freq", raw, FREQS),
            {"type": "string", "enum": list(FREQS), "default": "hour"},
            "Length of the buckets. Days and weeks are those of tz; one that the window holds "
            "in part has what lies in the window, and its bucket_start is where it begins. Steps "
            f"of {', '.join(STEPS)} divide the hour and add up to it; a window may have "
            f"{MOST_STEPS} of them, of all agents {MOST_STEPS_OF_ALL}.",
        ),
        Parameter(
            "tz",
            parse_zone,
            {"type": "string", "format": "timezone", "default": "UTC"},
            "IANA name of the time zone of days, weeks, months and of the instants in the answer.",
        ),
    )
}
"""The query strings of all endpoints that answer with metrics."""
ORIGIN = Parameter(
    "origin",
    lambda raw: one_of("origin", raw, ORIGINS),
    {"type": "string", "enum": list(ORIGINS)},
    "Only agents that a person started, or only those that a program did, see origin of an agent "
    "in /activity. By default all.",
)
OF_SCOPE = {**PARAMETERS, ORIGIN.name: ORIGIN}
"""Those of endpoints about everybody or a project, whose agents can be filtered."""
WITHOUT_BUCKETS = {name: each for name, each in PARAMETERS.items() if name != "freq"}
"""Those of endpoints whose answers have no buckets."""
