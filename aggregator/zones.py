"""Time zones by their IANA names."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from aggregator.errors import ParameterError

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
