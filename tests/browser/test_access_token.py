"""The standalone server with its access token and its headers, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from selenium.webdriver import ActionChains

from aggregator.passes.run import make_pass
from aggregator.settings import Settings
from dashboard.access.control import control_access
from dashboard.access.token import AccessToken
from dashboard.host.extension import utc_now
from dashboard.server import build_server


@pytest.mark.console("/activity/.window=week - .* 401", "/access - .* 403")
def test_the_link_opens_the_page_and_its_policy_has_nothing_to_object(
    empty_engine, record, serve, dash_br, tmp_path, violations
):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [utc_now() - timedelta(minutes=each) for each in (1, 2)])
    make_pass(empty_engine, utc_now(), timedelta(days=30))
    token = AccessToken.load(tmp_path)
    app = build_server(empty_engine, Settings.load(environ={}))
    control_access(app, token)
    url, browser = serve(app), dash_br.driver

    browser.get(f"{url}/activity/?window=week")
    assert violations(browser) == []
    field = dash_br.find_element("[name='token']")
    field.send_keys("guessed")
    field.submit()
    dash_br.wait_for_contains_text("[role='alert']", "This is not the token of this server")
    browser.get(f"{url}/access#{token.text}")

    bar = dash_br.wait_for_element("#activity-chart .barlayer .point path")
    ActionChains(browser).move_to_element(bar).perform()
    dash_br.wait_for_element("#activity-chart .hoverlayer .hovertext")
    # Where it was when it was asked for the token.
    assert browser.current_url == f"{url}/activity/?window=week"
    browser.back()
    assert token.text not in browser.current_url
    # Objections of the policy would be in the console, which the fixture looks at.
