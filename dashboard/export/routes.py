"""Charts as pictures over HTTP: ``/activity/export/turns.png?window=week``.

Errors are ``{"error": "…"}``, like those of the API.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, request

from aggregator.errors import ParameterError
from aggregator.query.reader import MetricReader
from dashboard.context import Clock, PageContext
from dashboard.errors import PictureFailedError, PicturesBusyError
from dashboard.export.bundles import File
from dashboard.export.files import make_files
from dashboard.export.parameters import Export, read_export, read_name
from dashboard.http_responses import ANSWERED, error_response
from dashboard.pictures.renderer import Renderer

UTC_ZONE = ZoneInfo("UTC")
"""The default zone: a server does not know where its viewer is; ``tz=`` says it."""
MEDIA_TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "zip": "application/zip",
}
RETRY_SECONDS = 5
NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""Policy for an SVG, a document of its own, whose scripts a browser would run."""


def add_export_rules(
    blueprint: Blueprint,
    reader: MetricReader,
    context: PageContext,
    now: Clock,
    renderer: Renderer,
) -> None:
    """Add the route ``/export/<chart>.<format>`` below the page, with the page's parameters."""

    @blueprint.get("/export/<name>")
    def export(name: str) -> Response:
        try:
            requested = read_export(*read_name(name), _parameters())
            [file] = make_files(
                requested, reader, UTC_ZONE, now(), context=context, renderer=renderer
            )
        except ANSWERED as error:
            answer = _refusal(error)
        else:
            answer = _answer(file, requested)
        # Numbers change, and so do errors.
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def _parameters() -> dict[str, str]:
    """Return the parameters of the query string.

    Raises:
        ParameterError: A parameter is repeated.
    """
    given = request.args.to_dict(flat=False)
    for name, texts in given.items():
        if len(texts) > 1:
            raise ParameterError(name, ", ".join(texts), "one value")
    return {name: texts[0] for name, texts in given.items()}


def _refusal(error: Exception) -> Response:
    answer = error_response(error)
    if isinstance(error, PicturesBusyError):
        answer.headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, PictureFailedError):
        current_app.logger.error("Export: %s", error, exc_info=error)
    return answer


def _answer(file: File, requested: Export) -> Response:
    answer = Response(file.content, mimetype=MEDIA_TYPES[requested.bundle or requested.kind])
    answer.headers["Content-Disposition"] = f'inline; filename="{file.name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    if requested.kind == "svg":
        answer.headers["Content-Security-Policy"] = NO_SCRIPTS
    return answer
