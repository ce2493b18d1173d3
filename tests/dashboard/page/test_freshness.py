from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, event

from aggregator.passes.run import make_pass
from aggregator.query.overview import Steps, Zoom
from dashboard.context import PageContext
from dashboard.page.freshness import freshness, stale_at

RETENTION = timedelta(days=30)
LAST = datetime(2026, 11, 22, 13, 50, tzinfo=UTC)


def ask(mounted):
    response = mounted.client.get("/activity/version")
    found = response.get_json()
    found.pop("now", None)  # The digest of the strip, see test_now.py.
    return response.status_code, response.headers["Cache-Control"], found


def test_before_the_first_pass_there_is_nothing_to_tell(empty_engine, open_page):
    assert ask(open_page(empty_engine)) == (
        200,
        "no-store",
        {
            "changed_at": None,
            "last_pass_at": None,
            "next_pass_at": None,
            "as_of": "2026-11-22T14:05:00+00:00",
            "live": "",
            "live_reason": "",
        },
    )


def test_a_pass_that_changes_nothing_is_seen_as_such(empty_engine, open_page, record, now):
    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1", [now - timedelta(hours=1)])
    make_pass(empty_engine, now - timedelta(minutes=9), RETENTION)
    make_pass(empty_engine, now - timedelta(minutes=4), RETENTION)

    _, _, version = ask(open_page(empty_engine, PageContext(30, interval_seconds=300)))

    assert version == {
        "changed_at": "2026-11-22T13:56:00+00:00",
        "last_pass_at": "2026-11-22T14:01:00+00:00",
        "next_pass_at": "2026-11-22T14:06:00+00:00",
        "as_of": "2026-11-22T14:05:00+00:00",
        "live": "",
        "live_reason": "",
    }


def test_pages_that_ask_together_share_one_reading_and_who_has_the_answer_gets_none(
    empty_engine, open_page, monkeypatch
):
    monkeypatch.setattr("dashboard.page.freshness.SHARED_FOR", 3600)
    client = open_page(empty_engine).client
    first = client.get("/activity/version")
    statements = []
    event.listen(empty_engine, "before_cursor_execute", lambda *told: statements.append(told[2]))

    again = client.get("/activity/version", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.data, statements) == (304, b"", [])
    assert again.headers["ETag"] == first.headers["ETag"]


def test_a_database_that_is_away_is_no_version(open_page):
    nowhere = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")

    assert ask(open_page(nowhere)) == (
        503,
        "no-store",
        {"error": "the database does not answer; try again later"},
    )


def test_an_answer_says_of_itself_what_the_server_says(overview, now):
    shown = overview(changed_at=now - timedelta(minutes=9), last_pass_at=now - timedelta(minutes=4))

    assert freshness(shown, PageContext(30, interval_seconds=60)) == {
        "changed_at": "2026-11-22T13:56:00+00:00",
        "last_pass_at": "2026-11-22T14:01:00+00:00",
        "next_pass_at": "2026-11-22T14:02:00+00:00",
        "as_of": "2026-11-22T14:05:00+00:00",
        "stale_at": "2026-11-22T15:00:00+00:00",
        "zone": shown.period.zone.key,
    }


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        # The hour ends first.
        ([None, (15, 1)], (15, 0)),
        # The state of an agent changes first.
        ([(14, 20), (14, 31)], (14, 20)),
    ],
)
def test_numbers_get_old_by_themselves(overview, changes, stale):
    states = [
        (
            agent,
            1,
            "working",
            LAST,
            LAST,
            "person",
            "",
            at and datetime(2026, 11, 22, *at, tzinfo=UTC),
        )
        for agent, at in enumerate(changes)
    ]

    assert stale_at(overview(states=states)) == datetime(2026, 11, 22, *stale, tzinfo=UTC)


@pytest.mark.parametrize(("step", "stale"), [("15min", 15), ("5min", 10), ("1min", 6)])
def test_steps_end_before_the_hour_does(overview, step, stale):
    shown = overview()
    steps = Steps(Zoom(step), shown.buckets, shown.project_buckets)

    assert stale_at(replace(shown, steps=steps)) == datetime(2026, 11, 22, 14, stale, tzinfo=UTC)
    over = replace(steps, zoom=Zoom(step, datetime(2026, 11, 22, 13, tzinfo=UTC)))
    assert stale_at(replace(shown, steps=over)) == datetime(2026, 11, 22, 15, tzinfo=UTC)


def test_an_agent_is_gone_after_a_day(overview):
    states = [(1, 1, "idle", datetime(2026, 11, 21, 14, 30, tzinfo=UTC))]

    assert stale_at(overview(states=states)) == datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
