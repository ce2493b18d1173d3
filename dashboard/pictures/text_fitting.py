"""Fit texts into a width: break them into lines, and shorten what is still too long.

A figure does not break its title by itself, and only a browser knows the true width of
its letters. The widths here are those of the widest font a figure may be drawn in.
"""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width

ELLIPSIS = "…"


def fitted(text: str, width: float, most: int) -> list[str]:
    """Break a text into lines.

    Args:
        text: Any text; it may be broken at white space.
        width: Width of a line, in em: multiples of the font size.
        most: Maximum number of lines; the last one ends in an ellipsis if more is left.
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
    """Split off as many words as fit a line, or the beginning of one; return the rest, too."""
    count = 0
    while count < len(words) and text_width(" ".join(words[: count + 1])) <= width:
        count += 1
    if count:
        return " ".join(words[:count]), words[count:]
    beginning = _beginning(words[0], width)
    return beginning, [words[0][len(beginning) :], *words[1:]]


def row_count(widths: Sequence[float], room: float) -> int:
    """Count the rows that things of these widths take, one after the other."""
    rows, taken = (1, 0.0) if widths else (0, 0.0)
    for width in widths:
        if taken and taken + width > room:
            rows, taken = rows + 1, 0.0
        taken += width
    return rows


def cut(text: str, width: float) -> str:
    """Shorten a text to a width: ``a-very-long-na…``."""
    if text_width(text) <= width:
        return text
    return _beginning(text, width - text_width(ELLIPSIS)).rstrip() + ELLIPSIS


def _beginning(text: str, width: float) -> str:
    """Return the longest beginning that fits a width, at least one character."""
    length = 1
    while length < len(text) and text_width(text[: length + 1]) <= width:
        length += 1
    return text[:length]


def text_width(text: str) -> float:
    """Return the width of a text in em, at most."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> float:
    if character in "mwMW@%…—" or east_asian_width(character) in "WF":
        return 1.0
    if character in " .,:;·'|iIjl-":
        return 0.4
    return 0.78 if character.isupper() else 0.64
