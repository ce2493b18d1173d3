"""The page's own scripts and style sheets, joined into one file of each kind.

A browser asks for two files instead of some thirty. The server joins them once per
process, so nobody needs a build tool. The lists below are the only place that says which
files of ``assets/`` belong to the page, and in which order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SCRIPTS = (
    # What the others build on.
    "storage.js",
    "network.js",
    # Before anything is painted.
    "theme.js",
    # Before the scripts of Dash and Plotly.
    "content-security-policy.js",
    # Requests; of the last two, the later one gets them first.
    "csrf.js",
    "connection.js",
    "superseded-requests.js",
    # The viewer's zone and colours, and what is asked for with them.
    "viewer.js",
    "first-answer.js",
    # What stays up to date by itself.
    "live-updates.js",
    "freshness.js",
    "relative-times.js",
    "now-strip.js",
    # Content of the page.
    "deferred-charts.js",
    "deferred-zones.js",
    "agent-table.js",
    "chart-tables.js",
    # Buttons, and the toasts that confirm them.
    "toasts.js",
    "downloads.js",
    "png.js",
    "csv.js",
    "copy-link.js",
    # Ways to use the page.
    "menu.js",
    "period-navigation.js",
    "keyboard-shortcuts.js",
    "touch-tooltips.js",
    "focus.js",
    "accessibility.js",
    # Starts Dash, once its scripts are there.
    "start.js",
)
"""They run in the head, before anything of the page exists, and look up what they need of the
page and of each other when something happens. At load they need no more than ``storage.js``
and ``network.js``."""

STYLES = ("activity.css", "now-strip.css", "agent-table.css", "overlays.css", "site.css")
"""In this order: of two equally specific rules, the later one wins."""


def _script(name: str, source: str) -> str:
    """Wrap a script so that its failure reaches the console and does not stop the others."""
    return f"/* {name} */\ntry {{\n{source}}} catch (failure) {{\n  reportError(failure);\n}}\n"


def _style(name: str, source: str) -> str:
    return f"/* {name} */\n{source}"


@dataclass(frozen=True, slots=True)
class AssetBundle:
    """Files of ``assets/`` that a browser gets as one.

    Attributes:
        names: The files, in their order.
        wrap: Makes a part of the bundle from a file's name and content.
        mimetype: The bundle's media type.
    """

    names: tuple[str, ...]
    wrap: Callable[[str, str], str]
    mimetype: str


SCRIPT_BUNDLE, STYLE_BUNDLE = "bundle.js", "bundle.css"
ASSET_BUNDLES = {
    SCRIPT_BUNDLE: AssetBundle(SCRIPTS, _script, "text/javascript"),
    STYLE_BUNDLE: AssetBundle(STYLES, _style, "text/css"),
}


@cache
def joined(folder: Path, name: str) -> bytes:
    """Return the content of a bundle.

    Args:
        folder: Folder of the files.
        name: One of :data:`ASSET_BUNDLES`.
    """
    bundle = ASSET_BUNDLES[name]
    parts = [bundle.wrap(one, (folder / one).read_text(encoding="utf-8")) for one in bundle.names]
    return "\n".join(parts).encode()
