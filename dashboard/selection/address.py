"""The address of a view: its parameters, how they are read, and what they allow.

``?window=week&on=2026-11-16&tz=Europe/Berlin&project=3,5&agent=7&metric=turns``: missing
parameters have their defaults, and so have those that make no sense, which are reported as
problems. Without ``window``, a day in ``on`` is shown alone, and ``until=2026-11-22T14:00Z``
ends 24 hours. ``window=custom`` needs ``from=2026-11-02&to=2026-11-08``. ``people=agents`` lists
agents without their projects, ``everyone=yes`` includes those without turns, ``sort=-turns``
puts the busiest first; ``open=2,5`` unfolds two of the projects, ``open=none`` none.
``step=5min`` cuts a day or 24 hours into steps, ``hour=2026-11-22T14:00Z`` shows the minutes
of one of their hours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from aggregator.errors import ParameterError
from aggregator.metrics.periods import CALENDAR, ROLLING
from aggregator.metrics.scope import ORIGINS
from aggregator.metrics.windows import ceil_hour, floor_hour
from aggregator.parameters import parse_zone
from dashboard.labels import METRIC_LABELS, WAIT_PATTERN, WORK_PATTERN

CUSTOM = "custom"
"""Window of chosen days. The page offers the last 7 and 30 days beside them."""
WINDOWS = (*CALENDAR, *ROLLING, CUSTOM)
WINDOW_NAMES = f"{', '.join(WINDOWS[:-1])} or {WINDOWS[-1]}"
STEPS = ("hour", "15min", "5min")
"""Lengths of the chart's buckets in a day or 24 hours; the first is the default."""
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


def _instant(raw: str) -> datetime:
    at = datetime.fromisoformat(raw)
    # In these years, the hours around it stay inside datetime's range in any zone.
    if at.tzinfo is None or not 1970 < at.year < 9998:
        raise ValueError
    return at.astimezone(UTC)


def _end(raw: str) -> datetime:
    return ceil_hour(_instant(raw))


def _hour(raw: str) -> datetime:
    return floor_hour(_instant(raw))


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


def text_of(value: Any) -> str:
    """Return the text of a field's value in an address."""
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or FOLDED
    if isinstance(value, datetime):
        return f"{value:%FT%H:%MZ}"
    return "yes" if value is True else str(value)


_IDS = "whole numbers separated by commas"
_DAY = "a day such as 2026-11-16"
_INSTANT = "an instant with a time zone such as 2026-11-22T14:00Z"
ADDRESS_PARAMETERS: Mapping[str, tuple[str, Callable[[str], Any], str]] = {
    "window": ("window", _one_of(WINDOWS), WINDOW_NAMES),
    "on": ("on", read_day, _DAY),
    "until": ("until", _end, _INSTANT),
    "from": ("first", read_day, _DAY),
    "to": ("last", read_day, _DAY),
    "step": ("step", _one_of(STEPS), f"{', '.join(STEPS[:-1])} or {STEPS[-1]}"),
    "hour": ("hour", _hour, _INSTANT),
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
