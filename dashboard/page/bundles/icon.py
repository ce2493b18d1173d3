"""The icon of the page's tab, with the number of agents that wait.

An address for each number, because a Content-Security-Policy of ``default-src 'self'``
forbids scripts to draw one.
"""

from __future__ import annotations

from dash import Dash
from flask import Blueprint, Response

MOST = 99
"""Greatest number in the icon; one more says that it is greater."""
A_DAY = "public, max-age=86400"

_BARS = '<path fill="#fff" d="M7 18h4v7H7zM14 12h4v13h-4zM21 7h4v18h-4z"/>'
_NUMBER = (
    '<text x="16" y="{y}" font-family="sans-serif" font-size="{size}" font-weight="700" '
    'text-anchor="middle" fill="#fff">{text}</text>'
)


def icon(waiting: int) -> str:
    """Draw the icon as SVG: bars, or the number of agents that wait in their colour."""
    colour = "#b3590a" if waiting else "#5b7cfa"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{colour}"/>'
        f"{_number(waiting) if waiting else _BARS}</svg>"
    )


def _number(waiting: int) -> str:
    text = str(waiting) if waiting <= MOST else f"{MOST}+"
    size = {1: 26, 2: 22}.get(len(text), 16)
    return _NUMBER.format(text=text, size=size, y=16 + size * 0.36)


def icon_tag(app: Dash) -> str:
    """Return the tag of the icon; ``assets/now-strip.js`` changes its number."""
    address = f"{app.config.requests_pathname_prefix}icon/0.svg"
    return f'<link rel="icon" type="image/svg+xml" href="{address}" data-activity-icon>'


def add_icon_rule(blueprint: Blueprint) -> None:
    """Add the route ``/icon/<waiting>.svg`` below the page; greater numbers are one."""

    @blueprint.get("/icon/<int:waiting>.svg")
    def tab_icon(waiting: int) -> Response:
        answer = Response(icon(min(waiting, MOST + 1)), mimetype="image/svg+xml")
        answer.headers["Cache-Control"] = A_DAY
        return answer
