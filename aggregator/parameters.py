"""Read values that people write: one of a few, and names of time zones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from aggregator.errors import ParameterError

Text = TypeVar("Text", bound=str)


def one_of(name: str, value: str, allowed: Sequence[Text]) -> Text:
    """The value, if it is allowed.

    Raises:
        ParameterError: It is not; the error lists what is.
    """
    for each in allowed:
        if value == each:
            return each
    *others, last = allowed
    raise ParameterError(name, value, f"{', '.join(others)} or {last}" if others else last)


NOT_ZONES = frozenset({"Factory", "localtime"})
"""Names that say nothing to others, or what the machine is set to."""


def parse_zone(raw: str, name: str = "tz") -> ZoneInfo:
    """Read the name of a time zone.

    Raises:
        ParameterError: There is none of this name.
    """
    if not isinstance(raw, str) or raw not in _known():
        raise ParameterError(name, raw, "a time zone such as Europe/Berlin or UTC")
    return ZoneInfo(raw)


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones()) - NOT_ZONES
