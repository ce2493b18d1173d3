"""The colours of figures, light and dark, and how they are mixed.

The colours of figures are here; all others are variables in ``activity.css``. Both sets
have at least the contrast that WCAG AA requires: 4.5 to 1 for text, 3 to 1 for graphics
that carry meaning. Colour-blind people can tell the colours of projects, and those of kinds of
time, apart, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aggregator.intervals.kinds import (
    BACKGROUND,
    BLOCKED,
    IDLE,
    LIMITED,
    STALLED,
    WAITING,
    WORKING,
)

RAMP_STEPS = 9


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one colour scheme, as ``#rrggbb``.

    Attributes:
        surface: Background of a panel.
        raised: Background of anything that floats above a panel.
        text: Numbers and names.
        muted: Labels.
        line: Grid lines.
        gone: Background of a time outside the retention.
        accent: The main colour of data.
        contrast: Colour of data drawn over the accent.
        projects: Colours of projects, distinct in any pair, the first of them most; the very
            first is the accent.
        others: Colour of all other projects together.
        kinds: Colours of kinds of time, of :data:`aggregator.intervals.kinds.KINDS`, distinct
            in any pair; that of idle time is hardly to be seen.
        ramp: Colours from few to many.
    """

    surface: str
    raised: str
    text: str
    muted: str
    line: str
    gone: str
    accent: str
    contrast: str
    projects: tuple[str, ...]
    others: str
    kinds: Mapping[str, str]
    ramp: tuple[str, ...]

    def of_project(self, slot: int | None) -> str:
        """Return the colour of a project's slot, or that of all other projects."""
        return self.others if slot is None else self.projects[slot]

    def shades(self, shares: NDArray[np.float64]) -> list[str]:
        """The colours of the ramp at shares of its length, from 0 to 1.

        Mixed in RGB, as Plotly draws the ramp's legend.
        """
        steps = np.array([[int(step[at : at + 2], 16) for at in (1, 3, 5)] for step in self.ramp])
        places = np.linspace(0, 1, len(self.ramp))
        mixed = [np.interp(shares, places, part) for part in steps.T]
        # Halves go up, where NumPy's own rounding takes the even number.
        parts = np.floor(np.column_stack(mixed).round(6) + 0.5).astype(int)
        return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in parts.tolist()]

    def unfinished(self, colour: str) -> str:
        """Return the background of a hatched bar."""
        return mix(colour, 0.3, self.surface)


def mix(colour: str, share: float, background: str) -> str:
    """Mix a share of a colour into a background, so that even steps look even.

    The colours are mixed in OKLab, where equal distances look equally different.
    """
    pairs = zip(_oklab(colour), _oklab(background), strict=True)
    return _hex(tuple(over * share + under * (1 - share) for over, under in pairs))


def _oklab(colour: str) -> tuple[float, ...]:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _hex(oklab: tuple[float, ...]) -> str:
    light, green_red, blue_yellow = oklab
    long = (light + 0.3963377774 * green_red + 0.2158037573 * blue_yellow) ** 3
    medium = (light - 0.1055613458 * green_red - 0.0638541728 * blue_yellow) ** 3
    short = (light - 0.0894841775 * green_red - 1.2914855480 * blue_yellow) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _encoded(part)):02x}" for part in linear)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _encoded(part: float) -> float:
    part = min(max(part, 0.0), 1.0)
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _ramp(least: str, most: str) -> tuple[str, ...]:
    return tuple(mix(most, step / (RAMP_STEPS - 1), least) for step in range(RAMP_STEPS))


LIGHT = Palette(
    surface="#ffffff",
    raised="#ffffff",
    text="#14181f",
    muted="#5b6472",
    line="#e9ecf1",
    gone="#f2f3f6",
    accent="#5b7cfa",
    contrast="#1f2a44",
    projects=(
        "#5b7cfa",
        "#d07c1f",
        "#06714c",
        "#a8327f",
        "#36a0c0",
        "#6d5a00",
        "#350aa6",
        "#632914",
        "#8b9b5a",
        "#5f2644",
        "#4c77bd",
        "#482971",
        "#3245b7",
        "#ca0f52",
        "#b86838",
        "#265368",
        "#8a449a",
        "#4f0e8a",
        "#5e53e3",
        "#4e66c5",
        "#593030",
        "#b96ba0",
        "#069ce4",
        "#769270",
    ),
    others="#92918d",
    kinds={
        WORKING: "#2f9a7f",
        BLOCKED: "#8a1538",
        WAITING: "#c7781d",
        BACKGROUND: "#4a90d9",
        STALLED: "#5e6270",
        LIMITED: "#5a3fa8",
        IDLE: "#eceef2",
    },
    ramp=_ramp("#f1f4fe", "#2f4fd6"),
)
DARK = Palette(
    surface="#161a21",
    raised="#222833",
    text="#e9edf3",
    muted="#9aa4b2",
    line="#262c36",
    gone="#1c2129",
    accent="#5f7ff2",
    contrast="#e4e9f5",
    projects=(
        "#5f7ff2",
        "#af5415",
        "#45e5bd",
        "#945787",
        "#4db0cd",
        "#cc9132",
        "#cdf118",
        "#94a463",
        "#a7f695",
        "#9a42ae",
        "#46715a",
        "#e4e667",
        "#81aefa",
        "#6cf6fd",
        "#ca0f52",
        "#5e53e3",
        "#d0a292",
        "#1dbcb5",
        "#b54436",
        "#41f7ab",
        "#ddb227",
        "#f66754",
        "#dfbd5f",
        "#8874ae",
    ),
    others="#85847f",
    kinds={
        WORKING: "#5fd3b0",
        BLOCKED: "#d0335f",
        WAITING: "#f1af47",
        BACKGROUND: "#4f7fb5",
        STALLED: "#8a8f99",
        LIMITED: "#b69cf0",
        IDLE: "#242a34",
    },
    ramp=_ramp("#1d2330", "#7f9bff"),
)


def palette(scheme: str) -> Palette:
    """Return the colours for ``dark`` or ``light``; any other scheme is light."""
    return DARK if scheme == "dark" else LIGHT
