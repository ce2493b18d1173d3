"""CSRF protection: every request that changes something must carry a token of ours.

Forms send it in a field, scripts in the header ``X-CSRF-Token``. A token is valid for an
hour. The template ``base.html`` holds one in ``<meta name="csrf-token">``.
"""

from __future__ import annotations

import secrets

from flask import Flask, abort, current_app, request, session
from itsdangerous import BadData, URLSafeTimedSerializer

LIFETIME_SECONDS = 3600
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


def init_app(app: Flask) -> None:
    """Check every unsafe request; give templates ``csrf_token()``."""
    app.jinja_env.globals["csrf_token"] = csrf_token
    app.before_request(check_token)


def csrf_token() -> str:
    """Return a new token for this browser."""
    token = _serializer().dumps(session.setdefault("csrf", secrets.token_urlsafe(16)))
    return token if isinstance(token, str) else token.decode()


def check_token() -> None:
    """Refuse a request without a token, with an expired one, or with another browser's."""
    if request.method in SAFE_METHODS:
        return
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    try:
        owner = _serializer().loads(given, max_age=LIFETIME_SECONDS)
    except BadData:
        owner = None
    if owner is None or owner != session.get("csrf"):
        abort(403, "This form is too old, or not ours. Load the page again.")


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="csrf")
