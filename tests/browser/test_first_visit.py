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

    # Then it asks now and again whether there is anything new.
    asked = [request for request in noted() if request[0] != "/activity/version"]
    assert asked == [["/activity/_dash-layout", False]]
    assert page.updates == [[]]
    assert page.browser.driver.current_url == f"{page.url}/activity/{search}"


BUSY = """
window.requestIdleCallback = () => 0;
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifts += value;
}).observe({ type: "layout-shift", buffered: true });"""
PATTERN = "#pattern-chart .barlayer .point"


@pytest.fixture
def busy(page):
    """The page in a low window of a browser that is never idle, its first chart drawn."""
    driver = page.browser.driver
    before = driver.get_window_size()
    driver.set_window_size(1440, 500)
    script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": BUSY})
    page.open("?window=week")
    page.browser.wait_for_element("#activity-chart .barlayer .point")
    yield page
    driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    driver.set_window_size(before["width"], before["height"])


def is_drawn(page):
    return bool(page.browser.find_elements(PATTERN))


@pytest.mark.parametrize(
    "script",
    [
        "window.scrollTo(0, document.body.scrollHeight)",
        "document.querySelector('[data-activity-png=pattern-chart]').focus()",
    ],
    ids=["scrolled to", "reached by keyboard"],
)
def test_a_chart_below_the_view_is_drawn_when_it_comes_near(busy, script):
    assert not is_drawn(busy)

    busy.browser.driver.execute_script(script)

    busy.browser.wait_for_element(PATTERN)


def test_a_chart_below_the_view_is_printed(busy):
    assert not is_drawn(busy)

    busy.browser.driver.print_page()

    assert is_drawn(busy)


def test_a_chart_below_the_view_is_saved_as_it_would_be_drawn(busy, saved):
    assert not is_drawn(busy)

    busy.browser.driver.execute_script(
        "document.querySelector('[data-activity-png=pattern-chart]').click()"
    )

    assert saved("*.png").read_bytes().startswith(b"\x89PNG")


def test_a_chart_below_the_view_is_drawn_with_the_newest_numbers(busy):
    busy.click('#window input[value="day"]')
    busy.browser.wait_for_contains_text("#chart-title", "hour")
    assert not is_drawn(busy)

    busy.browser.driver.execute_script("window.scrollTo(0, document.body.scrollHeight)")

    busy.browser.wait_for_element(PATTERN)
    assert len(busy.updates) == 2


def test_the_list_of_time_zones_is_filled_when_its_menu_is_opened(busy):
    assert busy.browser.find_elements("#zone button, button#zone") == []

    busy.open_menu()

    busy.browser.wait_for_text_to_equal("#zone", "Europe/Berlin")


def test_nothing_shifts_while_the_page_appears(busy):
    assert busy.browser.driver.execute_script("return window.shifts") < 0.02
