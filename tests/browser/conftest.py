"""Fixtures of browser tests: pages, a check of accessibility, and saved files."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dash.testing.wait import until
from flask import Flask, Response, request
from sqlalchemy import Engine

from aggregator.query.reader import MetricReader
from dashboard import api
from dashboard.context import PageContext
from dashboard.page import mount

AXE = Path(__file__).parent / "axe.min.js"
"""axe-core 4.14.1 as npm has it; its licence is beside it."""

FIRST, UPDATE = "/activity/_dash-layout", "/activity/_dash-update-component"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
RUN = """
const [rules, done] = arguments;
const wanted = { runOnly: { type: "tag", values: rules }, resultTypes: ["violations"] };
axe.run(wanted).then(({ violations }) => done(
  violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) =>
    `${id}: ${target.join(" ")}: ${failureSummary}`))
));
"""


@pytest.fixture(autouse=True)
def no_content_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let contents be made anew on a busy machine, too: tests have clocks of their own."""
    monkeypatch.setattr("dashboard.page.shared_contents.SLOW", math.inf)


@pytest.fixture(scope="session")
def violations() -> Callable[[Any], list[str]]:
    """List what breaks WCAG 2.1 A or AA on a browser's page: rule, element and reason."""
    source = AXE.read_text()

    def look(driver: Any) -> list[str]:
        driver.execute_script(source)
        driver.set_script_timeout(60)
        found: list[str] = driver.execute_async_script(RUN, RULES)
        return found

    return look


@pytest.fixture
def saved(dash_br: Any) -> Callable[[str], Path]:
    """Wait for a file of a name or pattern that the browser saves; return its path."""
    folder = Path(dash_br.download_path)

    def complete(name: str) -> list[Path]:
        # An empty file keeps the name until the whole one takes its place.
        return [path for path in folder.glob(name) if path.stat().st_size]

    def wait(name: str) -> Path:
        [path] = until(lambda: complete(name), timeout=10, msg=f"{name} is not saved")
        return path

    return wait


@dataclass
class Visit:
    """The page in a browser in Berlin, with a clock that tests move.

    Attributes:
        browser: dash[testing]'s.
        url: Address of the server.
        engine: The page's database.
        now: The server's present.
        updates: What had changed before each request for numbers; nothing before the first.
        answers: How many of these requests have been answered.
        held: Where it names a changed property, the answer to a request for that alone
            waits until the last is given; where it names a path, the answer for that.
        releasing: The path whose request gives it.
    """

    browser: Any
    url: str
    engine: Engine
    now: datetime
    updates: list[list[str]] = field(default_factory=list)
    answers: int = 0
    held: str | None = None
    releasing: str | None = None
    release: threading.Event = field(default_factory=threading.Event)

    def open(self, search: str = "") -> None:
        """Go to a view and wait for its first answer."""
        self.browser.driver.get(f"{self.url}/activity/{search}")
        self.browser.wait_for_element("#view:not(.is-waiting)")

    def look(self) -> None:
        """Make the page ask for new numbers, as if it became visible again."""
        self.browser.driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")

    def open_menu(self) -> None:
        """Open the menu of what is chosen rarely, unless it is open."""
        self.browser.driver.execute_script("document.querySelector('.activity-menu').open = true")

    def click(self, selector: str) -> None:
        """Click on an element that may be below the visible part."""
        element = self.browser.find_element(selector)
        self.browser.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", element
        )
        element.click()


@pytest.fixture
def visit(empty_engine: Engine, dash_br: Any, serve: Callable[[Any], str]) -> Iterator[Visit]:
    """The page over an empty database on 22 November 2026, 15:30 in Berlin."""
    server = Flask("host")
    now = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
    visit = Visit(dash_br, serve(server), empty_engine, now)

    @server.before_request
    def note_updates() -> None:
        if request.path == visit.releasing:
            visit.release.set()
        if request.path == visit.held:
            visit.release.wait(timeout=10)
        if request.path == FIRST:
            visit.updates.append([])
        if request.path == UPDATE:
            changed = request.get_json()["changedPropIds"]
            visit.updates.append(changed)
            if changed == [visit.held]:
                visit.release.wait(timeout=10)

    @server.after_request
    def note_answers(response: Response) -> Response:
        if request.path in (FIRST, UPDATE):
            visit.answers += 1
        return response

    reader = MetricReader(empty_engine)
    server.register_blueprint(api.blueprint(reader, lambda: visit.now, timedelta(days=30)))
    # Sessions of this machine, which a command resumes.
    context = PageContext(30, looked_in=(Path("/transcripts"),))
    mount.mount(server, reader, context, now=lambda: visit.now)
    berlin = {"timezoneId": "Europe/Berlin"}
    dash_br.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", berlin)
    yield visit
    # The next test's database is this one: nobody may be reading it any more.
    dash_br.driver.get("about:blank")
    visit.release.set()
    until(lambda: visit.answers == len(visit.updates), timeout=10)
