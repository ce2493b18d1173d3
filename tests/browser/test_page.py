"""The page in a real browser, against a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dash.testing.wait import until
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from sqlalchemy import text

from aggregator.passes.run import make_pass

RETENTION = timedelta(days=30)
BARS = "#activity-chart .barlayer .point path"


def ago(visit, *minutes):
    return [visit.now - timedelta(minutes=minute) for minute in minutes]


@pytest.fixture
def page(visit, record):
    """Atlas had two agents today and one yesterday, infra one on Monday."""
    with visit.engine.begin() as conn:
        record(conn, "atlas", "a1a1a1a1-x", ago(visit, 95, 96.4, 97.8), state="awaiting_input")
        record(conn, "atlas", "a2a2a2a2-x", ago(visit, 95, 1500, 1501))
        record(conn, "infra", "b1b1b1b1-x", ago(visit, 6 * 1440 + 60, 6 * 1440 + 61))
    make_pass(visit.engine, visit.now, RETENTION)
    return visit


def bars(page):
    return page.browser.find_elements(BARS)


def point_at(page, bar):
    ActionChains(page.browser.driver).move_to_element(bar).perform()


def tooltip(page):
    lines = page.browser.find_elements("#activity-chart .hoverlayer .line")
    return [line.text for line in lines]


def choose(page, dropdown, label):
    page.browser.find_element(f"#{dropdown}").click()
    page.browser.wait_for_element(".dash-dropdown-content label")
    options = page.browser.find_elements(".dash-dropdown-content label")
    next(option for option in options if option.text == label).click()
    page.browser.find_element("h1").click()


def address(page):
    return page.browser.driver.current_url.split("/activity/")[1]


def test_a_visit(page):
    browser = page.browser
    page.open("?window=day&metric=turns")
    browser.wait_for_text_to_equal("#card-turns", "4")
    browser.wait_for_text_to_equal("#period strong", "Sun 22 Nov 2026")
    # Two today before three o'clock against two yesterday: the cards say so.
    browser.wait_for_contains_text("#cards", "▲\u202f100\u202f%")
    browser.wait_for_text_to_equal("#caption", "So far · compared with Sat 21 Nov until 15:00")
    browser.wait_for_element(BARS)
    assert len(page.updates) == 1

    tallest = max(bars(page), key=lambda bar: bar.size["height"])
    point_at(page, tallest)
    browser.wait_for_contains_text("#activity-chart .hoverlayer", "Sun 22 Nov, 13:00–14:00")
    assert tooltip(page) == [
        "Sun 22 Nov, 13:00–14:00",
        "4 turns",
        "1 min 24 s average gap between turns",
        "2 active agents",
    ]

    browser.find_element("#window input[value=day]").send_keys(Keys.ARROW_RIGHT)
    browser.wait_for_text_to_equal("#period strong", "16–22 Nov 2026")
    assert address(page) == "?window=week&metric=turns"
    assert page.updates[1:] == [["window.value"]]

    browser.wait_for_text_to_equal("#card-turns", "8")
    click = max(bars(page), key=lambda bar: bar.size["height"])
    ActionChains(browser.driver).move_to_element(click).click().perform()
    browser.wait_for_text_to_equal("#period strong", "Sun 22 Nov 2026")
    assert page.updates[2:] == [["activity-chart.clickData"]]

    browser.driver.back()
    browser.wait_for_text_to_equal("#period strong", "16–22 Nov 2026")
    page.click("#project-2")
    browser.wait_for_text_to_equal("#crumbs h2", "infra")
    assert address(page) == "?window=week&project=2&metric=turns"
    browser.driver.back()
    browser.wait_for_text_to_equal("#card-turns", "8")
    page.click("#agent-3")
    browser.wait_for_text_to_equal("#card-turns", "2")
    browser.wait_for_text_to_equal("#crumbs h2", "b1b1b1b1")
    assert address(page) == "?window=week&agent=3&metric=turns"
    page.click("#crumbs a")
    browser.wait_for_text_to_equal("#card-turns", "8")


def test_the_first_tap_shows_a_bars_numbers_and_the_second_leads_there(page):
    driver = page.browser.driver
    driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.open("?window=week&metric=turns")
    page.browser.wait_for_element(BARS)
    tallest = max(bars(page), key=lambda bar: bar.size["height"])
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", tallest)
    box = driver.execute_script("return arguments[0].getBoundingClientRect().toJSON()", tallest)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}

    def tap():
        gesture = {**point, "gestureSourceType": "touch"}
        driver.execute_cdp_cmd("Input.synthesizeTapGesture", gesture)

    tap()
    page.browser.wait_for_contains_text("#activity-chart .hoverlayer", "Sun 22 Nov, 13:00–14:00")
    assert len(page.updates) == 1

    tap()
    page.browser.wait_for_text_to_equal("#period strong", "Sun 22 Nov 2026")


def test_a_copied_address_opens_the_same_view(page):
    browser = page.browser
    search = (
        "?window=month&tz=Asia/Kolkata&project=1,2&agent=2,3&metric=agents&people=agents"
        "&everyone=yes&sort=%2Bname"
    )
    page.open(search)

    browser.wait_for_text_to_equal("#card-turns", "5")
    assert browser.find_element("#window .selected").text == "Month"
    page.open_menu()
    assert browser.find_element("#zone").text == "Asia/Kolkata"
    assert browser.find_element("#metric").text == "Active agents"
    assert not browser.find_element("#active-only input").is_selected()
    names = [cell.text for cell in browser.find_elements("#projects .is-agent .is-name a")]
    assert names == ["a2a2a2a2", "b1b1b1b1"]
    assert len(page.updates) == 1
    assert address(page) == search


def test_several_projects_can_be_chosen_and_a_bad_link_says_so(page):
    browser = page.browser
    page.open("?window=week&project=99&sort=age")
    browser.wait_for_text_to_equal(
        "#notice",
        "In the address, sort is “age”; it can be - or + before working, waiting, responses, "
        "response-time, turns, turn-time, last, name or state. There is no project with id 99. "
        "Showing all projects.",
    )

    choose(page, "project", "atlas")
    browser.wait_for_text_to_equal("#card-turns", "6")
    choose(page, "project", "infra")
    browser.wait_for_text_to_equal("#card-turns", "8")
    browser.wait_for_text_to_equal("#crumbs h2", "atlas, infra")
    browser.wait_for_text_to_equal("#notice", "")


@pytest.mark.parametrize(
    ("zone", "day", "name", "buckets", "first", "last"),
    [
        ("America/New_York", "2026-11-01", "Sun 1 Nov", 25, "00:00–01:00", "23:00–24:00"),
        ("Asia/Kolkata", "2026-11-20", "Fri 20 Nov", 24, "00:30–01:30", "– Sat 21 Nov, 00:30"),
    ],
)
def test_days_have_their_true_hours(visit, record, zone, day, name, buckets, first, last):
    with visit.engine.begin() as conn:
        hours = visit.now.replace(minute=10) - timedelta(days=24)
        record(conn, "atlas", "a", [hours + timedelta(hours=hour) for hour in range(24 * 24)])
    make_pass(visit.engine, visit.now, RETENTION)
    visit.open(f"?on={day}&tz={zone}")
    visit.browser.wait_for_text_to_equal("#card-turns", str(buckets))
    visit.browser.wait_for_element(BARS)

    drawn = bars(visit)
    assert len(drawn) == buckets
    for bar, period in ((drawn[0], first), (drawn[-1], last)):
        point_at(visit, bar)
        visit.browser.wait_for_contains_text("#activity-chart .hoverlayer", period)

    visit.click("#earlier")
    # In one step: between finding an element and reading it, the page may replace it.
    shown = "return document.querySelector('#period').textContent"
    until(lambda: name not in visit.browser.driver.execute_script(shown), timeout=5)
    visit.browser.wait_for_text_to_equal("#card-turns", "24")
    visit.click("#later")
    visit.browser.wait_for_text_to_equal("#period strong", f"{name} 2026")
    visit.browser.wait_for_text_to_equal("#card-turns", str(buckets))
    assert address(visit) == f"?window=day&on={day}&tz={zone}"


def test_a_link_in_the_table_keeps_the_focus_and_is_part_of_the_address(page):
    browser = page.browser
    page.open("?window=week&open=none")
    browser.wait_for_element("#fold-1").send_keys(Keys.ENTER)
    browser.wait_for_element('#fold-1[aria-expanded="true"]:focus')
    browser.wait_for_text_to_equal("#agent-1", "a1a1a1a1")
    assert address(page) == "?window=week&open=1"

    browser.find_element("#sort-name").send_keys(Keys.ENTER)
    browser.wait_for_element('[aria-sort="ascending"] #sort-name:focus')
    browser.driver.back()
    browser.driver.back()
    browser.wait_for_element('#fold-1[aria-expanded="false"]')


def test_two_hundred_agents_are_all_there_and_only_those_in_sight_are_laid_out(visit):
    with visit.engine.begin() as conn:
        conn.execute(text("INSERT INTO projects (name, path) VALUES ('atlas', '/atlas')"))
        conn.execute(
            text(
                "INSERT INTO agents (project_id, session_id) "
                "SELECT 1, md5(i::text) FROM generate_series(1, 200) i"
            )
        )
        conn.execute(text("INSERT INTO tasks (agent_id, state) SELECT id, 'x' FROM agents"))
        conn.execute(
            text(
                "INSERT INTO turns (task_id, actor, timestamp, key) "
                "SELECT id, 'USER', :at - id * interval '1 minute', id::text FROM tasks"
            ),
            {"at": visit.now},
        )
    make_pass(visit.engine, visit.now, RETENTION)
    visit.open("?people=agents")
    visit.browser.wait_for_text_to_equal("#card-active-agents", "200")

    rows = "document.querySelectorAll('#projects .is-agent')"
    in_sight = "row.firstElementChild.checkVisibility({contentVisibilityAuto: true})"
    laid_out = f"[...{rows}].filter((row) => {in_sight}).length"
    driver = visit.browser.driver
    assert driver.execute_script(f"return {rows}.length") == 200
    for place in ("first", "last"):
        driver.execute_script(
            f"document.querySelector('#projects .is-agent:{place}-child').scrollIntoView()"
        )
        until(lambda: 0 < driver.execute_script(f"return {laid_out}") < 100, timeout=5)
    visit.browser.wait_for_text_to_equal("#projects .is-agent:last-child .is-last", "3 h ago")


def test_the_controls_are_radio_buttons_and_buttons_to_a_screen_reader(page):
    page.open()
    page.browser.wait_for_element("#activity-chart .main-svg")
    page.browser.find_element("#agent").click()
    page.browser.wait_for_element(".dash-dropdown-content label")

    def names(role):
        tree = page.browser.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [
            node["name"]["value"]
            for node in tree
            if not node["ignored"] and node["role"]["value"] == role
        ]

    assert names("radio")[:4] == ["Last 24 hours", "Day", "Week", "Month"]
    assert names("dialog") == ["Agent"]
    assert (names("listbox"), names("option")) == ([], [])
    assert names("table") == ["Projects and agents"]


@pytest.mark.parametrize("width", [390, 1280, 2560])
def test_nothing_is_wider_than_the_screen(page, width):
    driver = page.browser.driver
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width == 390}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.open("?window=week")
    page.browser.wait_for_element("#activity-chart .main-svg")

    page.browser.wait_for_text_to_equal("#card-turns", "8", timeout=5)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
