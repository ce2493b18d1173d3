"""Names that look like markup, in a real browser."""

from __future__ import annotations

from selenium.webdriver import ActionChains

from tests.hostile_names import MARKUP, NAMES, add_hostile_names


def test_names_are_text_and_stay_in_their_places(visit):
    add_hostile_names(visit.engine, visit.now)
    visit.open("?metric=turns&open=1,2")
    browser = visit.browser

    links = browser.driver.find_elements("css selector", "#projects .is-name a[title]")
    shown = {link.get_property("textContent").strip() for link in links}
    bar = browser.wait_for_element("#activity-chart .barlayer .point path")
    ActionChains(browser.driver).move_to_element(bar).perform()
    browser.wait_for_element("#activity-chart .hoverlayer .hovertext")

    assert {MARKUP, "project 7", "agpj.exe"} <= shown
    # Nothing of a name became an element, and none widens the page.
    assert browser.driver.find_elements("css selector", "#view img, #view script, #now img") == []
    width = "return [document.documentElement.scrollWidth, window.innerWidth]"
    page, window = browser.driver.execute_script(width)
    assert page <= window
    assert len(links) >= len(NAMES)
