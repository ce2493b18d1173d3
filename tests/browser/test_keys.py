"""The page's shortcuts of single keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dash.testing.wait import until
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from aggregator.passes.run import make_pass


@pytest.fixture
def keys(visit, record):
    """Open the page on one agent; return the visit and a function that presses a key."""
    with visit.engine.begin() as conn:
        record(conn, "atlas", "a1a1a1a1-x", [visit.now - timedelta(minutes=5)])
    make_pass(visit.engine, visit.now, timedelta(days=30))
    visit.open()

    def press(*pressed):
        ActionChains(visit.browser.driver).send_keys(*pressed).perform()

    return visit, press


def test_periods_have_keys(keys):
    visit, press = keys

    def shown():
        return visit.browser.driver.current_url.partition("/activity/")[2]

    for key, address in [
        ("w", "?window=week"),
        (Keys.ARROW_LEFT, "?window=week&on=2026-11-09"),
        ("m", "?window=month"),
        (Keys.ARROW_LEFT, "?window=month&on=2026-10-01"),
        (Keys.ARROW_RIGHT, "?window=month"),
        ("d", "?window=day"),
        # Each counts, though the next comes before the answer to the last.
        (3 * Keys.ARROW_LEFT, "?window=day&on=2026-11-19"),
        ("h", "?until=2026-11-19T23:00Z"),
        (2 * Keys.ARROW_RIGHT, "?until=2026-11-21T23:00Z"),
        ("t", "?"),
    ]:
        press(key)
        until(lambda end=address: shown() == end, timeout=10, msg=f"{key} not to {address}")


def test_a_step_counts_though_the_last_is_not_yet_asked_for_or_drawn(keys):
    visit, _ = keys
    visit.open("?window=day")
    step = "document.querySelector('#earlier').click();"
    # What the page does each second, too, when it has looked for news.
    looked = "document.dispatchEvent(new CustomEvent('activity:freshness'));"
    visit.browser.driver.execute_script(step + looked + step + looked + step)

    visit.browser.wait_for_text_to_equal("#period strong", "Thu 19 Nov 2026")
    assert visit.updates[2:] == 3 * [["url.search"]]


def test_a_key_is_left_to_whom_it_belongs(keys):
    visit, press = keys
    press("/")
    visit.browser.wait_for_element(".dash-dropdown-search:focus")
    press("mw?")
    search = visit.browser.find_element(".dash-dropdown-search")
    assert search.get_attribute("value") == "mw?"

    press(Keys.ESCAPE)
    # A radio button moves on with the arrows.
    visit.browser.find_element('#window input[value="week"]').send_keys(Keys.ARROW_RIGHT)
    visit.browser.wait_for_element("#window .selected input[value=month]")
    driver = visit.browser.driver
    until(lambda: driver.current_url.endswith("?window=month"), timeout=10)


def test_keys_work_again_after_a_dropdown_was_used(keys):
    visit, press = keys
    visit.click("#metric")
    visit.browser.wait_for_element(".dash-dropdown-content label")
    press(Keys.ESCAPE)
    visit.browser.wait_for_element("#metric:focus")

    press("w")
    visit.browser.wait_for_text_to_equal("#period strong", "16–22 Nov 2026")
    press(Keys.ARROW_LEFT)
    visit.browser.wait_for_text_to_equal("#period strong", "9–15 Nov 2026")


# Its part of the page, and whether the eye sees where it is. The outline of what folds a project
# is around the whole row.
STOP = """
const stop = document.activeElement, row = stop.closest(".activity-row.is-project");
const { top, bottom } = (row ?? stop).getBoundingClientRect();
const outlined = [stop, stop.parentElement, stop.parentElement.parentElement].filter(Boolean)
  .flatMap((box) => [getComputedStyle(box), getComputedStyle(box, "::after")])
  .some(({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && parseFloat(outlineWidth));
const part = stop.closest("section, header, .activity-controls, .activity-cards");
return [
  stop === document.body ? null : part?.className.match(/activity-[\\w-]+|site-header/)[0] ?? "",
  outlined && top >= 0 && bottom <= innerHeight,
];
"""


def test_the_tab_key_goes_through_all_parts_in_their_order_and_is_always_in_sight(keys):
    visit, press = keys
    visit.browser.wait_for_element("#capacity-chart .main-svg")
    stops = []
    while not stops or stops[-1][0] is not None:
        press(Keys.TAB)
        stops.append(visit.browser.driver.execute_script(STOP))

    assert [stop for stop in stops[:-1] if not stop[1]] == []
    assert list(dict.fromkeys(part for part, _ in stops[:-1] if part)) == [
        "activity-now",
        "activity-controls",
        "activity-cards",
        "activity-panel",
        "activity-agent-table-panel",
    ]
    assert len(stops) > 30


def test_a_link_to_a_scope_leads_the_focus_to_its_heading(keys):
    visit, press = keys
    for link, name in (("#project-1", "atlas"), ("#agent-1", "a1a1a1a1")):
        visit.browser.find_element(link).send_keys(Keys.ENTER)
        visit.browser.wait_for_text_to_equal("#crumbs h2:focus", name)
    visit.browser.find_element("#crumbs a").send_keys(Keys.ENTER)
    visit.browser.wait_for_text_to_equal("#crumbs h2:focus", "All projects")
    # And the keys work from there.
    press("m")
    visit.browser.wait_for_text_to_equal("#period strong", "November 2026")


def test_the_menu_closes_on_escape_and_elsewhere(keys):
    visit, press = keys
    for close in (lambda: press(Keys.ESCAPE), lambda: visit.click("h1")):
        visit.click(".activity-menu summary")
        visit.browser.wait_for_element(".activity-menu[open]")
        close()
        visit.browser.wait_for_element(".activity-menu:not([open])")


def test_the_keys_are_listed_and_can_be_switched_off(keys):
    visit, press = keys
    press("?")
    listed = visit.browser.wait_for_element("dialog.activity-keys")
    assert listed.text.split("\n")[:5] == ["Shortcuts", "t", "Today, or now", "←", "Earlier"]
    visit.click("dialog input")
    press(Keys.ESCAPE)

    press("w", "?")

    assert visit.browser.find_elements("dialog") == []
    assert len(visit.updates) == 1
    visit.open_menu()
    visit.click("[data-activity-keys]")
    visit.browser.wait_for_element("dialog.activity-keys")
