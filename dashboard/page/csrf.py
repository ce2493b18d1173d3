"""CSRF tokens for the page's requests to a host that checks them.

The browser needs a token, and the names of the headers in which the host expects it.
``assets/csrf.js`` sends them, and fetches the page again for a new token when a request
is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app

USUAL_HEADERS = ("X-CSRF-Token", "X-CSRFToken")
"""Headers checked by most custom guards, and by Flask-WTF."""


@dataclass(frozen=True, slots=True)
class Csrf:
    """The source of tokens, and the header that carries them.

    Attributes:
        header: The header that the host checks; None for the usual ones.
        meta: Name of the ``<meta>`` element in the host's template that holds a token.
        make_token: Makes a token for the current request. None: Flask-WTF makes one if
            the host uses it, else the ``<meta>`` element holds it, and without that
            element nothing is sent.
    """

    header: str | None = None
    meta: str = "csrf-token"
    make_token: Callable[[], str] | None = None

    def facts(self) -> dict[str, Any]:
        """Return the facts for the browser, ready for JSON, for the current request."""
        headers, token = self._flask_wtf() if self.make_token is None else ((), self.make_token())
        if self.header:
            headers = (self.header,)
        return {"headers": headers or USUAL_HEADERS, "meta": self.meta, "token": token}

    def _flask_wtf(self) -> tuple[tuple[str, ...], str | None]:
        """Return the headers and a token of Flask-WTF's ``CSRFProtect``, if the host has it."""
        guard = current_app.extensions.get("csrf")
        if not type(guard).__module__.startswith("flask_wtf"):
            return (), None
        from flask_wtf.csrf import generate_csrf  # noqa: PLC0415 - a package of the host

        return tuple(current_app.config["WTF_CSRF_HEADERS"][:1]), generate_csrf()
