"""The files behind the download buttons, opened and inspected."""

from __future__ import annotations

import base64
import csv
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard.context import PageContext
from dashboard.export.files import make_files
from dashboard.export.parameters import read_export

NAMES = "all-projects-2026-11-22"
COLOURS = """
const [address, done] = arguments;
const picture = new Image();
picture.onload = () => {
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  const counts = new Map();
  for (let at = 0; at < data.length; at += 4) {
    const colour = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const seen = {};
  for (const [colour, count] of counts) {
    seen[[colour >> 16, (colour >> 8) & 255, colour & 255].join(" ")] = count;
  }
  done([picture.width, picture.height, seen]);
};
picture.src = address;
"""


@pytest.fixture
def page(visit, record):
    """Two projects, one with a name that a spreadsheet would take for a formula."""
    with visit.engine.begin() as conn:
        for project, agent in (("atlas", "a1a1a1a1-x"), ("=1+1", "b1b1b1b1-x")):
            instants = [visit.now - timedelta(minutes=one) for one in (50, 51, 52)]
            record(conn, project, agent, instants)
    make_pass(visit.engine, visit.now, timedelta(days=30))
    visit.open("?window=day")
    visit.browser.wait_for_element("#activity-chart .barlayer .point path")
    return visit


def rows_of(path):
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("scheme", [("light", "255 255 255"), ("dark", "22 26 33")])
def test_a_chart_is_saved_as_a_picture(page, saved, scheme):
    theme, background = scheme
    page.open("?window=day&metric=turns")
    driver = page.browser.driver
    driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    drawn = f'#activity-chart .main-svg[style*="rgb({background.replace(" ", ", ")})"]'
    page.browser.wait_for_element(drawn)

    for chart, name in (
        ("activity-chart", "activity-turns"),
        ("pattern-chart", "activity-pattern"),
    ):
        page.click(f"[data-activity-png={chart}]")
        path = saved(f"{name}*{NAMES}.png")
        address = _address(path.read_bytes())
        width, height, colours = driver.execute_async_script(COLOURS, address)

        assert (width, height) == (2400, 1000)
        # Much of it is background, and there is more on it than the edges of letters.
        assert 0.2 < colours[background] / (width * height) < 0.99
        # Background, letters, and bars or cells in several colours.
        assert sum(count > 200 for count in colours.values()) >= 5
    page.browser.wait_for_contains_text(".activity-toast", "Saved activity-pattern")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_server_draws_the_same_picture_as_the_page(page, saved, renderer, theme):
    page.open("?window=day&metric=turns")
    driver = page.browser.driver
    driver.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
    ground = {"light": "255, 255, 255", "dark": "22, 26, 33"}[theme]
    page.browser.wait_for_element(f'#activity-chart .main-svg[style*="rgb({ground})"]')
    asked = {"window": "day", "metric": "turns", "tz": "Europe/Berlin", "theme": theme}
    for chart in ("turns", "pattern"):
        page.click(f"[data-activity-png={'activity' if chart == 'turns' else chart}-chart]")
        path = saved(f"activity-{chart}*{NAMES}.png")

        [file] = make_files(
            read_export(chart, "png", None, asked),
            MetricReader(page.engine),
            ZoneInfo("UTC"),
            page.now,
            context=PageContext(30),
            renderer=renderer,
        )

        assert file.name == path.name
        addresses = [_address(content) for content in (path.read_bytes(), file.content)]
        by_page, by_server = (driver.execute_async_script(COLOURS, one) for one in addresses)
        assert by_page == by_server


def _address(picture):
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def test_the_numbers_are_saved_as_tables(page, saved):
    page.click("[data-activity-csv=chart]")
    head, *rows = rows_of(saved(f"activity-chart-{NAMES}.csv"))
    assert [cell.split("+")[0] for row in rows for cell in row[:1]] == [
        f"2026-11-22T{hour:02}:00:00" for hour in range(16)
    ]
    assert all(len(row) == len(head) for row in rows)

    page.click("[data-activity-csv=agent-table]")
    listed = rows_of(saved(f"activity-people-{NAMES}.csv"))
    named = {cell for row in listed for cell in row}
    # As text, which no spreadsheet would run.
    assert "'=1+1" in named
    assert [cell for cell in named if cell[:1] in "=+-@" and cell] == []


def test_a_chart_has_a_table_behind_it(page):
    page.click(".activity-panel-chart summary")
    page.browser.wait_for_element(".activity-panel-chart tbody tr")

    assert len(page.browser.find_elements(".activity-panel-chart tbody tr")) == 16


def test_a_copied_link_names_the_time_and_the_zone(page):
    driver = page.browser.driver
    driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    page.open("?metric=agents")
    page.open_menu()
    page.click("[data-activity-copy]")
    page.browser.wait_for_text_to_equal(".activity-toast", "Link copied")

    copied = driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")

    wanted = "?metric=agents&until=2026-11-22T15:00Z&tz=Europe/Berlin"
    assert copied == f"{page.url}/activity/{wanted}"
    page.open(wanted)
    assert page.browser.find_element("#notice").text == ""


def test_a_link_is_copied_without_a_clipboard_of_the_browser(page):
    driver = page.browser.driver
    page.open("?window=week")
    driver.execute_script(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined });"
        "document.addEventListener('copy', ({ target }) => { window.copied = target.value; });"
    )
    page.open_menu()
    page.click("[data-activity-copy]")
    page.browser.wait_for_text_to_equal(".activity-toast", "Link copied")

    copied = driver.execute_script("return window.copied")
    assert copied.endswith("/activity/?window=week&on=2026-11-22&tz=Europe/Berlin")
