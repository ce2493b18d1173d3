"""JSON answers of the API, of pictures and of the page's version, errors included.

An error is always ``{"error": "…"}``: one line that names the wrong value and the allowed
ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from aggregator.errors import (
    ConflictingParametersError,
    ExtraMissingError,
    HostSchemaError,
    MissingParameterError,
    NotMigratedError,
    ParameterError,
    RightsMissingError,
    UnknownParameterError,
    UnknownScopeError,
)
from aggregator.query.reader import DATABASE_AWAY
from dashboard.errors import (
    BrowserMissingError,
    PictureFailedError,
    PicturePackageMissingError,
    PicturesBusyError,
)

STATUS: dict[type[Exception], int] = {
    ConflictingParametersError: 400,
    MissingParameterError: 400,
    ParameterError: 400,
    UnknownParameterError: 400,
    UnknownScopeError: 404,
    PictureFailedError: 500,
    BrowserMissingError: 501,
    PicturePackageMissingError: 501,
    HostSchemaError: 503,
    NotMigratedError: 503,
    RightsMissingError: 503,
    PicturesBusyError: 503,
    **dict.fromkeys(DATABASE_AWAY, 503),
}
"""HTTP status of each error that a request may raise."""

ANSWERED = tuple(STATUS)
"""Errors that an endpoint catches and answers with :func:`error_response`."""

DATABASE_AWAY_ERROR = "the database does not answer; try again later"


def json_response(
    content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer in JSON, whatever JSON provider the host has given to Flask.

    The text has no white space, and no NaN, which JSON does not have.
    """
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return Response(text, status, headers, mimetype="application/json")


def json_error(reason: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer ``{"error": reason}``."""
    return json_response({"error": reason}, status, headers)


def error_response(error: Exception) -> Response:
    """Answer one of the errors of :data:`STATUS`, with its message and status."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    if isinstance(error, DATABASE_AWAY):
        # The driver's message may contain the address of the database.
        return json_error(DATABASE_AWAY_ERROR, status)
    return json_error(error.need if isinstance(error, ExtraMissingError) else str(error), status)
