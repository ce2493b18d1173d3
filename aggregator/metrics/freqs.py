"""Lengths of buckets: local weeks and days, hours, and steps that divide the hour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal, get_args

from aggregator.errors import ParameterError
from aggregator.metrics.windows import HOUR

Step = Literal[
    "30min", "20min", "15min", "12min", "10min", "6min", "5min", "4min", "3min", "2min", "1min"
]
Freq = Literal["hour", "day", "week", Step]
FREQS: tuple[Freq, ...] = get_args(Freq)
STEPS: Mapping[str, timedelta] = {
    name: timedelta(minutes=int(name.removesuffix("min"))) for name in get_args(Step)
}
"""Length of each step, longest first. Steps divide the hour, so that they add up to hours."""
MOST_STEPS = 1500
"""Most steps in one answer: the minutes of a day of 25 hours."""


def check_steps(freq: str, since: datetime, until: datetime, most: int = MOST_STEPS) -> None:
    """Limit the number of steps in a range; other buckets are not limited here.

    Args:
        freq: One of :data:`FREQS`.
        since: Start of the range.
        until: End of the range.
        most: Most steps that are allowed.

    Raises:
        ParameterError: There are more; it names the range and the steps that are long enough.
    """
    length = until - since
    if freq not in STEPS or length <= most * STEPS[freq]:
        return
    fitting = [name for name in ("hour", *STEPS) if STEPS.get(name, HOUR) * most >= length]
    longer = " or ".join(fitting[-1:] if fitting else ["hour", "day", "week"])
    raise ParameterError(
        "freq",
        freq,
        f"at most {most} buckets, but {since:%FT%H:%MZ} to {until:%FT%H:%MZ} has "
        f"{-(-length // STEPS[freq])}: a shorter range, or {longer}",
    )
