"""Nothing on the page breaks WCAG 2.1 AA, as far as axe-core can tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from aggregator.passes.run import make_pass

CUSTOM = "?window=custom&from=2026-11-16&to=2026-11-22"


@pytest.fixture
def page(visit, record):
    with visit.engine.begin() as conn:
        for agent in range(4):
            instants = [visit.now - timedelta(hours=agent, minutes=one) for one in range(9)]
            record(conn, f"project-{agent % 2}", f"agent-{agent}", instants)
    make_pass(visit.engine, visit.now, timedelta(days=30))
    return visit


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_view_breaks_a_rule(page, violations, theme):
    driver = page.browser.driver
    media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    month = "?window=month&people=agents&everyone=yes"
    hour = "?hour=2026-11-22T13:00Z"
    for search in ("", month, "?on=2026-11-20", CUSTOM, "?agent=1", "?metric=turns", hour):
        page.open(search)
        page.browser.wait_for_element("#activity-chart .main-svg")
        assert (search, violations(driver)) == (search, [])


def test_nothing_that_opens_breaks_a_rule(page, violations):
    page.open(CUSTOM)
    driver = page.browser.driver
    page.click(".activity-panel-chart summary")
    page.browser.wait_for_element(".activity-panel-chart table")
    page.click("#agent")
    page.browser.wait_for_element(".dash-dropdown-content label")
    assert violations(driver) == []

    # A list that closes by itself takes the focus back, perhaps from what was clicked.
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    page.browser.wait_for_element("#agent:focus")
    page.click("#range")
    page.browser.wait_for_element(".dash-datepicker-content")
    assert violations(driver) == []

    page.open()
    page.open_menu()
    assert violations(driver) == []
    page.click("[data-activity-keys]")
    page.browser.wait_for_element("dialog.activity-keys")
    assert violations(driver) == []


def test_the_readable_page_of_the_api_breaks_no_rule_and_fits_on_a_phone(visit, violations):
    driver = visit.browser.driver
    for width in (1280, 390):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get(f"{visit.url}/api/metrics/")
        visit.browser.wait_for_element("#Totals")

        assert violations(driver) == []
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_an_empty_page_breaks_no_rule(visit, violations):
    visit.open()
    visit.browser.wait_for_element("#empty h2")

    assert violations(visit.browser.driver) == []
