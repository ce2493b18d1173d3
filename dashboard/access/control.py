"""Checks of each request to the standalone server, and the security headers of its answers.

Hosts have checks of their own: nothing of this applies where Activity is mounted.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from dashboard.access.headers import SECURITY_HEADERS
from dashboard.access.token import AccessToken
from dashboard.http_responses import json_error

COOKIE = "activity_access"
COOKIE_SECONDS = 365 * 86_400
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
OPEN_ENDPOINTS = ("access", "activity.asset")
"""They tell nothing about anybody: the way in, and the files of this program."""

NeedsToken = Callable[[], bool]


def control_access(
    app: Flask,
    token: AccessToken | None,
    allowed_hosts: Sequence[str] = (),
    needs_token: NeedsToken = lambda: True,
) -> None:
    """Add the checks and the headers to a server.

    - The host name of a request is ``localhost``, this machine's name, an IP address, or one
      of the allowed names. Otherwise another web site could point its own name here.
    - A request that may change something comes from a page of this server.
    - With a token, a request brings it as ``Authorization: Bearer …``, or has the cookie that
      ``/access`` gives for it.

    Args:
        app: The server.
        token: The token; None for a server that needs none.
        allowed_hosts: Further host names, without ports.
        needs_token: Tells for the current request whether the token is needed.
    """
    control = _Control(token, allowed_hosts, needs_token)
    app.before_request(control.check)
    app.add_url_rule("/access", "access", control.access, methods=["GET", "POST"])
    app.after_request(_add_headers)


class _Control:
    """The checks of one server."""

    def __init__(
        self, token: AccessToken | None, allowed_hosts: Sequence[str], needs_token: NeedsToken
    ) -> None:
        own = {"localhost", socket.gethostname().lower()}
        self._allowed = {name.lower() for name in allowed_hosts}
        self._names = own | self._allowed
        self._token = token
        self._needs_token = needs_token

    def check(self) -> AnyResponse | None:
        """Refuse the current request, or return None."""
        if not _is_known_host(request.host, self._names):
            names = ", ".join(sorted(self._names))
            return json_error(
                f"this host name is not allowed; expected {names}, an IP address, or a name of "
                "--allowed-hosts",
                400,
            )
        if request.method not in SAFE_METHODS and not _is_own_origin(self._allowed):
            return json_error("the request comes from another web site", 403)
        if request.endpoint in OPEN_ENDPOINTS or self._has_access():
            return None
        return _locked()

    def _has_access(self) -> bool:
        if self._token is None or not self._needs_token():
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._token.is_token(given)
        return self._token.is_cookie(request.cookies.get(COOKIE, ""))

    def access(self) -> AnyResponse:
        """Ask for the token, or give a cookie for it."""
        if self._token is None:
            return redirect(url_for("activity.activity_page"))
        if request.method != "POST":
            return _page(200)
        if not self._token.is_token(request.form.get("token", "")):
            return _page(403, wrong=True)
        answer = redirect(_next() or url_for("activity.activity_page"), 303)
        answer.set_cookie(
            COOKIE,
            self._token.cookie,
            max_age=COOKIE_SECONDS,
            path=request.script_root or "/",
            secure=request.is_secure,
            httponly=True,
            samesite="Strict",
        )
        return answer


def _add_headers(answer: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        # A picture has a stricter policy of its own.
        answer.headers.setdefault(name, value)
    return answer


def _is_known_host(host: str, names: set[str]) -> bool:
    name = _name_of(f"//{host}")
    if name is None:
        return False
    try:
        # No other web site has an address for its name.
        ipaddress.ip_address(name)
    except ValueError:
        return name.removesuffix(".local") in names or name in names
    return True


def _name_of(address: str) -> str | None:
    try:
        return (urlsplit(address).hostname or "").lower() or None
    except ValueError:
        return None


def _is_own_origin(allowed: set[str]) -> bool:
    """Return whether a page of this server sent the request, as far as the browser tells."""
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True
    origin = request.headers.get("Origin", "")
    # A proxy may have another name than this server, which then is an allowed one.
    return urlsplit(origin).netloc == request.host or _name_of(origin) in allowed


def _locked() -> AnyResponse:
    """Ask a person for the token, and tell a program how to send it."""
    if (
        request.method == "GET"
        and request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
        and request.accept_mimetypes.quality("text/html") == 1
    ):
        return _page(401)
    error = "this server needs its access token: Authorization: Bearer …"
    return json_error(error, 401, {"WWW-Authenticate": "Bearer"})


def _page(status: int, *, wrong: bool = False) -> AnyResponse:
    place = _next() or (request.full_path.rstrip("?") if request.endpoint != "access" else "")
    answer = make_response(render_template("activity/access.html", wrong=wrong, place=place))
    answer.status_code = status
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _next() -> str:
    """Return the place on this server to go on to, or an empty text."""
    place = request.form.get("next", "") if request.method == "POST" else ""
    inside = place.startswith("/") and not place.startswith("//") and "\\" not in place
    return place if inside and place.isprintable() else ""
