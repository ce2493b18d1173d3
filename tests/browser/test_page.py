"""The page in a real browser, against a real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from dash.testing.wait import until
from flask import Flask, request
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from aggregator.passes import make_pass
from aggregator.read import MetricReader
from dashboard import page
from dashboard.context import PageContext

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=400)


@pytest.fixture
def updates() -> list[list[str]]:
    """What had changed before each request for numbers."""
    return []


@pytest.fixture
def browser(empty_engine, record, dash_duo, updates):
    """A browser in Berlin on the page; atlas is active now, infra was twenty days ago."""

    def ago(*minutes):
        return [NOW - timedelta(minutes=minute) for minute in minutes]

    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1a1a1a1-x", ago(95, 96.4, 97.8), state="awaiting_input")
        record(conn, "infra", "b1b1b1b1-x", ago(20 * 1440, 20 * 1440 + 1))
    make_pass(empty_engine, NOW, RETENTION)
    server = Flask("host")

    @server.before_request
    def note_updates():
        if request.path == "/activity/_dash-update-component":
            updates.append(request.get_json()["changedPropIds"])

    app = page.mount(server, MetricReader(empty_engine), PageContext(30), now=lambda: NOW)
    dash_duo.start_server(app, navigate=False)
    dash_duo.driver.execute_cdp_cmd(
        "Emulation.setTimezoneOverride", {"timezoneId": "Europe/Berlin"}
    )
    return dash_duo


def open_page(browser, search=""):
    browser.driver.get(f"{browser.server.url}/activity/{search}")
    browser.wait_for_text_to_equal("#states li:nth-child(2) strong", "0")


def choose(browser, dropdown, label):
    browser.find_element(f"#{dropdown}").click()
    browser.wait_for_element(".dash-dropdown-content label")
    options = browser.find_elements(".dash-dropdown-content label")
    next(option for option in options if option.text == label).click()


def problems(browser):
    return [entry for entry in browser.get_logs() or [] if entry["level"] != "INFO"]


def test_a_visit(browser, updates):
    open_page(browser)
    browser.wait_for_text_to_equal("#card-turns", "3")
    browser.wait_for_contains_text("#caption", "Last 24 hours, to 15:30 · Europe/Berlin")
    browser.wait_for_element("#activity-chart .barlayer .point path")
    # One request for the first view, and one for each change of a control.
    assert len(updates) == 1

    tallest = max(
        browser.find_elements("#activity-chart .barlayer .point path"),
        key=lambda bar: bar.size["height"],
    )
    ActionChains(browser.driver).move_to_element(tallest).perform()
    browser.wait_for_contains_text("#activity-chart .hoverlayer", "Sun 22 Nov, 13:00–14:00")
    lines = browser.find_elements("#activity-chart .hoverlayer .line")
    assert [line.text for line in lines] == [
        "Sun 22 Nov, 13:00–14:00",
        "3 turns",
        "1 min 24 s average turn time",
        "1 active agent",
    ]

    browser.find_element("#window input").send_keys(Keys.ARROW_RIGHT)
    browser.wait_for_contains_text("#caption", "Last 7 days")
    assert browser.driver.current_url.endswith("/activity/?window=week")
    assert updates[1:] == [["window.value"]]

    choose(browser, "project", "infra")
    browser.wait_for_contains_text("#empty", "Project infra was quiet.")
    assert browser.driver.current_url.endswith("?window=week&project=2")
    assert updates[2:] == [["project.value"]]

    browser.find_element("#empty a").click()
    browser.wait_for_text_to_equal("#card-turns", "2")
    assert "until=2026-11-02T15:00Z" in browser.driver.current_url

    browser.driver.back()
    browser.wait_for_contains_text("#empty", "Project infra was quiet.")
    browser.driver.back()
    browser.wait_for_text_to_equal("#card-turns", "3")
    assert browser.find_element("#project").text == "All projects"
    assert problems(browser) == []


def test_a_bookmark_opens_what_it_names(browser, updates):
    open_page(browser, "?window=month&project=2&agent=2")

    browser.wait_for_text_to_equal("#card-turns", "2")
    assert browser.find_element("#window .selected").text == "Month"
    assert browser.find_element("#project").text == "infra"
    assert browser.find_element("#agent").text == "b1b1b1b1"
    assert len(updates) == 1


def test_an_unfolded_project_keeps_the_focus_and_is_part_of_the_address(browser, updates):
    open_page(browser, "?window=month&open=none")
    browser.wait_for_element("#project-1").send_keys(Keys.ENTER)
    browser.wait_for_element("#project-1.is-unfolded:focus")
    browser.wait_for_text_to_equal("#agent-1", "a1a1a1a1")
    assert browser.driver.current_url.endswith("?window=month&open=1")

    browser.driver.execute_script("dash_clientside.set_props('tick', {n_intervals: 1})")

    until(lambda: len(updates) == 3, timeout=5)
    # Only the new link, not the one that had it before, can have the focus now.
    browser.wait_for_element("#project-1.is-unfolded:focus")
    browser.driver.back()
    browser.wait_for_element("#project-1:not(.is-unfolded)")


def test_while_the_server_cannot_be_reached_the_page_says_so(browser):
    def a_minute_passes():
        browser.driver.execute_script(
            "dash_clientside.set_props('tick', {n_intervals: Math.random()})"
        )

    open_page(browser)
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **network})
    a_minute_passes()
    browser.wait_for_contains_text("#connection", "The server does not answer.")
    assert browser.find_element("#card-turns").text == "3"

    browser.driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions", {"offline": False, **network}
    )
    a_minute_passes()
    browser.wait_for_text_to_equal("#connection", "")


def test_the_controls_are_radio_buttons_and_buttons_to_a_screen_reader(browser):
    open_page(browser)
    browser.wait_for_element("#activity-chart .main-svg")
    browser.find_element("#agent").click()
    browser.wait_for_element(".dash-dropdown-content label")

    def names(role):
        tree = browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [
            node["name"]["value"]
            for node in tree
            if not node["ignored"] and node["role"]["value"] == role
        ]

    assert names("radio")[:3] == ["Day", "Week", "Month"]
    assert names("dialog") == ["Agent"]
    assert (names("listbox"), names("option")) == ([], [])


def test_a_phone_at_night(browser):
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
    )
    open_page(browser)
    browser.wait_for_element("#activity-chart .main-svg")
    assert browser.driver.execute_script("return document.documentElement.scrollWidth") == 390

    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )

    browser.wait_for_element('#activity-chart .main-svg[style*="rgb(22, 26, 33)"]')
    assert problems(browser) == []
