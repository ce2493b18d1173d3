"""The strip on top of the page: who waits for the viewer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from sqlalchemy import update

from aggregator.database.models import Agent, Task
from aggregator.passes.run import make_pass

RETENTION = timedelta(days=30)


@pytest.fixture
def live(visit, record):
    """The page with two agents that wait for 2 and 9 minutes, and one that works."""

    def add(name, minutes, state):
        at = visit.now - timedelta(minutes=minutes)
        with visit.engine.begin() as conn:
            agent = record(conn, "atlas", name, [at], state=state)
            conn.execute(update(Task).where(Task.agent_id == agent).values(state=state))
            conn.execute(update(Agent).where(Agent.id == agent).values(name=name))
        visit.now += timedelta(seconds=1)
        make_pass(visit.engine, visit.now, RETENTION)

    visit.add = add
    for name, minutes, state in (
        ("fix/clock", 2, "awaiting_input"),
        ("prism", 9, "awaiting_input"),
        ("worker", 3, "processing"),
    ):
        add(name, minutes, state)
    visit.open()
    visit.browser.wait_for_text_to_equal("#now .is-waiting h2 strong", "2")
    return visit


def names(live, group="waiting"):
    found = live.browser.driver.find_elements("css selector", f"#now .is-{group} [data-agent]")
    return [link.text for link in found]


def title(live):
    return live.browser.driver.title.split(" ·")[0]


def test_the_longest_wait_is_on_top_with_a_clock_that_runs(live):
    assert names(live) == ["atlas prism", "atlas fix/clock"]
    assert names(live, "working") == ["atlas worker"]
    # Between the server's answers, the browser's own clock goes on.
    live.browser.wait_for_contains_text("#now .activity-clock", "9:")
    live.now += timedelta(minutes=12)
    live.browser.wait_for_contains_text("#now .activity-clock", "21:")
    assert title(live) == "(2) Activity"
    icon = live.browser.find_element("link[rel=icon]").get_attribute("href")
    assert icon == f"{live.url}/activity/icon/2.svg"


def test_a_change_is_shown_without_a_request_for_numbers_and_what_is_used_stays(live):
    live.browser.driver.execute_script(
        "window.stillHere = true; document.querySelector('.is-waiting [data-agent]').focus()"
    )
    bar = live.browser.wait_for_element("#activity-chart .barlayer .point path")
    ActionChains(live.browser.driver).move_to_element(bar).perform()
    live.browser.wait_for_element("#activity-chart .hoverlayer .hovertext")
    numbers = len(live.updates)
    with live.engine.begin() as conn:
        conn.execute(update(Task).where(Task.agent_id == 1).values(state="processing"))
    live.now += timedelta(seconds=30)
    make_pass(live.engine, live.now, RETENTION)

    live.browser.wait_for_text_to_equal("#now .is-waiting h2 strong", "1")

    assert (names(live), title(live)) == (["atlas prism"], "(1) Activity")
    live.browser.wait_for_text_to_equal("#states .activity-state-waiting strong", "1")
    assert live.browser.driver.switch_to.active_element.text == "atlas prism"
    assert live.browser.driver.execute_script("return window.stillHere")
    assert live.browser.find_element("#activity-chart .hoverlayer .hovertext").is_displayed()
    assert len(live.updates) == numbers


def test_n_goes_to_the_next_that_waits_and_enter_shows_it_alone(live):
    driver = live.browser.driver
    seen = []
    for _ in range(3):
        ActionChains(driver).send_keys("n").perform()
        seen.append(driver.switch_to.active_element.text)
    driver.switch_to.active_element.send_keys(Keys.ENTER)

    live.browser.wait_for_text_to_equal("#crumbs", "All projects › prism", timeout=10)
    assert seen == ["atlas prism", "atlas fix/clock", "atlas prism"]


def resize(live, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == 390}
    live.browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def test_what_is_unfolded_stays_unfolded(live):
    resize(live, 1280, 900)
    for number in range(6):
        live.add(f"more {number}", 1, "awaiting_input")
    live.browser.wait_for_text_to_equal("#now summary", "3 more")
    assert len([name for name in names(live) if name]) == 5
    live.click("#now summary")
    live.add("one more", 1, "awaiting_input")

    live.browser.wait_for_text_to_equal("#now summary", "4 more")

    assert live.browser.driver.execute_script("return document.querySelector('#now details').open")
    assert len([name for name in names(live) if name]) == 9


def test_a_phone_folds_more_of_them(live):
    resize(live, 390, 844)
    for number in range(3):
        live.add(f"more {number}", 1, "awaiting_input")

    live.browser.wait_for_text_to_equal("#now summary", "2 more")
    assert len([name for name in names(live) if name]) == 3
    live.click("#now summary")
    assert len([name for name in names(live) if name]) == 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it(live, violations, scheme):
    live.browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    assert violations(live.browser.driver) == []
