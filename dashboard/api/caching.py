"""What a browser or a program may keep of an answer, and how it asks whether it still holds."""

from __future__ import annotations

import re
from hashlib import blake2b

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

_CLOCK = re.compile(rb'"(?:as_of|until|turn_rate)":[^,}]+')
"""What the clock alone changes, inside the same hour, while nothing is counted."""


def conditional(response: Response) -> AnyResponse:
    """The answer with an ETag, or 304 where the client has it already.

    The tag is a weak one: it stays the same while only the clock has moved. A pass, a
    new name or the next hour changes it.
    """
    content = _CLOCK.sub(b"", response.get_data())
    response.set_etag(blake2b(content, digest_size=16).hexdigest(), weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Accept")
    return response.make_conditional(request)
