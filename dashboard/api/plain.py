"""JSON as the API means it, whatever a host has taught Flask's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

AWAY = "the database does not answer; try again later"


def json_response(
    content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in JSON, without blanks and without NaN, which JSON does not know."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return Response(text, status, headers, mimetype="application/json")
