"""The page from a phone to a wide screen: nothing overlaps, is cut, or moves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dash.testing.wait import until
from selenium.webdriver import ActionChains
from sqlalchemy import text

from aggregator.passes.run import make_pass
from dashboard.charts.tooltips import MOST_PARTS

MOST_SHIFT = 0.02

# The texts in sight: what each says, and its rectangle, clipped as the browser clips it.
TEXTS = """
const found = [];
const walker = document.createTreeWalker(document.querySelector(".activity"), NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, parent = node.parentElement;
  const seen = { contentVisibilityAuto: true, visibilityProperty: true, opacityProperty: true };
  if (!node.data.trim() || !parent.checkVisibility(seen)) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (let { left, top, right, bottom } of range.getClientRects()) {
    for (let box = parent; box.matches(".activity *"); box = box.parentElement) {
      const style = getComputedStyle(box), clip = box.getBoundingClientRect();
      const clips = style.overflow !== "visible" || style.clipPath !== "none";
      if (!clips || box.tagName === "svg" || style.display === "inline") continue;
      [left, right] = [Math.max(left, clip.left), Math.min(right, clip.right)];
      [top, bottom] = [Math.max(top, clip.top), Math.min(bottom, clip.bottom)];
    }
    if (right - left > 2 && bottom - top > 2) found.push([node, left, top, right, bottom]);
  }
}
"""
OVERLAPPING = """
const apart = 2; // Boxes of lines are a little higher than what is drawn in them.
found.sort((one, other) => one[2] - other[2]);
return found.flatMap(([one, left, top, right, bottom], place) => {
  const others = found.slice(place + 1);
  const end = others.findIndex((other) => other[2] >= bottom - apart);
  return others.slice(0, end < 0 ? undefined : end)
    .filter((other) => other[1] < right - apart && other[3] > left + apart)
    // A line that is cut has two rectangles.
    .filter((other) => other[0] !== one)
    .map((other) => `${one.data} | ${other[0].data}`);
});
"""
CUT = """
const boxes = [...document.querySelectorAll(".activity *")];
return boxes
  .filter((box) => getComputedStyle(box).textOverflow === "ellipsis")
  .filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1)
  .filter((box) => !box.closest("[title]"))
  .map((box) => box.textContent);
"""
# What is in sight of the agents in the strip: the start of a name, and all of the reason.
UNCLEAR = """
const enough = 120; // Some 16 letters.
const entries = [...document.querySelectorAll("#now .activity-now-entry")];
return entries.filter((entry) => entry.checkVisibility()).filter((entry) => {
  const [link, name] = [entry.querySelector("a"), entry.querySelector("strong")];
  const { left, right, width } = name.getBoundingClientRect();
  const seen = Math.min(right, link.getBoundingClientRect().right) - left;
  const reason = entry.querySelector(".activity-now-reason");
  const cut = reason && reason.scrollWidth > reason.clientWidth + 1;
  return cut || seen + 1 < Math.min(width, enough);
}).map((entry) => entry.innerText);
"""
# What is wider than its column in the table, whose times could be as long as any.
SPILLED = """
const times = "#projects :is(.is-project, .is-agent) > :is(.is-working, .is-waiting)";
for (const time of document.querySelectorAll(times)) time.textContent = "88 h 48 min";
const cells = [...document.querySelectorAll("#projects .activity-row > :not(.is-name)")];
return cells.filter((cell) => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  const [inside, box] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
  return inside.width && (inside.left < box.left - 1 || inside.right > box.right + 1);
}).map((cell) => cell.textContent);
"""
# By how much the buttons of neighbouring rows stand apart.
GAPS = """
const boxes = [...document.querySelectorAll("#now .is-waiting [data-command]")]
  .filter((button) => button.checkVisibility()).map((button) => button.getBoundingClientRect());
