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
def run_first(dash_br):
    """Have the browser run scripts before those of each page."""
    driver, scripts = dash_br.driver, []

    def add(source):
        command = "Page.addScriptToEvaluateOnNewDocument"
        scripts.append(driver.execute_cdp_cmd(command, {"source": source}))

    yield add
    for script in scripts:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


@pytest.fixture
def noted(page, run_first):
    """Note each request of scripts, and whether Dash was there by then."""
    run_first(NOTE_REQUESTS)
    return lambda: page.browser.driver.execute_script("return window.requests")


@pytest.mark.parametrize("search", ["", "?window=week&agent=99"])
def test_layout_and_numbers_are_one_request_from_before_dash_is_there(page, noted, search):
    page.open(search)
    page.browser.wait_for_element("#activity-chart .barlayer .point")

    # Then it asks now and again whether there is anything new.
    asked = [request for request in noted() if request[0] != "/activity/version"]
    assert asked == [["/activity/_dash-layout", False]]
    assert page.updates == [[]]
    assert page.browser.driver.current_url == f"{page.url}/activity/{search}"


NOTE_ROWS = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("#projects .is-agent")) return;
  observer.disconnect();
  window.rowsBeforePlotly = !window.Plotly;
  fetch("/activity/assets/site.css");
}).observe(document, { childList: true, subtree: true });"""


@pytest.fixture
def cold(page):
    """A browser that keeps no files."""
    driver = page.browser.driver
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    yield page
    driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": False})


def test_the_page_does_not_wait_for_plotly(cold, run_first):
    cold.held = "/activity/assets/plotly-activity.min.js"
    cold.releasing = "/activity/assets/site.css"
    run_first(NOTE_ROWS)

    cold.open()

    cold.browser.wait_for_element("#activity-chart .barlayer .point")
    cold.browser.wait_for_element("#pattern-chart .barlayer .point")
    assert cold.browser.driver.execute_script("return window.rowsBeforePlotly")


NOTE_FIRST_PAINT = """
new MutationObserver((_, observer) => {
  if (!document.querySelector("#activity-chart .barlayer .point")) return;
  observer.disconnect();
  window.drawn = [...document.querySelectorAll(".plot-container")].map(
    (plot) => plot.closest(".dash-graph").id);
}).observe(document, { childList: true, subtree: true });"""


@pytest.fixture
def of_height(page):
    """Make the window as high as asked for."""
    driver = page.browser.driver
    before = driver.get_window_size()
    yield lambda height: driver.set_window_size(1440, height)
    driver.set_window_size(before["width"], before["height"])


def test_the_first_chart_in_the_view_waits_for_no_other(page, run_first, of_height):
    of_height(2000)
    run_first(NOTE_FIRST_PAINT)

    page.open()
    page.browser.wait_for_element("#work-chart .plot-container")

    drawn = page.browser.driver.execute_script("return window.drawn")
    assert drawn == ["activity-chart"]


BUSY = """
window.requestIdleCallback = () => 0;
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) shifts += value;
}).observe({ type: "layout-shift", buffered: true });"""
PATTERN = "#pattern-chart .barlayer .point"


@pytest.fixture
def busy(page, run_first, of_height):
    """The page in a low window of a browser that is never idle, its first chart drawn."""
    of_height(500)
    run_first(BUSY)
    page.open("?window=week")
    page.browser.wait_for_element("#activity-chart .barlayer .point")
    return page


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
