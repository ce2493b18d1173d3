"""Parse values that people write: one of a few, and names of time zones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from aggregator.errors import ParameterError

Text = TypeVar("Text", bound=str)


def one_of(name: str, value: str, allowed: Sequence[Text]) -> Text:
    """Check that a value is one of the allowed ones, and return it.

    Raises:
        ParameterError: It is not; the error lists the allowed values.
    """
    for choice in allowed:
        if value == choice:
            return choice
    *others, last = allowed
    raise ParameterError(name, value, f"{', '.join(others)} or {last}" if others else last)


NOT_ZONES = frozenset({"Factory", "localtime"})
"""Names in the database of time zones that are not places, or depend on the machine."""


def parse_zone(raw: str, name: str = "tz") -> ZoneInfo:
    """Parse the name of a time zone.

    Raises:
        ParameterError: No time zone has this name.
    """
    if not isinstance(raw, str) or raw not in _known():
        raise ParameterError(name, raw, "a time zone such as Europe/Berlin or UTC")
    return ZoneInfo(raw)


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones()) - NOT_ZONES
