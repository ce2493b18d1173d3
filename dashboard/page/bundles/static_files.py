"""The page's scripts and style sheets: compressed once, cached by browsers for ever.

Dash alone would read, compress and send them again for every visitor. The addresses carry
a digest of our files and the version of Dash's, so that a browser never has to ask again
for a file that it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import dash
from dash import Dash, dash_table, dcc, html
from dash.exceptions import DependencyException, InvalidResourceError
from flask import Blueprint, Response, abort, request, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from dashboard.compression import accepted_encoding, compress_well
from dashboard.page.bundles.assets import ASSET_BUNDLES, joined
from dashboard.page.bundles.dash import DASH_BUNDLE, PACKAGE

FOR_EVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
"""Browsers may cache the file, but must revalidate it before each use."""


COMPRESSED = ".br"
"""Ending of a file's twin that is compressed already; tools/plotly/compress.py makes them."""

_VERSIONS = {re.sub(r"[^\w-]", "_", part.__version__) for part in (dash, dcc, html, dash_table)}


def add_file_rules(blueprint: Blueprint, app: Dash, dash_bundle: Callable[[], bytes]) -> None:
    """Add the routes of the page's files, which take precedence over Dash's own.

    Args:
        blueprint: The page's blueprint; its rules come before those of the app.
        app: Knows the folder of its assets, and the files of components.
        dash_bundle: Returns the content of Dash's scripts, once the app is mounted.
    """
    folder = Path(app.config.assets_folder)
    for name in ASSET_BUNDLES:
        # Now rather than with the first request: a missing file stops the start.
        joined(folder, name)
    # The method below exists only in Dash's class for Flask, not in that for any server.
    backend: Any = app.backend

    @blueprint.get("/assets/<path:name>")
    def asset(name: str) -> AnyResponse:
        if name in ASSET_BUNDLES:
            return _named_answer(joined(folder, name), ASSET_BUNDLES[name].mimetype)
        with send_from_directory(folder, name, etag=False, last_modified=None) as found:
            found.direct_passthrough = False
            return _named_answer(found.get_data(), found.mimetype, folder / f"{name}{COMPRESSED}")

    @blueprint.get("/_dash-component-suites/<package>/<path:name>")
    def component_file(package: str, name: str) -> AnyResponse:
        if (package, name) == (PACKAGE, DASH_BUNDLE):
            return _named_answer(dash_bundle(), "text/javascript")
        try:
            found = backend.serve_component_suites(app, package, name)
        except (DependencyException, InvalidResourceError):
            abort(404)
        return _answer(found.get_data(), found.mimetype, for_ever=_is_current(name))


def script_tag(name: str, app: Dash, attributes: str = "") -> str:
    """Return the tag of one of our scripts."""
    return f'<script src="{_address(name, app)}"{attributes}></script>'


def dash_tag(dash_bundle: bytes, app: Dash) -> str:
    """Return the tag of Dash's scripts."""
    place = f"{app.config.requests_pathname_prefix}_dash-component-suites/{PACKAGE}"
    return f'<script src="{place}/{DASH_BUNDLE}?m={content_digest(dash_bundle)}"></script>'


def style_tag(name: str, app: Dash) -> str:
    """Return the tag of one of our style sheets."""
    return f'<link rel="stylesheet" href="{_address(name, app)}">'


def _address(name: str, app: Dash) -> str:
    return f"{app.get_asset_url(name)}?m={_digest(Path(app.config.assets_folder), name)}"


@cache
def _digest(folder: Path, name: str) -> str:
    content = joined(folder, name) if name in ASSET_BUNDLES else (folder / name).read_bytes()
    return content_digest(content)


def content_digest(content: bytes) -> str:
    """Return a short digest of a content."""
    return blake2b(content, digest_size=8).hexdigest()


def _is_current(name: str) -> bool:
    """Return True if a component's file name has the installed version.

    While machines are updated one by one, a page of the new version may ask a machine with
    the old version, whose answer must not be cached for ever.
    """
    named = re.search(r"\.v([\w-]+)m[0-9a-f]+\.", name)
    return named is not None and named[1] in _VERSIONS


def _named_answer(content: bytes, kind: str | None, twin: Path | None = None) -> AnyResponse:
    """Answer with a file whose address names its digest."""
    return _answer(
        content, kind, for_ever=request.args.get("m") == content_digest(content), twin=twin
    )


def _answer(
    content: bytes, kind: str | None, *, for_ever: bool, twin: Path | None = None
) -> AnyResponse:
    encoding = accepted_encoding(kind)
    answer = Response(_encoded(content, encoding, twin), mimetype=kind)
    answer.headers["Cache-Control"] = FOR_EVER if for_ever else ASK_FIRST
    answer.vary.add("Accept-Encoding")
    if encoding:
        answer.content_encoding = encoding
    answer.set_etag(f"{content_digest(content)}-{encoding or 'plain'}")
    return answer.make_conditional(request)


def _encoded(content: bytes, encoding: str | None, twin: Path | None) -> bytes:
    if encoding == "br" and twin and twin.exists():
        return twin.read_bytes()
    return compress_well(content, encoding) if encoding else content
