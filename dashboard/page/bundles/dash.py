"""Dash's own scripts, joined into one file.

Dash names ten of them, and loads the code of its graphs and dropdowns later, each when the
first of them is drawn. The page needs all of it at once.
"""

from __future__ import annotations

import pkgutil
import re
from dataclasses import dataclass
from pathlib import Path

from dash import dcc
from dash.fingerprint import check_fingerprint

PACKAGE = "dash"
DASH_BUNDLE = "dcc/dash_renderer-and-components.js"
"""Its path in Dash's package, where no such file is. dcc loads its other parts, such as the
calendar, from the folder of the script that is running; and Dash looks for a script named
after its renderer."""
POLYFILL = "deps/polyfill@"
POLYFILL_NEEDED = "regenerator-runtime.js"
"""The one part of Dash's polyfill that the browsers for which Dash is made do not have."""
UNUSED = "dash_table/"
PARTS_LOADED_LATER = ("dcc/async-graph.js", "dcc/async-dropdown.js")

_TAG = re.compile(rf'<script src="[^"]+/_dash-component-suites/{PACKAGE}/([^"]+)"></script>\n?')


@dataclass(frozen=True, slots=True)
class DashScripts:
    """The scripts of a page's Dash.

    Attributes:
        bundle: The content of those that are in Dash's own package, as one script.
        others: Tags of the others, which come with components of other packages.
    """

    bundle: bytes
    others: str


def dash_scripts(tags: str, assets: Path) -> DashScripts:
    """Join Dash's own scripts.

    Args:
        tags: The tags of all of Dash's scripts, as Dash writes them.
        assets: Folder of our scripts.
    """
    named = [check_fingerprint(path)[0] for path in _TAG.findall(tags)]
    paths = [path for path in named if not path.startswith(UNUSED)]
    known = {script.get("relative_package_path") for script in dcc._js_dist}
    paths += [path for path in PARTS_LOADED_LATER if path in known]
    contents = [_content(path, assets) for path in paths]
    # A script may end without a semicolon, or with a comment.
    return DashScripts(b"\n;\n".join(contents), _TAG.sub("", tags))


def _content(path: str, assets: Path) -> bytes:
    if path.startswith(POLYFILL):
        return (assets / POLYFILL_NEEDED).read_bytes()
    content = pkgutil.get_data(PACKAGE, path)
    if content is None:
        raise FileNotFoundError(path)
    return content
