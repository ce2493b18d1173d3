from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import create_engine

from aggregator.database import parse_url
from aggregator.passes import make_pass
from dashboard.view import View

RETENTION = timedelta(days=400)


@pytest.fixture
def page(empty_engine, record, now, open_page):
    """Two agents of atlas in the last day, one of infra twenty days ago."""

    def ago(*minutes):
        return [now - timedelta(minutes=minute) for minute in minutes]

    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1a1a1a1-x", ago(1, 2, 4), state="awaiting_input")
        record(conn, "atlas", "a2a2a2a2-x", ago(2, 62))
        record(conn, "infra", "b1b1b1b1-x", ago(20 * 1440, 20 * 1440 + 1))
    make_pass(empty_engine, now, RETENTION)
    return open_page(empty_engine)


def card_values(answer):
    cards = [card["props"]["children"] for card in answer["cards"]["children"]]
    return [value["props"]["children"] for _, value, _ in cards]


def labels(options):
    return [option["label"] for option in options]


def test_the_first_load_shows_the_last_day_of_all_projects(page):
    answer = page.update()

    assert card_values(answer) == ["5", "0.2", "1 min 30 s", "2"]
    assert answer["window"] == {"value": "day"}
    assert answer["project"]["value"] is None
    assert labels(answer["project"]["options"]) == ["atlas", "infra"]
    assert labels(answer["agent"]["options"]) == [
        "b1b1b1b1 · infra",
        "a2a2a2a2 · atlas",
        "a1a1a1a1 · atlas",
    ]
    assert answer["view"] == {"className": "activity-view"}
    # The address is as it was opened.
    assert "url" not in answer


def test_the_address_sets_the_controls(page):
    answer = page.update(search="", url="?window=month&project=1&agent=2")

    assert answer["window"] == {"value": "month"}
    assert (answer["project"]["value"], answer["agent"]["value"]) == (1, 2)
    assert card_values(answer)[0] == "2"
    assert labels(answer["agent"]["options"]) == ["a2a2a2a2", "a1a1a1a1"]


def test_a_control_sets_the_address_and_keeps_the_end_of_the_window(page):
    until = "2026-11-20T10:00Z"

    answer = page.update("window.value", url=f"?until={until}", window="week")

    assert answer["url"] == {"search": f"?window=week&until={until}"}


def test_a_control_keeps_what_is_unfolded(page):
    answer = page.update("window.value", url="?open=1,2", window="week")

    assert answer["url"] == {"search": "?window=week&open=1,2"}


def test_numbers_are_said_when_the_view_changes_and_not_every_minute(page):
    assert page.update()["announcement"]["children"].startswith("All projects, the last 24 hours:")
    assert "announcement" not in page.update("tick.n_intervals", tick=1)


def test_another_project_resets_the_agent(page):
    answer = page.update("project.value", url="?project=1&agent=2", project=2, agent=2)

    assert answer["url"] == {"search": "?project=2"}
    assert answer["agent"]["value"] is None
    assert labels(answer["agent"]["options"]) == ["b1b1b1b1"]


def test_clearing_the_project_shows_all(page):
    answer = page.update("project.value", url="?project=2", project=None)

    assert answer["url"] == {"search": ""}
    assert card_values(answer)[0] == "5"


def test_a_minute_later_the_address_still_counts(page):
    answer = page.update("tick.n_intervals", url="?window=week", window="day", tick=1)

    assert answer["window"] == {"value": "week"}
    assert "url" not in answer


def test_an_agent_brings_its_own_project(page):
    answer = page.update(url="?project=2&agent=1")

    assert (answer["project"]["value"], answer["agent"]["value"]) == (1, 1)


@pytest.mark.parametrize(
    ("search", "notice"),
    [
        ("?project=99", "There is no project with id 99. Showing all projects."),
        ("?agent=99", "There is no agent with id 99. Showing all projects."),
        ("?project=1&agent=99", "There is no agent with id 99. Showing project atlas."),
        (
            "?project=98&agent=99",
            "There is no agent with id 99. There is no project with id 98. Showing all projects.",
        ),
    ],
)
def test_an_unknown_id_says_so_and_shows_the_next_wider_scope(page, search, notice):
    answer = page.update(url=search)

    assert answer["notice"] == {"children": notice}
    assert card_values(answer)[0] == "5"


@pytest.mark.parametrize(
    "search",
    [
        "?window=decade",
        "?project=x",
        "?project=99999999999",
        "?open=x,,99999999999",
        "?until=yesterday",
        "?until=2999-01-01T00:00Z",
        "?%%%",
    ],
)
def test_values_that_make_no_sense_are_defaults(page, search):
    answer = page.update(url=search)

    assert answer["notice"] == {"children": ""}
    assert card_values(answer)[0] == "5"


@pytest.mark.parametrize("zone", ["Middle/Earth", "", "../../etc/passwd", None, 7])
def test_a_zone_that_nobody_knows_is_utc(page, zone):
    answer = page.update(viewer={"zone": zone})

    shown = answer["caption"]["children"][0]["props"]["children"][0]
    assert shown == "Last 24 hours, to 14:05 · UTC"


def test_the_chart_follows_the_viewers_colours(page):
    light, dark = (page.update(viewer={"scheme": name}) for name in ("light", "dark"))

    assert light["activity-chart"]["figure"]["layout"]["paper_bgcolor"] == "#ffffff"
    assert dark["activity-chart"]["figure"]["layout"]["paper_bgcolor"] == "#161a21"


def test_a_quiet_window_is_empty_and_its_link_leads_to_activity(page):
    quiet = page.update(url="?project=2")
    link = quiet["empty"]["children"][-1]["props"]["children"]["props"]

    assert quiet["view"] == {"className": "activity-view is-empty"}
    assert quiet["projects"] == {"children": None}
    assert card_values(page.update(url=link["href"]))[0] == "2"


def test_the_picture_is_named_after_the_view(page):
    answer = page.update(url="?window=week")

    options = answer["activity-chart"]["config"]["toImageButtonOptions"]
    assert options == {"format": "png", "filename": "activity-turns-week-2026-11-22", "scale": 2}
    assert answer["activity-chart"]["config"]["showSendToCloud"] is False


def test_without_its_database_the_page_keeps_what_it_shows(postgres, open_page, caplog):
    nobody_listens = parse_url(postgres.url("tests")).set(port=1)

    answer = open_page(create_engine(nobody_listens)).update("window.value", window="week")

    assert answer == {
        "url": {"search": "?window=week"},
        "notice": {
            "children": "The database does not answer. What you see may be out of date; "
            "trying again every minute."
        },
    }
    assert "no database" in caplog.text


def test_a_view_and_its_address_are_the_same():
    search = "?window=week&project=3&agent=7&until=2026-08-21T22:00Z&open=2,5"

    assert View.parse(search).search == search
    assert View.parse("").search == ""
    assert View.parse("?open=none").search == "?open=none"
    assert View().address == "?"


def test_the_end_of_a_window_is_read_in_any_zone():
    assert View.parse("?until=2026-08-22T00:00%2B02:00").search == "?until=2026-08-21T22:00Z"
