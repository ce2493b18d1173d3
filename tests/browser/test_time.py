"""Time on the page in a real browser: what is in sight, and how it is chosen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from selenium.webdriver import ActionChains
from sqlalchemy import text

from aggregator.passes.run import make_pass

SIGNALS = text(
    """
    INSERT INTO signals (session_id, kind, at, until, source, key)
    SELECT :session, kind, :at, :until, source, :session || '/' || :at || kind
    FROM (VALUES ('lines', NULL), ('work', 'reply')) AS spans (kind, source)
    """
)
PANELS = """
return [...document.querySelectorAll(".activity-view > .activity-panel, .activity-pair > *")]
  .filter((panel) => panel.checkVisibility())
  .map((panel) => panel.querySelector("h2").textContent);
"""


@pytest.fixture
def page(visit, record):
    """Two agents that worked from 12:30 on for 20 minutes, and again after 10 minutes more."""
    with visit.engine.begin() as conn:
        for number in (1, 2):
            session = f"a{number}a{number}a{number}a{number}-x"
            for start, minutes in ((120, 20), (90, 10)):
                began = visit.now - timedelta(minutes=start)
                ended = began + timedelta(minutes=minutes)
                record(conn, "atlas", session, [began], actor="USER", state="awaiting_input")
                record(conn, "atlas", session, [ended])
                conn.execute(SIGNALS, {"session": session, "at": began, "until": ended})
    make_pass(visit.engine, visit.now, timedelta(days=30))
    return visit


def panels(page):
    return page.browser.driver.execute_script(PANELS)


def test_time_comes_first_and_turns_are_one_choice_away(page):
    browser = page.browser
    page.open()
    browser.wait_for_text_to_equal("#card-working", "1 h")
    # After the first turn of each; nobody knows how long the last one waits.
    browser.wait_for_text_to_equal("#card-waiting", "20 min")
    browser.wait_for_text_to_equal("#card-response-time", "15 min")
    browser.wait_for_contains_text("#caption", "imes are estimated")
    assert panels(page) == [
        "Time per hour",
        "Agents at work",
        "Projects and agents",
        "Working time per hour by weekday and hour, 26 Oct – 22 Nov",
        "How many agents can I keep busy?",
        "What asking costs",
    ]

    page.click('#pattern-of input[value="waiting"]')
    browser.wait_for_contains_text("#pattern-title", "When am I the bottleneck?")
    assert browser.driver.current_url.endswith("?pattern=waiting")

    page.open("?metric=turns")
    assert panels(page) == [
        "Turns per hour",
        "Projects and agents",
        "Turns per hour by weekday and hour, 26 Oct – 22 Nov",
    ]


def test_one_agent_has_a_timeline_that_says_what_it_did_and_why(page):
    browser = page.browser
    page.open("?agent=1")
    assert panels(page)[:2] == ["Time per hour", "Timeline"]
    browser.wait_for_element("#timeline-chart .barlayer .point path")
    first = browser.find_elements("#timeline-chart .barlayer .point path")[0]
    browser.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", first)
    ActionChains(browser.driver).move_to_element(first).perform()
    browser.wait_for_contains_text("#timeline-chart .hoverlayer", "after a prompt")

    lines = [line.text for line in browser.find_elements("#timeline-chart .hoverlayer .line")]
    assert lines == [
        "Working",
        "Sun 22 Nov, 13:30:00–13:50:00",
        "20 min, estimated",
        "after a prompt",
    ]

    page.click(".activity-panel-timeline summary")
    rows = browser.find_elements(".activity-panel-timeline tbody tr")
    assert rows[0].text.endswith("Working 1200 after a prompt")
