"""What the page sends with its requests to a host that guards against forged ones.

The browser needs two facts: a token, and the names of the headers that the host looks
for it in. ``assets/session.js`` uses them, and fetches the page again for another token
when a request is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app

USUAL_HEADERS = ("X-CSRF-Token", "X-CSRFToken")
"""What hosts look at: most home-made guards, and Flask-WTF."""


@dataclass(frozen=True, slots=True)
class Csrf:
    """Where tokens come from and where they go.

    Attributes:
        header: The header that the host looks at; None for the usual ones.
        meta: Name of the ``<meta>`` element in the host's template that holds a token.
        make_token: Makes a token for the present request, or None: then Flask-WTF
            makes one where the host uses it, else the ``<meta>`` element holds it,
            and without one nothing is sent.
    """

    header: str | None = None
    meta: str = "csrf-token"
    make_token: Callable[[], str] | None = None

    def facts(self) -> dict[str, Any]:
        """What the browser is to know, ready for JSON; for the present request."""
        headers, token = self._flask_wtf() if self.make_token is None else ((), self.make_token())
        if self.header:
            headers = (self.header,)
        return {"headers": headers or USUAL_HEADERS, "meta": self.meta, "token": token}

    def _flask_wtf(self) -> tuple[tuple[str, ...], str | None]:
        """The headers and a token of Flask-WTF's ``CSRFProtect``, where the host has it."""
        guard = current_app.extensions.get("csrf")
        if not type(guard).__module__.startswith("flask_wtf"):
            return (), None
        from flask_wtf.csrf import generate_csrf  # noqa: PLC0415 - it is the host's

        return tuple(current_app.config["WTF_CSRF_HEADERS"][:1]), generate_csrf()
