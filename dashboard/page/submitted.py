"""Values that the page's controls send, read by the rules of its address.

Each input of the page's callback has a reader, which returns the value in the form that the
callback expects, or raises ParameterError. A reader takes time and memory in proportion to
the value, which the limit of a request's body bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from aggregator.errors import ParameterError
from aggregator.metrics.scope import ORIGINS
from aggregator.parameters import parse_zone
from dashboard.charts.clicks import clicked_bar
from dashboard.page import ids
from dashboard.page.parts.controls import EVERY_ORIGIN
from dashboard.selection.address import (
    LONGEST_LIST,
    METRICS,
    PATTERNS,
    STEPS,
    WINDOW_NAMES,
    WINDOWS,
    read_day,
    read_id,
)

LONGEST_ADDRESS = 32 * 1024
"""Characters of a query string; three lists of ids fit in."""
MOST_POINTS = 1_000
"""Bars of one column of a chart that a click may report."""

Reader = Callable[[Any], Any]


def read_submitted(name: str, value: Any) -> Any:
    """Read the value of an input of the page's callback.

    Args:
        name: Element and property, such as ``window.value``.
        value: What the browser has sent for it, decoded from JSON.

    Raises:
        ParameterError: The page would not send this value, or has no such input.
    """
    if name not in SUBMITTED:
        raise ParameterError("input", name, "an input of the page")
    read, allowed = SUBMITTED[name]
    try:
        return read(value)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
        raise ParameterError(name, value, allowed) from None


def _or_none(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _choice(allowed: tuple[str, ...]) -> Reader:
    """Read one of some texts; null, of a control that is not there, is the first of them."""

    def read(value: Any) -> str:
        if value is None:
            return allowed[0]
        if not isinstance(value, str) or value not in allowed:
            raise ValueError
        return value

    return read


def _address(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS:
        raise ValueError
    return value


def _ids(value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) > LONGEST_LIST:
        raise ValueError
    # Through text, so that a number is an id by the same rule as in an address.
    return sorted({read_id(str(_whole(each))) for each in value})


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError
    return value


def _day(value: Any) -> str:
    """Read a day of the picker, in ISO 8601 with or without a time."""
    if not isinstance(value, str):
        raise ValueError
    return read_day(value[:10]).isoformat()


def _zone(value: Any) -> str:
    return parse_zone(value).key


def _active_only(value: Any) -> list[str]:
    if value not in ([], ["active"]):
        raise ValueError
    return list(value)


def _viewer(value: Any) -> dict[str, str]:
    """Read the browser's time zone and colours; it may not know its zone, or use another name."""
    return {
        name: text
        for name, text in value.items()
        if name in ("zone", "scheme") and isinstance(text, str) and len(text) <= 100
    }


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, str | bool) or not math.isfinite(number):
        raise ValueError
    return number


def _click(value: Any) -> dict[str, Any]:
    """Read a click: what :func:`dashboard.charts.clicks.clicked_bar` needs of it."""
    if len(value["points"]) > MOST_POINTS:
        raise ValueError
    click: dict[str, Any] = {
        "points": [
            {
                "customdata": [_or_none(_project)(point["customdata"][0]), point["customdata"][1]],
                "curveNumber": _whole(point["curveNumber"]),
                "y": _number(point["y"]),
            }
            for point in value["points"]
            if point.get("customdata")
        ]
    }
    if value.get("yvals"):
        click["yvals"] = [_number(value["yvals"][0])]
    bar = clicked_bar(click)
    if bar is not None and bar[1].tzinfo is None:
        raise ValueError
    if bar is not None:
        read_day(bar[1].date().isoformat())
    return click


def _project(value: Any) -> int:
    return read_id(str(_whole(value)))


_IDS = f"a list of at most {LONGEST_LIST} whole numbers"
_DAY = "a day such as 2026-11-16"
_STEPS = f"{', '.join(STEPS[:-1])} or {STEPS[-1]}"
_ORIGINS = (EVERY_ORIGIN, *ORIGINS)
SUBMITTED: Mapping[str, tuple[Reader, str]] = {
    f"{ids.URL}.search": (_or_none(_address), f"a text of at most {LONGEST_ADDRESS} characters"),
    f"{ids.VIEWER}.data": (_or_none(_viewer), "the browser's time zone and colours"),
    f"{ids.TICK}.data": (_or_none(_number), "a number"),
    f"{ids.WINDOW}.value": (_choice(WINDOWS), WINDOW_NAMES),
    f"{ids.PROJECT}.value": (_or_none(_ids), _IDS),
    f"{ids.AGENT}.value": (_or_none(_ids), _IDS),
    f"{ids.ORIGIN}.value": (_choice(_ORIGINS), f"{', '.join(_ORIGINS[:-1])} or {_ORIGINS[-1]}"),
    f"{ids.METRIC}.value": (_choice(METRICS), f"{', '.join(METRICS[:-1])} or {METRICS[-1]}"),
    f"{ids.PATTERN_OF}.value": (_choice(PATTERNS), "working or waiting"),
    f"{ids.ACTIVE_ONLY}.value": (_or_none(_active_only), "[] or ['active']"),
    f"{ids.ZONE}.value": (_or_none(_zone), "a time zone such as Europe/Berlin"),
    f"{ids.CHART}.clickData": (_or_none(_click), "a click on a bar of the chart"),
    f"{ids.STEP}.value": (_choice(STEPS), _STEPS),
    f"{ids.RANGE}.start_date": (_or_none(_day), _DAY),
    f"{ids.RANGE}.end_date": (_or_none(_day), _DAY),
}
"""The inputs of the page's callback: the reader, and the allowed values."""