return boxes.slice(1).map(({ top }, place) => top - boxes[place].bottom);
"""
SHIFTS = """
window.shift = 0;
window.moved = [];
new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries()) {
    window.shift += value;
    // What moved is named, should too much.
    window.moved.push(...sources.map(({ node }) => node?.id || node?.className || node?.nodeName));
  }
}).observe({ type: "layout-shift", buffered: true });
"""
SHIFT = "return [window.shift, ...window.moved]"


@pytest.fixture
def crowd(visit):
    """The page with 200 agents in 30 projects, some with long names, in all states."""
    with visit.engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO projects (name, path) SELECT CASE i % 3 WHEN 0 THEN "
                "'a-project-whose-name-is-much-longer-than-any-column-of-the-table-' || i "
                "ELSE 'project-' || i END, i::text FROM generate_series(1, 30) i"
            )
        )
        conn.execute(
            text(
                "INSERT INTO agents (project_id, session_id, name) SELECT 1 + i % 30, "
                "md5(i::text), CASE i % 4 WHEN 1 THEN 'feature/a-branch-with-a-long-name-' || i "
                "END FROM generate_series(1, 200) i"
            )
        )
        conn.execute(
            text(
                "INSERT INTO live_sessions (key, session_id, status, status_at, changed_at) "
                "SELECT id, session_id, CASE id % 12 WHEN 0 THEN 'shell' WHEN 2 THEN 'new' "
                "ELSE 'waiting' END, :at - id * interval '8 seconds', :at FROM agents "
                "WHERE id % 3 = 0 OR id % 12 = 2"
            ),
            {"at": visit.now},
        )
        conn.execute(
            text(
                "INSERT INTO tasks (agent_id, state) SELECT id, "
                "CASE id % 2 WHEN 0 THEN 'processing' ELSE 'awaiting_input' END FROM agents"
            )
        )
        conn.execute(
            text(
                "INSERT INTO turns (task_id, actor, timestamp, key) SELECT tasks.id, 'AGENT', "
                ":at - (i * 7 + tasks.id) * interval '71 seconds', tasks.id || '-' || i "
                "FROM tasks, generate_series(0, 30) i"
            ),
            {"at": visit.now},
        )
    make_pass(visit.engine, visit.now, timedelta(days=30))
    return visit


def resize(visit, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == 390}
    visit.browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@pytest.mark.parametrize("width", [390, 768, 900, 1024, 1090, 1280, 1920])
def test_no_text_lies_over_another_or_is_cut_without_a_title(crowd, width):
    driver = crowd.browser.driver
    resize(crowd, width)
    for search in ("", "?window=week&people=agents", "?project=3", "?agent=1&metric=turns"):
        crowd.open(search)
        crowd.browser.wait_for_element("#activity-chart .main-svg")
        crowd.browser.wait_for_element("#projects .is-agent, #projects .is-project")

        assert (search, driver.execute_script(TEXTS + OVERLAPPING)) == (search, [])
        assert (search, driver.execute_script(CUT)) == (search, [])
        assert (search, driver.execute_script(UNCLEAR)) == (search, [])
        assert min(driver.execute_script(GAPS)) >= 4
        assert (search, driver.execute_script(SPILLED)) == (search, [])
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 768, 1024, 1200, 1280, 1920])
def test_nothing_moves_at_load_or_with_a_choice(crowd, width):
    browser, driver = crowd.browser, crowd.browser.driver
    resize(crowd, width)
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SHIFTS})
    try:
        crowd.open("?window=week")
        browser.wait_for_element("#activity-chart .barlayer path")
        shifts = {"load": driver.execute_script(SHIFT)}
        for choice in ("day", "last-24-hours", "month", "custom", "week"):
            driver.execute_script("window.shift = 0; window.moved = []")
            browser.find_element(f'#window input[value="{choice}"]').click()
            until(lambda: crowd.answers == len(crowd.updates), timeout=10)
            browser.wait_for_element(f"#window .selected input[value={choice}]")
            shifts[choice] = driver.execute_script(SHIFT)
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    assert {name: moved for name, moved in shifts.items() if moved[0] >= MOST_SHIFT} == {}


PARTS = "#now", "#window", "#cards", ".activity-card:nth-child(2)", "#activity-chart"
EDGES = """
const boxes = arguments[0].map((one) => document.querySelector(one).getBoundingClientRect());
return [boxes.map(({ top }) => top), boxes.map(({ bottom }) => bottom)];
"""


@pytest.mark.parametrize(
    ("width", "height", "chart"),
    [
        pytest.param(390, 844, False, id="phone: the strip and two cards"),
        pytest.param(1280, 900, True, id="laptop: the strip, the cards and the chart's top"),
    ],
)
def test_the_first_screen_has_the_strip_and_the_cards(crowd, width, height, chart):
    resize(crowd, width)
    crowd.open()
    crowd.browser.wait_for_element("#now .is-waiting [data-fold]")

    tops, bottoms = crowd.browser.driver.execute_script(EDGES, PARTS)

    assert tops == sorted(tops)
    assert bottoms[3] < height
    assert (tops[4] < height - 150) == chart


def test_the_tooltip_of_a_tall_bar_is_whole_and_in_the_order_of_turns(crowd):
    driver = crowd.browser.driver
    resize(crowd, 1280)
    crowd.open("?metric=turns")
    crowd.browser.wait_for_element("#activity-chart .barlayer path")
    bars = crowd.browser.find_elements("#activity-chart .barlayer .point path")
    tallest = max(bars, key=lambda bar: bar.size["height"])
    ActionChains(driver).move_to_element(tallest).move_by_offset(2, 2).perform()
    crowd.browser.wait_for_contains_text("#activity-chart .hoverlayer", "turns")

    lines = [line.text for line in crowd.browser.find_elements("#activity-chart .hoverlayer .line")]
    parts = [line.replace("\u202f", "") for line in lines if line.startswith("■")]
    counts = [int(part.rpartition(": ")[2]) for part in parts]
    assert len(counts) == MOST_PARTS
    assert counts[:-1] == sorted(counts[:-1], reverse=True)
    svg = "document.querySelector('#activity-chart .hoverlayer').closest('svg')"
    assert driver.execute_script(f"return getComputedStyle({svg}).overflow") == "visible"


# What is clicked, and whether that asks the server.
CLICKS = {
    "earlier": ("#earlier", True),
    "later": ("#later", True),
    "24 hours": ("#window input[value=last-24-hours]", True),
    "the 24 hours before": ("#earlier", True),
    "now": ("#today", True),
    "custom": ("#window input[value=custom]", True),
    "ranges": (".activity-range-menu summary", False),
    "the last 30 days": (".activity-range-menu a:nth-child(2)", True),
    "week": ("#window input[value=week]", True),
    "menu": (".activity-controls > .activity-menu summary", False),
    "quiet ones": ("#active-only input", True),
    "all agents": ("#by-agent", True),
    "by project": ("#by-project", True),
    "order": ("#sort-name", True),
    "a project": ("#project-3", True),
    "all projects": ("#crumbs a", True),
}


@pytest.mark.parametrize("width", [390, 768, 1024, 1280, 1920])
def test_nothing_moves_on_any_click(crowd, width):
    browser, driver = crowd.browser, crowd.browser.driver
    resize(crowd, width)
    added = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": SHIFTS})
    shifts = {}
    try:
        crowd.open("?window=week")
        browser.wait_for_element("#activity-chart .barlayer path")
        for name, (selector, asks) in CLICKS.items():
            browser.wait_for_element(selector)
            driver.execute_script("window.shift = 0; window.moved = []")
            before = len(crowd.updates)
            driver.execute_script("document.querySelector(arguments[0]).click()", selector)
            until(
                lambda wanted=before + asks: crowd.answers == len(crowd.updates) >= wanted,
                timeout=10,
            )
            driver.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 99))")
            shifts[name] = driver.execute_script(SHIFT)
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    assert {name: moved for name, moved in shifts.items() if moved[0] >= MOST_SHIFT} == {}
