"""Compress answers for clients that accept it, on any server.

Only our own answers are compressed. A host that compresses all of its answers leaves those
alone that are compressed already.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import TypeVar

import brotli
from flask import request
from werkzeug.wrappers import Response as AnyResponse

ENCODINGS = ("br", "gzip")
"""Content encodings that we offer, best first."""
TEXT_TYPES = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/openmetrics-text",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)
SHORTEST = 500
"""Bytes; a shorter answer fits into one packet anyway."""
MOST_FILES = 128

Answer = TypeVar("Answer", bound=AnyResponse)


def accepted_encoding(mimetype: str | None) -> str | None:
    """Return the encoding for an answer of this type to the current request; None for none."""
    if mimetype not in TEXT_TYPES:
        return None
    return next((name for name in ENCODINGS if request.accept_encodings[name]), None)


def compressed(answer: Answer) -> Answer:
    """Compress an answer to the current request, if it is worth it and the client accepts it.

    Answers that are compressed already, streamed or partial are left as they are.
    """
    if answer.status_code == 304:
        # It says of the answer that the client has what that would say of itself.
        answer.vary.add("Accept-Encoding")
    if answer.mimetype not in TEXT_TYPES or answer.status_code != 200 or answer.is_streamed:
        return answer
    answer.vary.add("Accept-Encoding")
    encoding = accepted_encoding(answer.mimetype)
    if encoding is None or answer.content_encoding or "no-transform" in answer.cache_control:
        return answer
    content = answer.get_data()
    if len(content) < SHORTEST:
        return answer
    answer.set_data(_compress(content, encoding))
    answer.content_encoding = encoding
    etag, is_weak = answer.get_etag()
    if etag and not is_weak:
        # The bytes differ, and only a weak tag may stand for both.
        answer.set_etag(etag, weak=True)
    return answer


def _compress(content: bytes, encoding: str) -> bytes:
    """Compress quickly, as for an answer that is made for one request."""
    if encoding == "br":
        quick: bytes = brotli.compress(content, quality=4)
        return quick
    return gzip.compress(content, 5)


@lru_cache(maxsize=MOST_FILES)
def compress_well(content: bytes, encoding: str) -> bytes:
    """Compress a file, once: every new visitor downloads it."""
    small: bytes = (
        brotli.compress(content, quality=9) if encoding == "br" else gzip.compress(content)
    )
    return small
