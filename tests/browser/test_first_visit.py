"""A first visit in a real browser: what it asks for, and what it draws when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aggregator.passes.run import make_pass


@pytest.fixture
def page(visit, record):
    """A page on which an agent has worked for two hours."""
    with visit.engine.begin() as conn:
        at = [visit.now - timedelta(minutes=minute) for minute in (95, 94, 35, 33)]
        record(conn, "atlas", "a1a1a1a1-x", at)
    make_pass(visit.engine, visit.now, timedelta(days=30))
    return visit


NOTE_REQUESTS = """
{
  const { fetch } = window;
  window.requests = [];
  window.fetch = (resource, options) => {
    window.requests.push([new URL(resource, location).pathname, Boolean(window.DashRenderer)]);
    return fetch(resource, options);
  };
}"""


@pytest.fixture
def noted(page):
    """Note each request of scripts, and whether Dash was there by then."""
    driver = page.browser.driver
    script = driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": NOTE_REQUESTS}
    )
    yield lambda: driver.execute_script("return window.requests")
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


@pytest.mark.parametrize("search", ["", "?window=week&agent=99"])
def test_layout_and_numbers_are_one_request_from_before_dash_is_there(page, noted, search):
    page.open(search)
    page.browser.wait_for_element("#activity-chart .barlayer .point")

    assert noted() == [["/activity/_dash-layout", False]]
    assert page.updates == [[]]
    assert page.browser.driver.current_url == f"{page.url}/activity/{search}"
