"""Conditional answers: ETags, and 304 for clients whose copy is still valid."""

from __future__ import annotations

import re
from hashlib import blake2b

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

_CLOCK = re.compile(rb'"(?:as_of|until|turn_rate)":[^,}]+')
"""Values that change with the clock alone, inside the same hour and without new turns."""


def conditional(response: Response) -> AnyResponse:
    """Add an ETag to an answer, or answer 304 if the client has it already.

    The tag is weak: it stays the same while only the clock moves. A pass, a new name or
    the next hour changes it.
    """
    content = _CLOCK.sub(b"", response.get_data())
    response.set_etag(blake2b(content, digest_size=16).hexdigest(), weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Accept")
    return response.make_conditional(request)
