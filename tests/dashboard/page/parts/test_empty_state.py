from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aggregator.installation import this_installation
from aggregator.metrics.periods import calendar_period, last_hours
from aggregator.metrics.scope import Scope
from dashboard.context import PageContext
from dashboard.page.parts.empty_state import empty_state
from dashboard.selection.view import View

BERLIN = ZoneInfo("Europe/Berlin")
HOST = PageContext(retention_days=30)
STANDALONE = PageContext(retention_days=30, looked_in=(Path("/home/me/.claude/projects"),))


def utc(day, hour=0, month=11):
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.fixture
def said(texts):
    def said(overview, context=HOST, asked=None, name="All projects"):
        return texts(empty_state(overview, asked or View(), context, name))

    return said


def test_a_period_with_turns_is_not_empty(overview):
    assert empty_state(overview((utc(22, 9), 1, None, 1)), View(), HOST, "All projects") == []


def test_before_the_first_turn_the_page_says_where_it_looked_and_what_to_do(overview, said):
    assert said(overview(), STANDALONE) == (
        "No activity yet No Claude Code transcripts with turns were found in "
        "/home/me/.claude/projects , which is not there What to do: "
        "Start Claude Code on this machine: this page notices by itself. "
        "Or name the folder with --transcripts DIR , as in "
        f"{this_installation().serve_command('--transcripts DIR')} "
        "Or look at made-up activity first with --demo"
    )


def test_on_a_host_nothing_is_said_about_folders(overview, said):
    assert said(overview()) == (
        "No activity yet As soon as an agent has its first turn, it shows up here within minutes."
    )


def test_an_empty_period_says_when_there_was_activity_and_leads_there(overview, said, hrefs):
    asked = View("week", projects=(3,))
    week = calendar_period("week", date(2026, 11, 22), BERLIN)
    view = overview(period=week, scope=asked.scope, newest_bucket=utc(3, 22))

    assert said(view, asked=asked, name="Project atlas") == (
        "No turns in 16–22 Nov 2026 Project atlas was quiet. "
        "The latest activity was on Tue 3 Nov 2026, between 23:00 and 00:00. "
        "Show the latest activity"
    )
    shown = empty_state(view, asked, HOST, "Project atlas")
    assert hrefs(shown) == ["?window=week&on=2026-11-02&project=3"]


def test_an_empty_day_of_the_past_leads_to_activity_that_goes_on(overview, said, hrefs):
    asked = View("day", on=date(2026, 11, 3))
    day = calendar_period("day", asked.on, BERLIN)
    view = overview(period=day, newest_bucket=utc(22, 14))

    assert said(view, asked=asked).startswith("No turns on Tue 3 Nov 2026")
    assert hrefs(empty_state(view, asked, HOST, "All projects")) == ["?window=day"]


def test_24_empty_hours_lead_to_the_day_of_the_latest_activity(overview, said, hrefs):
    hours = last_hours(utc(22, 15), ZoneInfo("Europe/Berlin"))
    view = overview(period=hours, newest_bucket=utc(3, 22))

    assert said(view).startswith("No turns in 21–22 Nov 2026, 16:00–16:00 All projects")
    shown = empty_state(view, View(), HOST, "All projects")
    assert hrefs(shown) == ["?window=day&on=2026-11-03"]


def test_what_is_no_longer_kept_is_not_called_quiet(overview, said):
    day = calendar_period("day", date(2026, 8, 21), BERLIN)
    view = overview(period=day, newest_bucket=utc(22, 14))

    assert said(view, STANDALONE) == (
        "Fri 21 Aug 2026 is no longer kept "
        "Hourly metrics are kept for 30 days; --retention-days keeps more."
    )


def test_turns_older_than_the_retention_say_so(overview, said):
    view = overview(newest_turn_at=utc(21, 9, month=8))

    assert said(view) == (
        "No turns on Sun 22 Nov 2026 All projects were quiet. "
        "The last turn was on Fri 21 Aug 2026. "
        "Hourly metrics are kept for 30 days; ACTIVITY_RETENTION_DAYS keeps more."
    )


def test_turns_that_are_not_counted_yet_are_announced(overview, said, now):
    assert said(overview(newest_turn_at=now - timedelta(minutes=4))).endswith(
        "New turns have arrived and will be counted within minutes."
    )


def test_an_agent_without_any_turn_is_named(overview, said):
    view = overview(scope=Scope("agent", (7,)))

    assert said(view, name="Agent 1a2b3c4d") == (
        "No turns yet Agent 1a2b3c4d has no turns at any time."
    )
