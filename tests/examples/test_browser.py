"""The example host in a real browser: its login, its protection, its page."""

from __future__ import annotations

from datetime import timedelta

from dash.testing.wait import until
from selenium.webdriver.common.keys import Keys

from dashboard.page import ids


def bars(browser):
    return len(browser.find_elements(f"#{ids.CHART} .barlayer .point path"))


def test_a_visit_behind_login_and_guards(address, wednesday, dash_br, password):
    browser = dash_br
    browser.driver.get(f"{address}/activity/")
    browser.wait_for_text_to_equal("h1", "Login")
    browser.find_element("[name=password]").send_keys(password, Keys.ENTER)
    browser.wait_for_text_to_equal("h1", "Agents")

    browser.find_element("nav a:last-child").click()
    browser.wait_for_contains_text("#empty", "No turns in")
    browser.driver.get(f"{address}/activity/?on={wednesday}")
    browser.wait_for_text_to_equal("#card-turns", "3")
    assert browser.find_element("header [aria-current]").text == "Activity"
    assert browser.find_element("header .counts").text == "1 processing"
    until(lambda: bars(browser) == 24, timeout=5)

    browser.find_element("#window input[value=day]").send_keys(Keys.ARROW_RIGHT)
    browser.wait_for_text_to_equal("#card-turns", "5")
    monday = wednesday - timedelta(days=2)
    assert browser.driver.current_url.endswith(f"/activity/?window=week&on={monday}")
    until(lambda: bars(browser) != 24, timeout=5)

    browser.find_element("header button").click()
    browser.wait_for_text_to_equal("h1", "Login")
    browser.driver.get(f"{address}/activity/?window=month")
    browser.wait_for_text_to_equal("h1", "Login")
