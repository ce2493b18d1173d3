"""Contents that requests share, over a real database and with the page's own maker."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest
from plotly.io.json import config

from aggregator.metrics.windows import HOUR, floor_hour
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard.context import PageContext
from dashboard.page.callbacks import maker
from dashboard.page.shared_contents import LATE, SharedContents
from dashboard.selection.answer import Viewer
from dashboard.selection.view import View

RETENTION = timedelta(days=30)
AT = datetime(2026, 7, 8, 12, 30, 10, tzinfo=UTC)
UTC_VIEWER = Viewer(ZoneInfo("UTC"), "light")
CONTEXT = PageContext(30)
SECOND = timedelta(seconds=1)
DEFAULT, WEEK = View(), View(window="week")


class Shared:
    """Contents with a clock that is set, and what has been made so far.

    Attributes:
        now: The present.
        made: The window, the zone and the instant of each content that was made.
        may_go_on: Contents of a month are made only while this is set.
        begun: Released when one of them is begun.
    """

    def __init__(self, engine):
        self.now, self.made = AT, []
        self.may_go_on, self.begun = threading.Event(), threading.Semaphore(0)
        reader = MetricReader(engine)
        self._make = maker(reader, CONTEXT)
        self._contents = SharedContents(self._noted, reader, lambda: self.now)

    def _noted(self, view, viewer, as_of):
        self.made.append((view.window, viewer.zone.key, as_of))
        if view.window == "month":
            self.begun.release()
            assert self.may_go_on.wait(10)
        return self._make(view, viewer, as_of)

    def ask(self, view=DEFAULT, at=AT, viewer=UTC_VIEWER, *, are_news=False):
        self.now = at
        return self._contents.content(view, viewer, are_news=are_news).content


@pytest.fixture
def shared(empty_engine, record):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [AT - timedelta(minutes=20)])
    make_pass(empty_engine, AT, RETENTION)
    return Shared(empty_engine)


@pytest.fixture
def change(empty_engine, record):
    """Return a function that adds an agent and makes a pass."""

    def change(at=AT + SECOND):
        with empty_engine.begin() as conn:
            record(conn, "atlas", "a2", [AT - timedelta(minutes=5)])
        make_pass(empty_engine, at, RETENTION)

    return change


def agents(content):
    return len(orjson.loads(orjson.dumps(content["agent_options"])))


def test_who_asks_for_the_same_view_gets_the_same_content_and_the_present_instant(shared):
    first = shared.ask()
    second = shared.ask(at=AT + 9 * SECOND)

    assert shared.made == [("last-24-hours", "UTC", AT)]
    assert second["version"] == {**first["version"], "as_of": (AT + 9 * SECOND).isoformat()}
    assert {**second, "version": None} == {**first, "version": None}


def test_contents_are_not_in_json_yet_where_plotly_writes_it_without_orjson(shared, monkeypatch):
    in_json = shared.ask()["agent_options"]
    monkeypatch.setattr(config, "default_engine", "json")

    plain = shared.ask(at=AT + timedelta(minutes=1))["agent_options"]

    assert json.loads(json.dumps(plain)) == orjson.loads(orjson.dumps(in_json))


def test_many_who_ask_at_once_wait_for_one_reading(shared):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shared.ask(), range(8)))

    assert len(shared.made) == 1
    assert all(content == found[0] for content in found)


def test_another_view_or_zone_has_a_content_of_its_own(shared):
    berlin = Viewer(ZoneInfo("Europe/Berlin"), "light")
    for view, viewer in ((DEFAULT, UTC_VIEWER), (WEEK, UTC_VIEWER), (DEFAULT, berlin)):
        shared.ask(view, viewer=viewer)
    shared.ask()

    day = "last-24-hours"
    assert shared.made == [(day, "UTC", AT), ("week", "UTC", AT), (day, "Europe/Berlin", AT)]


def test_a_pass_that_changes_a_number_ends_the_sharing(shared, change):
    before = shared.ask()
    change()
    after = shared.ask(at=AT + 2 * SECOND)

    assert [at for *_, at in shared.made] == [AT, AT + 2 * SECOND]
    assert (agents(before), agents(after)) == (1, 2)


@pytest.mark.parametrize("are_news", [False, True])
def test_a_busy_server_shows_the_version_before_for_some_seconds_and_says_so(
    shared, change, are_news
):
    before = shared.ask()
    change()
    with ThreadPoolExecutor() as pool:
        pool.submit(shared.ask, View(window="month"))
        assert shared.begun.acquire(timeout=10)
        meanwhile = shared.ask(at=AT + LATE, are_news=are_news)
        unknown = pool.submit(shared.ask, WEEK, AT + LATE)
        shared.may_go_on.set()
        assert agents(unknown.result()) == 2
    after = shared.ask(at=AT + LATE)

    assert (meanwhile == before, agents(meanwhile), agents(after)) == (True, 1, 2)
    assert meanwhile["version"]["as_of"] == AT.isoformat()


def test_nobody_waits_for_what_took_long_to_make_and_news_do_not_come_at_once(
    shared, change, monkeypatch
):
    monkeypatch.setattr("dashboard.page.shared_contents.SLOW", 0.0)
    before = shared.ask()
    change()

    assert shared.ask(at=AT, are_news=True) == before
    assert shared.ask(at=AT + LATE) == before
    assert agents(shared.ask(at=AT + LATE, are_news=True)) == 2
    assert [at for *_, at in shared.made] == [AT, AT + LATE]


@pytest.mark.parametrize(
    "later", [timedelta(minutes=1), -SECOND], ids=["after a minute", "with a clock set back"]
)
def test_a_content_is_made_anew(shared, later):
    shared.ask()
    shared.ask(at=AT + later)

    assert [at for *_, at in shared.made] == [AT, AT + later]


def test_what_time_has_made_wrong_is_made_anew_within_the_minute(shared):
    stale = datetime.fromisoformat(shared.ask()["version"]["stale_at"])
    just_before = stale - SECOND / 2

    shared.ask(at=just_before)
    shared.ask(at=stale)

    assert stale <= floor_hour(AT) + HOUR
    assert [at for *_, at in shared.made] == [AT, just_before, stale]
