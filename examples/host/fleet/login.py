"""The login: one password, entered once per browser."""

from __future__ import annotations

import hmac

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response

login = Blueprint("login", __name__)
OPEN_TO_ALL = {"login.form", "login.come_in", "static"}


def init_app(app: Flask) -> None:
    """Allow nothing but the login to anybody who has not logged in."""
    app.register_blueprint(login)
    app.before_request(check_login)


def check_login() -> Response | None:
    """Redirect visitors without a login to it; refuse their other requests."""
    if session.get("is_known") or request.endpoint in OPEN_TO_ALL:
        return None
    if request.method != "GET":
        abort(401)
    return redirect(url_for("login.form"))


@login.get("/login")
def form() -> str:
    """Show the form for the password."""
    return render_template("login.html")


@login.post("/login")
def come_in() -> Response | str:
    """Check the password."""
    given = request.form.get("password", "")
    if not hmac.compare_digest(given.encode(), str(current_app.config["PASSWORD"]).encode()):
        return render_template("login.html", is_wrong=True)
    session["is_known"] = True
    return redirect(url_for("pages.agents"))


@login.post("/logout")
def leave() -> Response:
    """Log the browser out."""
    session.clear()
    return redirect(url_for("login.form"))
