"""The page on hosts with guards, in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dash.testing.wait import until
from flask import Flask, abort, redirect, request, session
from flask_talisman import Talisman
from flask_wtf.csrf import CSRFProtect
from jinja2 import DictLoader
from selenium.webdriver import ActionChains
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from aggregator.passes.run import make_pass
from dashboard import Activity

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
# As strict as possible, except for what a picture of the chart needs.
STRICT = {
    "default-src": "'none'",
    "connect-src": "'self'",
    "img-src": "'self' blob:",
    "style-src": "'self'",
}
TEMPLATE = """
<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta name="csrf-token" content="{{ token() }}">{{ activity.head }}</head>
<body><nav>My host</nav>{{ activity.body }}</body></html>
"""


@pytest.fixture
def turns(empty_engine, record):
    """Three turns in the last day, two more in the last month."""

    def ago(*minutes):
        return [NOW - timedelta(minutes=minute) for minute in minutes]

    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1a1a1a1-x", ago(95, 96, 97))
        record(conn, "infra", "b1b1b1b1-x", ago(20 * 1440, 20 * 1440 + 1))
    make_pass(empty_engine, NOW, timedelta(days=400))
    return empty_engine


def host(engine, **options) -> Flask:
    """A server with the page, not yet with a guard."""
    app = Flask("host")
    app.config.update(SECRET_KEY="a secret", ACTIVITY_JOBS=False)
    Activity(app, engine=engine, clock=lambda: NOW, **options)
    return app


def open_page(browser, url: str) -> None:
    browser.driver.get(url)
    browser.wait_for_text_to_equal("#card-turns", "3")


def choose_month(browser) -> None:
    browser.find_element("#window label:has(input[value=month])").click()
    browser.wait_for_text_to_equal("#card-turns", "5")
    browser.wait_for_element("#activity-chart .barlayer .point path")


def a_minute_passes(browser) -> None:
    browser.driver.execute_script("dash_clientside.set_props('tick', {data: Math.random()})")


@pytest.mark.parametrize(
    ("scripts", "nonce_in"), [("'self'", []), ("'strict-dynamic'", ["script-src", "style-src"])]
)
def test_a_strict_content_security_policy_has_nothing_to_object(
    turns, serve, dash_br, scripts, nonce_in
):
    app = host(turns)
    Talisman(
        app,
        force_https=False,
        content_security_policy={**STRICT, "script-src": scripts},
        content_security_policy_nonce_in=nonce_in,
    )
    CSRFProtect(app)

    open_page(dash_br, f"{serve(app)}/activity/")
    choose_month(dash_br)
    dash_br.find_element("#project").click()
    dash_br.wait_for_element(".dash-dropdown-content label")
    dash_br.find_element(".activity h1").click()
    bar = dash_br.wait_for_element("#activity-chart .barlayer .point path")
    ActionChains(dash_br.driver).move_to_element(bar).perform()
    dash_br.wait_for_element("#activity-chart .hoverlayer .hovertext")
    dash_br.find_element("[data-activity-png='activity-chart']").click()
    pictures = Path(dash_br.download_path)
    # Objections would be in the console, which the fixture of that name looks at.
    until(lambda: [file.suffix for file in pictures.iterdir()] == [".png"], timeout=10)


@pytest.mark.console("Loading the image 'blob:.* violates the following Content Security Policy")
def test_where_the_policy_forbids_pictures_the_page_says_what_is_lacking(turns, serve, dash_br):
    app = host(turns)
    Talisman(app, force_https=False)

    open_page(dash_br, f"{serve(app)}/activity/")
    dash_br.wait_for_element("#activity-chart .barlayer .point path")
    dash_br.find_element("[data-activity-png='activity-chart']").click()

    dash_br.wait_for_contains_text("#connection", "Content-Security-Policy lacks img-src blob:")


@pytest.mark.console(
    "/_dash-update-component.* 403",
    "/dash_renderer.* Object",  # Dash's own report of a request that was refused for good.
)
def test_a_page_may_be_left_open_for_longer_than_its_token_and_its_login_live(
    turns, serve, dash_br
):
    app = host(turns, template="mine.html")
    app.jinja_loader = DictLoader({"mine.html": TEMPLATE})
    tokens = ["first"]
    app.jinja_env.globals["token"] = lambda: tokens[-1]

    @app.get("/login")
    def login():
        session["user"] = "me"
        return '<link rel="icon" href="data:,">Welcome'

    @app.before_request
    def check():
        if request.endpoint != "login" and "user" not in session:
            return redirect("/login?next=activity")
        if request.method == "POST" and request.headers.get("X-CSRF-Token") != tokens[-1]:
            abort(403)
        return None

    url = serve(app)
    dash_br.driver.get(f"{url}/login")
    open_page(dash_br, f"{url}/activity/")
    tokens.append("second")

    choose_month(dash_br)

    assert dash_br.find_element("#connection").text == ""
    dash_br.driver.delete_all_cookies()
    a_minute_passes(dash_br)
    dash_br.wait_for_text_to_equal(
        "#connection", "You are no longer logged in. Reload this page to go on."
    )
    dash_br.find_element("#connection a").click()
    until(lambda: dash_br.driver.current_url == f"{url}/login?next=activity", timeout=10)


@pytest.mark.console("/_dash-update-component.* 400")
def test_a_token_of_flask_wtf_that_no_longer_holds_is_replaced(turns, serve, dash_br):
    app = host(turns)
    CSRFProtect(app)
    open_page(dash_br, f"{serve(app)}/activity/")
    app.config["WTF_CSRF_SECRET_KEY"] = "another secret"

    choose_month(dash_br)

    assert dash_br.find_element("#connection").text == ""


@pytest.mark.console("/_dash-update-component.* 403", "/dash_renderer.* Object")
def test_a_request_that_is_refused_for_good_is_told(turns, serve, dash_br):
    app = host(turns)
    forbidden = []

    @app.before_request
    def check():
        if request.method == "POST" and forbidden:
            abort(403)

    open_page(dash_br, f"{serve(app)}/activity/")
    forbidden.append("everything")
    a_minute_passes(dash_br)

    dash_br.wait_for_text_to_equal(
        "#connection", "The server did not accept a request. Reload this page to go on."
    )


def test_two_servers_below_roots_of_their_own_in_one_process(turns, serve, dash_br):
    tools, ops = host(turns), host(turns, url_prefix="/ops/activity")
    url = serve(DispatcherMiddleware(Flask("root"), {"/tools": tools, "/more": ops}))

    for address in (f"{url}/tools/activity/", f"{url}/more/ops/activity/"):
        open_page(dash_br, address)
        choose_month(dash_br)
        assert dash_br.driver.current_url == f"{address}?window=month"
