"""Time zones by their IANA names."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from aggregator.errors import ParameterError


def parse_zone(raw: str, name: str = "tz") -> ZoneInfo:
    """Read the name of a time zone.

    Raises:
        ParameterError: There is none of this name.
    """
    try:
        return ZoneInfo(raw)
    except (KeyError, ValueError, OSError, TypeError):
        # No such zone, or a name that is no name; both exist in the wild.
        allowed = "a time zone such as Europe/Berlin or UTC"
        raise ParameterError(name, raw, allowed) from None
