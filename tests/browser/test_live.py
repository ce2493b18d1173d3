"""The page stays up to date by itself."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest
from dash.testing.wait import until
from selenium.webdriver.common.action_chains import ActionChains
from sqlalchemy import insert, text

from aggregator.database.models import Watch
from aggregator.passes.run import make_pass

RETENTION = timedelta(days=30)


@pytest.fixture
def live(visit, record):
    """The page with three turns of one agent, and a way to add turns and make a pass."""

    def add(*minutes_ago):
        instants = [visit.now - timedelta(minutes=minutes) for minutes in minutes_ago]
        with visit.engine.begin() as conn:
            record(conn, "atlas", "a1a1a1a1-x", instants)
        make_pass(visit.engine, visit.now, RETENTION)

    visit.add = add
    add(95, 96, 97)
    visit.open()
    visit.browser.wait_for_text_to_equal("#card-turns", "3")
    visit.browser.wait_for_text_to_equal("#freshness", "updated 15:30, next in 5 min")
    visit.browser.driver.execute_script("window.stillHere = true")
    return visit


def test_after_a_pass_the_new_numbers_are_there_without_a_reload_and_what_is_used_stays(live):
    bar = live.browser.wait_for_element("#activity-chart .barlayer .point path")
    ActionChains(live.browser.driver).move_to_element(bar).perform()
    live.browser.wait_for_element("#activity-chart .hoverlayer .hovertext")
    live.open_menu()
    live.now += timedelta(minutes=5)
    live.add(1)
    live.look()

    live.browser.wait_for_text_to_equal("#card-turns", "4")
    assert live.browser.find_element("#activity-chart .hoverlayer .hovertext").is_displayed()
    assert live.browser.find_element(".activity-menu[open]")
    live.browser.wait_for_text_to_equal("#freshness", "updated 15:35, next in 5 min")
    assert live.browser.driver.execute_script("return window.stillHere")
    assert live.updates[1:] == [["tick.data"]]


def test_the_page_says_how_changes_come(live):
    row = {"machine": "m", "folders": "/t", "mode": "polling", "reason": "nfs"}
    with live.engine.begin() as conn:
        conn.execute(insert(Watch).values(key="m", seen_at=live.now, **row))

    live.browser.wait_for_text_to_equal("#freshness", "updated 15:30, live by polling")
    told = live.browser.find_element("#freshness").get_attribute("title")
    assert told == "Transcripts are looked at every second, because: nfs"


def test_what_has_not_changed_is_not_read_again(live):
    live.browser.wait_for_text_to_equal("#projects .is-agent time", "1 h ago")
    live.now += timedelta(minutes=27)
    live.add()
    live.look()

    live.browser.wait_for_text_to_equal("#freshness", "updated 15:57, next in 5 min")
    live.browser.wait_for_text_to_equal("#projects .is-agent time", "2 h ago")
    assert len(live.updates) == 1


def test_when_the_hour_is_over_the_numbers_are_read_again(live):
    live.browser.wait_for_text_to_equal("#period strong", "21–22 Nov, 16:00–16:00")
    # Without a pass, which could be a second reason to read them.
    live.now += timedelta(minutes=31)
    live.look()

    live.browser.wait_for_text_to_equal("#period strong", "21–22 Nov, 17:00–17:00")
    assert live.updates[1:] == [["tick.data"]]


def test_an_aggregator_that_is_away_is_told_and_its_return_too(live):
    live.now += timedelta(minutes=16)
    live.look()
    live.browser.wait_for_text_to_equal("#freshness.is-late", "no pass since 15:30")

    live.add()
    live.look()

    live.browser.wait_for_text_to_equal("#freshness:not(.is-late)", "updated 15:46, next in 5 min")


@pytest.mark.console("/activity/version .* net::ERR_INTERNET_DISCONNECTED")
def test_a_server_that_is_away_is_told_and_its_return_too(live):
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver = live.browser.driver
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **network})
    live.look()
    live.browser.wait_for_contains_text("#connection", "The server does not answer.")
    live.now += timedelta(minutes=5)
    live.add(1)

    # The browser tells the page that the network is back.
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **network})

    live.browser.wait_for_text_to_equal("#connection", "")
    live.browser.wait_for_text_to_equal("#card-turns", "4")


@pytest.mark.parametrize("width", [390, 768, 1024, 1200, 1280, 1920])
@pytest.mark.console("net::ERR_INTERNET_DISCONNECTED", "Callback failed: the server did not")
def test_a_choice_made_while_the_server_is_away_is_made_when_it_is_back(live, width):
    network = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    driver = live.browser.driver
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width == 390}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    live.open()
    live.browser.wait_for_element("#activity-chart .main-svg")
    live.browser.wait_for_text_to_equal("#freshness", "updated 15:30, next in 5 min")
    driver.execute_script(
        "window.shift = 0; new PerformanceObserver((list) => {"
        "for (const { value } of list.getEntries()) window.shift += value;"
        "}).observe({ type: 'layout-shift' })"
    )
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": True, **network})
    live.click('#window input[value="week"]')
    live.browser.wait_for_contains_text("#connection", "The server does not answer.")
    live.browser.wait_for_element(".activity.is-away")
    moved = driver.execute_script("return window.shift")

    driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, **network})
    live.look()

    live.browser.wait_for_text_to_equal("#period strong", "16–22 Nov 2026")
    live.browser.wait_for_element("#window .selected input[value=week]")
    live.browser.wait_for_element(".activity:not(.is-away)")
    assert max(moved, driver.execute_script("return window.shift")) < 0.02


@pytest.mark.console("Uncaught .*TypeError: Cannot read properties of undefined")
def test_a_defect_of_a_script_is_not_taken_for_a_server_that_is_away(live):
    live.browser.driver.execute_script("delete dash_clientside.activity.connection")

    live.look()

    live.browser.wait_for_text_to_equal("#freshness", "updated 15:30, next in 5 min")


def test_an_answer_that_was_overtaken_is_never_seen_and_its_choice_not_lost(live):
    live.held = "window.value"
    live.click('#window input[value="week"]')
    # Choices made at once are one request.
    until(lambda: live.updates[1:], timeout=10)
    live.browser.driver.execute_script("dash_clientside.set_props('metric', {value: 'agents'})")

    live.browser.wait_for_contains_text("#chart-title", "gents")
    live.release.set()
    until(lambda: live.answers == 3, timeout=10)

    assert [sorted(update) for update in live.updates[1:]] == [
        ["window.value"],
        ["metric.value", "window.value"],
    ]
    live.browser.wait_for_element("#window .selected input[value=week]")
    assert live.browser.driver.current_url.endswith("?window=week&metric=agents")


def test_news_wait_for_the_answer_to_a_choice(live):
    live.held = "window.value"
    live.click('#window input[value="week"]')
    until(lambda: live.updates[1:], timeout=10)
    live.now += timedelta(minutes=5)
    live.add(1)
    live.look()
    live.browser.wait_for_text_to_equal("#freshness", "updated 15:30, next any moment")
    # The page looks all the time, also between the answer and its drawing.
    live.browser.driver.execute_script(
        "setInterval(() => document.dispatchEvent(new Event('visibilitychange')), 5)"
    )
    live.release.set()

    live.browser.wait_for_text_to_equal("#card-turns", "4")
    assert live.updates[1:] == [["window.value"]]


# Timers that a test moves on, instead of waiting; and how often the page looks meanwhile.
OWN_TIMERS = """
window.timers = [];
window.setInterval = (call, every) => window.timers.push([call, every]);
"""
LOOKS = """
const [hidden, seconds, done] = arguments;
Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
const [fetched, now] = [window.fetch, performance.now()];
let [looks, clock] = [0, now];
performance.now = () => clock;
window.fetch = (...request) => { looks += 1; return fetched(...request); };
const ticks = window.timers.filter(([, every]) => every === 1000).map(([call]) => call);
(async () => {
  for (let second = 0; second < seconds; second += 1) {
    const [before, answered] = [looks, new Promise((resolve) =>
      document.addEventListener("activity:freshness", resolve, { once: true }))];
    clock += 1000;
    for (const tick of ticks) tick();
    if (looks > before) await answered;
  }
  window.fetch = fetched;
  done(looks);
})();
"""


def test_a_hidden_page_looks_every_15_seconds_and_one_in_sight_each_second(live):
    driver = live.browser.driver
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": OWN_TIMERS})
    try:
        live.open()
        live.look()
        live.browser.wait_for_text_to_equal("#freshness", "updated 15:30, next in 5 min")

        looks = [driver.execute_async_script(LOOKS, hidden, 45) for hidden in (False, True)]
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    assert looks == [45, 3]


# A clock that a test moves on, and a look of the page that is answered.
OWN_CLOCK = "window.clock = performance.now(); performance.now = () => window.clock;"
UPDATING = "return window.dash_clientside.activity.connection.updating()"
LOOK_AFTER = """
const [milliseconds, done] = arguments;
window.clock += milliseconds;
document.addEventListener("activity:freshness", () => done(), { once: true });
document.dispatchEvent(new Event("visibilitychange"));
"""


def test_a_page_that_a_busy_server_gave_earlier_numbers_asks_again_after_two_seconds(live):
    driver = live.browser.driver
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": OWN_TIMERS})
    seen_by = {"X-Activity-Zone": "UTC", "X-Activity-Scheme": "light"}
    other = Request(f"{live.url}/activity/_dash-layout?window=week", headers=seen_by)
    try:
        live.open()
        driver.execute_script(OWN_CLOCK)
        live.now += timedelta(seconds=1)
        live.add(1)
        answered = live.answers
        with ThreadPoolExecutor() as pool, live.engine.begin() as conn:
            conn.execute(text("LOCK TABLE activity_metrics"))
            pool.submit(urlopen, other, timeout=10)
            until(lambda: waiting_for_locks(live.engine), timeout=5)
            driver.execute_async_script(LOOK_AFTER, 0)
            until(lambda: live.answers > answered, timeout=5)
            until(lambda: not driver.execute_script(UPDATING), timeout=5)
            shown = live.browser.find_element("#card-turns").text
            driver.execute_async_script(LOOK_AFTER, 1_999)
            conn.rollback()
        driver.execute_async_script(LOOK_AFTER, 1)
        live.browser.wait_for_text_to_equal("#card-turns", "4")
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    assert (shown, live.updates.count(["tick.data"])) == ("3", 2)


def waiting_for_locks(engine):
    with engine.connect() as conn:
        return conn.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))


def test_the_theme_is_switched_and_remembered(live):
    live.open_menu()
    live.click("[data-activity-theme]")
    live.browser.wait_for_text_to_equal(".activity-toast", "Colours: dark")
    live.browser.wait_for_element('#activity-chart .main-svg[style*="rgb(22, 26, 33)"]')

    live.open()

    assert live.browser.find_element("html").get_attribute("data-theme") == "dark"
    live.browser.wait_for_element('#activity-chart .main-svg[style*="rgb(22, 26, 33)"]')


def test_a_chosen_zone_is_remembered_and_one_of_a_link_is_not(live):
    live.open("?tz=America/New_York")
    live.open_menu()
    live.browser.wait_for_text_to_equal("#zone", "America/New York")
    live.open()
    live.open_menu()
    live.browser.wait_for_text_to_equal("#zone", "Europe/Berlin")

    live.browser.driver.execute_script("dash_clientside.set_props('zone', {value: 'Asia/Kolkata'})")
    live.browser.wait_for_contains_text("#freshness", "updated 20:00")
    live.open()
    live.open_menu()

    live.browser.wait_for_text_to_equal("#zone", "Asia/Kolkata")
    live.browser.wait_for_contains_text("#freshness", "updated 20:00")


def test_a_first_load_is_light(live):
    loaded = live.browser.driver.execute_script(
        "return performance.getEntriesByType('resource')"
        ".map(({ name, encodedBodySize }) => [name, encodedBodySize])"
    )

    own = [name.partition("/assets/")[2].partition("?")[0] for name, _ in loaded]
    assert sorted(filter(None, own)) == ["bundle.css", "bundle.js", "plotly-activity.min.js"]
    # Its own bundle of three times the size is what Dash loads where there is no Plotly.
    assert [name for name, _ in loaded if "package_data" in name] == []
    assert len(loaded) < 12
    assert sum(size for _, size in loaded) < 600_000


@pytest.mark.parametrize("zone", ["Etc/Unknown", "Middle/Earth", None])
def test_a_zone_that_nobody_knows_is_utc_everywhere(live, zone):
    driver = live.browser.driver
    # As a browser does whose system has no zone that it knows.
    script = f"""
        const original = Intl.DateTimeFormat.prototype.resolvedOptions;
        Intl.DateTimeFormat.prototype.resolvedOptions = function () {{
            return {{ ...original.call(this), timeZone: {json.dumps(zone)} }};
        }};
        if (window.Temporal) Temporal.Now.timeZoneId = () => {json.dumps(zone)};
        window.prompt = (_, text) => {{ window.copied = text; }};
        navigator.clipboard.writeText = (text) => {{ window.copied = text; }};
    """
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        live.open()
        live.browser.wait_for_contains_text("#freshness", "updated 14:30")
        live.open_menu()
        live.click("[data-activity-copy]")

        assert live.browser.find_element("#zone").text == "UTC"
        copied = driver.execute_script("return window.copied")
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    assert copied.partition("/activity/")[2] == "?until=2026-11-22T15:00Z&tz=UTC"
