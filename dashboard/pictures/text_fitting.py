"""Words that have to fit: broken into lines, and cut where even these do not suffice.

A figure does not break its title by itself, and only a browser knows how wide its letters
are. Here they are as wide as in the widest of the fonts that a figure may be drawn in.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

ELLIPSIS = "…"


def fitted(text: str, width: float, most: int) -> list[str]:
    """A text in lines.

    Args:
        text: Any; its blanks and line breaks are where it may be broken.
        width: Of a line, in em: multiples of the size of the font.
        most: So many lines; what does not fit in them is left out, with an ellipsis.
    """
    lines: list[str] = []
    words = text.split()
    while words:
        if len(lines) == most - 1:
            return [*lines, cut(" ".join(words), width)]
        line, words = _first_line(words, width)
        lines.append(line)
    return lines


def _first_line(words: list[str], width: float) -> tuple[str, list[str]]:
    """As many words as a line holds, or the beginning of one; and the others."""
    count = 0
    while count < len(words) and breadth(" ".join(words[: count + 1])) <= width:
        count += 1
    if count:
        return " ".join(words[:count]), words[count:]
    beginning = _beginning(words[0], width)
    return beginning, [words[0][len(beginning) :], *words[1:]]


def row_count(widths: Sequence[float], room: float) -> int:
    """How many rows it takes to put things of these widths one after the other."""
    rows, taken = (1, 0.0) if widths else (0, 0.0)
    for width in widths:
        if taken and taken + width > room:
            rows, taken = rows + 1, 0.0
        taken += width
    return rows


def cut(text: str, width: float) -> str:
    """The same in at most a width: ``a-very-long-na…``."""
    if breadth(text) <= width:
        return text
    return _beginning(text, width - breadth(ELLIPSIS)).rstrip() + ELLIPSIS


def _beginning(text: str, width: float) -> str:
    """The longest beginning, of one sign at least, in at most a width."""
    length = 1
    while length < len(text) and breadth(text[: length + 1]) <= width:
        length += 1
    return text[:length]


def breadth(text: str) -> float:
    """How wide a text is at most, in em."""
    return sum(map(_breadth, text))


def _breadth(sign: str) -> float:
    if sign in "mwMW@%…—" or east_asian_width(sign) in "WF":
        return 1.0
    if sign in " .,:;·'|iIjl-":
        return 0.4
    return 0.78 if sign.isupper() else 0.64
