"""Answers that requests share, and conditional answers: 304 for clients whose copy is valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from hashlib import blake2b

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from dashboard.single_flight import Batches, Places

PATIENCE = 5.0
"""Seconds to wait for others; then an answer is made beside theirs."""

_CLOCK = re.compile(rb'"(?:as_of|until|turn_rate)":[^,}]+')
"""Values that change with the clock alone, inside the same hour and without new turns."""


def conditional(response: Response) -> AnyResponse:
    """Add an ETag to an answer, or answer 304 if the client has it already.

    The tag is weak: it stays the same while only the clock moves. A pass, a new name or
    the next hour changes it.
    """
    return _sent(response.get_data(), response.mimetype, _tag(response))


class Shared:
    """A decorator of views: requests that wait for the same answer get one, read for all.

    A view must answer by the address and the ``Accept`` header alone.

    Attributes:
        batches: Do the work of the views. One at a time: an answer is mostly computing, of
            which a process does one at a time anyway, and the page needs its part.
    """

    def __init__(self) -> None:
        self.batches = Batches(Places(1, PATIENCE))

    def __call__(self, view: Callable[..., Response]) -> Callable[..., AnyResponse]:
        """Wrap a view; its answers become conditional."""

        @wraps(view)
        def answer(**given: str) -> AnyResponse:
            accepted = request.accept_mimetypes.to_header()
            key = request.path, request.query_string, accepted

            def work() -> tuple[bytes, str | None, str]:
                response = view(**given)
                return response.get_data(), response.mimetype, _tag(response)

            return _sent(*self.batches.do(key, work))

        return answer


def _tag(response: Response) -> str:
    content = _CLOCK.sub(b"", response.get_data())
    return blake2b(content, digest_size=16).hexdigest()


def _sent(content: bytes, mimetype: str | None, tag: str) -> AnyResponse:
    response = Response(content, mimetype=mimetype)
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Accept")
    return response.make_conditional(request)
