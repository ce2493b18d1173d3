"""Colours of figures, which live in Python; all others are variables in ``activity.css``.

Both sets are chosen to have at least the contrast that WCAG AA asks of them: 4.5 to 1
for text, 3 to 1 for what carries meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one colour scheme, as CSS colours.

    Attributes:
        surface: Background of a panel.
        raised: Background of what floats above a panel.
        text: Numbers and names.
        muted: Labels.
        line: Grid lines.
        accent: The one colour that marks data.
        accent_soft: The accent for what is not final yet.
        contrast: Data drawn over the accent.
    """

    surface: str
    raised: str
    text: str
    muted: str
    line: str
    accent: str
    accent_soft: str
    contrast: str


LIGHT = Palette(
    surface="#ffffff",
    raised="#ffffff",
    text="#14181f",
    muted="#5b6472",
    line="#e9ecf1",
    accent="#5b7cfa",
    accent_soft="#c3cffd",
    contrast="#1f2a44",
)
DARK = Palette(
    surface="#161a21",
    raised="#222833",
    text="#e9edf3",
    muted="#9aa4b2",
    line="#262c36",
    accent="#5f7ff2",
    accent_soft="#33436f",
    contrast="#e4e9f5",
)


def palette(scheme: str) -> Palette:
    """The colours for ``dark`` or ``light``, which is also the default."""
    return DARK if scheme == "dark" else LIGHT
