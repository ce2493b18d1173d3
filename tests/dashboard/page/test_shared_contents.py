"""Contents that requests share, over a real database and with the page's own maker."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aggregator.metrics.windows import HOUR, floor_hour
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader
from dashboard.context import PageContext
from dashboard.page.callbacks import maker
from dashboard.page.shared_contents import SharedContents
from dashboard.selection.answer import Viewer

RETENTION = timedelta(days=30)
AT = datetime(2026, 7, 8, 12, 30, 10, tzinfo=UTC)
VIEWER = Viewer(ZoneInfo("UTC"), "light")
CONTEXT = PageContext(30)
SECOND = timedelta(seconds=1)


@pytest.fixture
def made():
    """Contents made so far: the query, the zone and the instant of each."""
    return []


@pytest.fixture
def contents(empty_engine, record, made):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [AT - timedelta(minutes=20)])
    make_pass(empty_engine, AT, RETENTION)
    reader = MetricReader(empty_engine)
    make = maker(reader, CONTEXT)

    def noted(search, viewer, as_of):
        made.append((search, viewer.zone.key, as_of))
        return make(search, viewer, as_of)

    return SharedContents(noted, reader)


def test_who_asks_for_the_same_view_gets_the_same_content_and_the_present_instant(contents, made):
    first = contents.content("?window=day", VIEWER, AT)
    second = contents.content("?window=day", VIEWER, AT + 9 * SECOND)

    assert made == [("?window=day", "UTC", AT)]
    assert second["version"] == {**first["version"], "as_of": (AT + 9 * SECOND).isoformat()}
    assert {**second, "version": None} == {**first, "version": None}


def test_many_who_ask_at_once_wait_for_one_reading(contents, made):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: contents.content("", VIEWER, AT), range(8)))

    assert len(made) == 1
    assert all(content == found[0] for content in found)


def test_another_address_or_zone_has_a_content_of_its_own(contents, made):
    berlin = Viewer(ZoneInfo("Europe/Berlin"), "light")
    for search, viewer in (("", VIEWER), ("?window=week", VIEWER), ("", berlin), ("", VIEWER)):
        contents.content(search, viewer, AT)

    assert made == [("", "UTC", AT), ("?window=week", "UTC", AT), ("", "Europe/Berlin", AT)]


def test_a_pass_that_changes_a_number_ends_the_sharing(contents, made, empty_engine, record):
    before = contents.content("", VIEWER, AT)
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a2", [AT - timedelta(minutes=5)])
    make_pass(empty_engine, AT + SECOND, RETENTION)

    after = contents.content("", VIEWER, AT + 2 * SECOND)

    assert [at for *_, at in made] == [AT, AT + 2 * SECOND]
    assert (len(before["agent_options"]), len(after["agent_options"])) == (1, 2)


@pytest.mark.parametrize(
    "later", [timedelta(minutes=1), -SECOND], ids=["after a minute", "with a clock set back"]
)
def test_a_content_is_made_anew(contents, made, later):
    contents.content("", VIEWER, AT)
    contents.content("", VIEWER, AT + later)

    assert [at for *_, at in made] == [AT, AT + later]


def test_what_time_has_made_wrong_is_made_anew_within_the_minute(
    contents, made, empty_engine, record
):
    stale = datetime.fromisoformat(contents.content("", VIEWER, AT)["version"]["stale_at"])
    just_before = stale - SECOND / 2

    contents.content("", VIEWER, just_before)
    contents.content("", VIEWER, stale)

    assert stale <= floor_hour(AT) + HOUR
    assert [at for *_, at in made] == [AT, just_before, stale]


def test_nothing_is_shared_while_there_is_nothing_to_show(engine, made):
    def make(search, viewer, as_of):
        made.append(as_of)
        return {"version": None}

    contents = SharedContents(make, MetricReader(engine))
    for _ in range(2):
        assert contents.content("", VIEWER, AT) == {"version": None}

    assert made == [AT, AT]
