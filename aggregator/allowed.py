"""Values that are one of a few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

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
