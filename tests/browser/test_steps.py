"""The chart of a day in steps, and the minutes of one of its hours, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dash.testing.wait import until
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from aggregator.passes.run import make_pass

BARS = "#activity-chart .barlayer .point path"
SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const { value } of list.getEntries()) window.shift += value;
}).observe({ type: "layout-shift", buffered: true });
"""
HOUR = "?window=day&step=5min&hour=2026-11-22T12:00Z&project=1&metric=turns"


@pytest.fixture
def page(visit, record):
    """Atlas had turns at 10:00, 13:04, 13:06 and 13:30 in Berlin, infra one at 13:06, too."""
    with visit.engine.begin() as conn:
        for project, agent, minutes in (
            ("atlas", "a1a1a1a1-x", (60, 84, 86)),
            ("atlas", "a2a2a2a2-x", (270,)),
            ("infra", "b1b1b1b1-x", (84,)),
        ):
            instants = [visit.now - timedelta(minutes=each, hours=1) for each in minutes]
            record(conn, project, agent, instants)
    make_pass(visit.engine, visit.now, timedelta(days=30))
    return visit


def address(page):
    return page.browser.driver.current_url.split("/activity/")[1]


def wait_for_title(page, text):
    page.browser.wait_for_text_to_equal("#chart-title", text)


def wait_for_focus(page, selector):
    page.browser.wait_for_element(f"{selector}:focus")


def bars(page):
    return [bar for bar in page.browser.find_elements(BARS) if bar.size["height"]]


def test_steps_are_chosen_and_an_hour_has_minutes(page, saved):
    browser, driver = page.browser, page.browser.driver
    page.open("?window=day&project=1&metric=turns")
    wait_for_title(page, "Turns per hour")
    browser.find_element("#step input[value='15min']").send_keys(Keys.ARROW_RIGHT)
    wait_for_title(page, "Turns per 5 minutes")
    assert address(page) == "?window=day&step=5min&project=1&metric=turns"
    until(lambda: len(bars(page)) == 4, timeout=10)

    # The bar of 13:05, in the hour that begins at 12:00 UTC.
    bar = bars(page)[2]
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", bar)
    ActionChains(driver).move_to_element(bar).click().perform()
    wait_for_title(page, "Turns per minute")
    browser.wait_for_text_to_equal("#hour strong", "13:00–14:00")
    assert address(page) == HOUR
    until(lambda: len(bars(page)) == 3, timeout=10)
    labels = [each.text for each in browser.find_elements("#activity-chart .xtick text")]
    assert labels == ["13:00", "13:15", "13:30", "13:45", "14:00"]

    # The table and the picture are of these minutes.
    page.click(".activity-panel-chart summary")
    browser.wait_for_element(".activity-panel-chart tbody tr")
    rows = browser.find_elements(".activity-panel-chart tbody tr")
    assert (len(rows), rows[4].text.split()[:2]) == (
        60,
        ["2026-11-22T13:04:00+01:00", "2026-11-22T13:05:00+01:00"],
    )
    page.click("[data-activity-png=activity-chart]")
    saved("activity-turns-project-atlas-2026-11-22-1300-1min.png")

    # Numbers beside the chart stay those of the day.
    browser.wait_for_text_to_equal("#card-turns", "4")
    driver.refresh()
    browser.wait_for_text_to_equal("#hour strong", "13:00–14:00")
    driver.back()
    wait_for_title(page, "Turns per 5 minutes")
    driver.forward()
    wait_for_title(page, "Turns per minute")


def test_a_click_on_a_project_of_a_step_opens_the_project(page):
    driver = page.browser.driver
    page.open("?window=day&step=5min&metric=turns")
    until(lambda: len(bars(page)) == 4, timeout=10)
    # The lower half of the bar is of the project with more turns.
    bar = bars(page)[2]
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", bar)
    lower = round(bar.size["height"] * 3 / 4)
    ActionChains(driver).move_to_element_with_offset(bar, 1, lower).click().perform()
    page.browser.wait_for_text_to_equal("#crumbs h2", "atlas")
    assert address(page) == "?window=day&step=5min&project=1&metric=turns"


def test_the_keyboard_goes_into_an_hour_along_and_back(page):
    browser = page.browser
    page.open("?window=day&step=5min")
    browser.find_element("#minutes").send_keys(Keys.ENTER)
    wait_for_title(page, "Time per minute")
    wait_for_focus(page, "#chart-title")
    browser.wait_for_text_to_equal("#hour strong", "13:00–14:00")
    # Each counts, though the second comes before the answer to the first.
    browser.find_element("#hour-before").send_keys(Keys.ENTER, Keys.ENTER)
    browser.wait_for_text_to_equal("#hour strong", "11:00–12:00")
    wait_for_focus(page, "#hour-before")

    browser.find_element("#whole-period").send_keys(Keys.ENTER)
    wait_for_title(page, "Time per 5 minutes")
    wait_for_focus(page, "#chart-title")
    for title in ("Time per minute", "Time per 5 minutes"):
        ActionChains(browser.driver).send_keys("u").perform()
        wait_for_title(page, title)


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_moves_when_steps_or_an_hour_are_chosen(page, width):
    driver = page.browser.driver
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == 390}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.open("?window=day&metric=turns")
    driver.execute_script(SHIFTS)
    for link, title in (
        ("#step input[value='5min']", "Turns per 5 minutes"),
        ("#minutes", "Turns per minute"),
        ("#whole-period", "Turns per 5 minutes"),
        ("#window input[value='week']", "Turns per hour"),
        ("#window input[value='day']", "Turns per 5 minutes"),
    ):
        driver.execute_script("document.querySelector(arguments[0]).click()", link)
        wait_for_title(page, title)

    assert driver.execute_script("return window.shift") < 0.02
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
