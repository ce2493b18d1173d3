from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import create_engine, update

from aggregator.database.engine import parse_url
from aggregator.database.models import Agent
from aggregator.passes.run import make_pass
from dashboard.context import PageContext

RETENTION = timedelta(days=400)


@pytest.fixture
def page(empty_engine, record, now, open_page):
    """Two agents of atlas today and one of infra twenty days ago; it is 15:05 in Berlin."""

    def ago(*minutes):
        return [now - timedelta(minutes=minute) for minute in minutes]

    with empty_engine.begin() as conn:
        record(conn, "atlas", "a1a1a1a1-x", ago(1, 2, 4), state="awaiting_input")
        record(conn, "atlas", "a2a2a2a2-x", ago(2, 62))
        record(conn, "infra", "b1b1b1b1-x", ago(20 * 1440, 20 * 1440 + 1))
    make_pass(empty_engine, now, RETENTION)
    return open_page(empty_engine, PageContext(400))


@pytest.fixture
def turns(page):
    return lambda answer: page.cards(answer)["card-turns"]


def crumbs(answer):
    """The line of crumbs, which is also its title."""
    return answer["crumbs"]["children"][0]["props"]["title"]


def labels(options):
    return [option["label"] for option in options]


def test_the_first_load_shows_24_hours_of_all_projects(page, turns):
    answer = page.update()

    assert turns(answer) == "5"
    assert answer["window"] == {"value": "last-24-hours"}
    assert answer["project"]["value"] == answer["agent"]["value"] == []
    assert labels(answer["project"]["options"]) == ["atlas", "infra"]
    assert labels(answer["agent"]["options"]) == [
        "b1b1b1b1 · infra",
        "a2a2a2a2 · atlas",
        "a1a1a1a1 · atlas",
    ]
    assert answer["zone"] == {"value": "Europe/Berlin"}
    assert answer["view"] == {"className": "activity-view is-time has-steps"}
    assert answer["notice"] == {"children": ""}
    # The address is as it was opened.
    assert "url" not in answer


def test_the_address_sets_the_controls(page, turns):
    answer = page.update(
        url="?window=month&project=1&agent=2&metric=agents&everyone=yes&tz=Asia/Kolkata"
    )

    assert answer["window"] == {"value": "month"}
    assert (answer["project"]["value"], answer["agent"]["value"]) == ([1], [2])
    assert (answer["metric"]["value"], answer["active-only"]["value"]) == ("agents", [])
    assert answer["zone"] == {"value": "Asia/Kolkata"}
    assert labels(answer["agent"]["options"]) == ["a2a2a2a2", "a1a1a1a1"]
    assert turns(answer) == "2"


def test_every_control_has_its_place_in_the_address(page):
    changes = {
        "project": [2, 1],
        "agent": [3],
        "origin": "automated",
        "metric": "turn-time",
        "pattern-of": "waiting",
        "active-only": [],
        "zone": "America/New_York",
    }

    answer = page.update(*(f"{name}.value" for name in changes), **changes)

    assert answer["url"] == {
        "search": "?tz=America/New_York&project=1,2&agent=3&origin=automated&metric=turn-time"
        "&pattern=waiting&everyone=yes"
    }


def test_the_viewers_own_zone_needs_no_place_in_the_address(page):
    answer = page.update("zone.value", url="?tz=Asia/Kolkata", zone="Europe/Berlin")

    assert answer["url"] == {"search": ""}


def test_another_length_of_period_stays_around_the_same_days(page):
    def address(search, window):
        return page.update("window.value", url=search, window=window)["url"]["search"]

    assert address("?on=2026-11-11", "week") == "?window=week&on=2026-11-09"
    assert address("?window=week&on=2026-11-09", "month") == "?window=month"
    assert address("?window=month", "day") == "?window=day"
    assert address("?window=week&on=2026-10-26", "day") == "?window=day&on=2026-10-26"
    assert address("?window=month", "last-24-hours") == ""
    assert address("?window=day&on=2026-10-26", "last-24-hours") == "?until=2026-10-26T23:00Z"
    assert address("?until=2026-10-26T12:00Z", "week") == "?window=week&on=2026-10-19"
    assert address("", "day") == "?window=day"
    assert address("", "custom") == "?window=custom&from=2026-11-21&to=2026-11-22"
    assert address("?window=week&on=2026-11-09", "custom") == (
        "?window=custom&from=2026-11-09&to=2026-11-15"
    )


def test_the_picker_is_there_for_a_custom_period_and_sets_it(page, turns):
    search = "?window=custom&from=2026-11-02&to=2026-11-08"
    picker = page.update(url=search)["range-box"]["children"][0]["props"]

    assert (picker["start_date"], picker["end_date"]) == ("2026-11-02", "2026-11-08")
    assert page.update()["range-box"] == {"children": []}

    answer = page.update(
        "range.end_date",
        url=search,
        window="custom",
        **{"range.start_date": "2026-10-30T00:00:00", "range.end_date": "2026-11-02"},
    )

    assert answer["url"] == {"search": "?window=custom&from=2026-10-30&to=2026-11-02"}
    assert turns(answer) == "2"


def test_the_last_days_are_offered_beside_the_picker(page):
    answer = page.update(url="?window=last-7-days")
    picker, menu = (part["props"] for part in answer["range-box"]["children"])

    assert answer["window"] == {"value": "custom"}
    assert (picker["start_date"], picker["end_date"]) == ("2026-11-16", "2026-11-22")
    assert [link["props"]["href"] for link in menu["children"][1]["props"]["children"]] == [
        "?window=last-7-days",
        "?window=last-30-days",
        "?window=day",
    ]


def test_more_days_than_a_period_can_have_are_cut_off(page):
    answer = page.update(
        "range.end_date",
        window="custom",
        **{"range.start_date": "2024-01-01", "range.end_date": "2026-11-02"},
    )

    assert answer["url"] == {"search": "?window=custom&from=2024-01-01&to=2024-12-31"}


@pytest.mark.parametrize(
    ("url", "customdata", "search"),
    [
        (
            "?window=month&project=1",
            [1, "2026-11-02T23:00:00+00:00"],
            "?window=day&on=2026-11-03&project=1",
        ),
        ("?window=week", [None, "2026-11-22T13:00:00+00:00"], "?window=day&on=2026-11-22"),
        ("", [2, "2026-11-22T13:00:00+00:00"], "?project=2"),
        ("", [None, "2026-11-22T13:05:00+00:00"], "?hour=2026-11-22T13:00Z"),
        (
            "?step=5min&hour=2026-11-22T13:00Z",
            [2, "2026-11-22T13:05:00+00:00"],
            "?step=5min&hour=2026-11-22T13:00Z&project=2",
        ),
        ("?hour=2026-11-22T13:00Z", [None, "2026-11-22T13:05:00+00:00"], None),
        ("", None, None),
    ],
)
def test_a_click_on_a_bar_leads_to_its_day_and_there_to_project_or_hour(
    page, url, customdata, search
):
    answer = page.update(
        "activity-chart.clickData",
        url=url,
        **{
            "activity-chart": {
                "points": [{"customdata": customdata, "curveNumber": 0, "y": 3}],
                "yvals": [2],
            }
        },
    )

    assert answer.get("url") == (None if search is None else {"search": search})
    # Ready for another click on the same bar.
    assert answer["activity-chart"]["clickData"] is None


def chart(answer):
    """The heading of the chart, its bars, the rows behind it, and the end of their file's name."""
    table = answer["downloads"]["data"]["tables"]["chart"]
    bars = [each for each in answer["activity-chart"]["figure"]["data"] if each["type"] == "bar"]
    columns = max(len(each["x"]) for each in bars)
    name = table["filename"].removeprefix("activity-chart-all-projects-24-hours-to-2026-11-22-1600")
    return answer["chart-title"]["children"], columns, len(table["rows"]), name


def test_steps_are_a_choice_and_belong_to_the_chart_alone(page, turns):
    hours = page.update()
    steps = page.update("step.value", step="5min")

    assert steps["url"] == {"search": "?step=5min"}
    assert steps["step"] == {"value": "5min"}
    assert chart(hours) == ("Time per hour", 24, 24, "")
    assert chart(steps) == ("Time per 5 minutes", 288, 278, "-5min")
    for element in ("cards", "pattern-chart", "capacity-chart"):
        assert steps[element] == hours[element]
    assert steps["announcement"]["children"] == (
        hours["announcement"]["children"]
        + " The chart is by 5 minutes, 21–22 Nov 2026, 16:00–16:00."
    )
    assert page.update(url="?window=week&step=5min")["chart-title"]["children"] == "Time per hour"


def test_the_minutes_of_one_hour(page):
    answer = page.update(url="?metric=turns&step=5min&hour=2026-11-22T13:00Z")

    assert chart(answer) == ("Turns per minute", 60, 60, "-1400-1min")
    assert answer["view"] == {"className": "activity-view has-steps is-narrow"}
    assert [link["props"].get("href") for link in answer["hour"]["children"]] == [
        "?step=5min&hour=2026-11-22T12:00Z&metric=turns",
        None,
        "?step=5min&hour=2026-11-22T14:00Z&metric=turns",
        "?step=5min&metric=turns",
    ]
    # Without it, the last active hour is one click away.
    [minutes] = page.update(url="?step=5min")["hour"]["children"]
    assert minutes["props"]["href"] == "?step=5min&hour=2026-11-22T14:00Z"
    assert page.update("window.value", url="?hour=2026-11-22T13:00Z", window="day")["url"] == {
        "search": "?window=day"
    }


def test_numbers_are_said_when_the_view_changes_and_not_with_every_pass(page):
    assert page.update()["announcement"]["children"] == (
        "All projects, 21–22 Nov 2026, 16:00–16:00: 0 s working, 0 s waiting for you, 5 turns, "
        "average gap between turns 1 min 30 s, 2 active agents."
    )
    assert "announcement" not in page.update("tick.data", tick=1)


def test_new_numbers_leave_the_picker_of_days_as_it_is(page):
    custom = "?window=custom&from=2026-11-16&to=2026-11-22"
    assert "range-box" in page.update(url=custom)
    assert "range-box" not in page.update("tick.data", tick=1, url=custom)
    # These move on with time.
    assert "range-box" in page.update("tick.data", tick=1, url="?window=last-7-days")


def test_other_projects_drop_the_agents_that_are_not_theirs(page):
    answer = page.update("project.value", url="?project=1&agent=2", project=[2], agent=[2])

    assert answer["url"] == {"search": "?project=2"}
    assert answer["agent"]["value"] == []
    assert labels(answer["agent"]["options"]) == ["b1b1b1b1"]


def test_clearing_the_projects_shows_all(page, turns):
    answer = page.update("project.value", url="?project=2", project=None)

    assert answer["url"] == {"search": ""}
    assert turns(answer) == "5"


def test_with_a_new_pass_the_address_still_counts(page):
    answer = page.update("tick.data", url="?window=week", window="day", tick=1)

    assert answer["window"] == {"value": "week"}
    assert "url" not in answer


def test_an_agent_brings_its_own_project(page):
    answer = page.update(url="?project=2&agent=1")

    assert (answer["project"]["value"], answer["agent"]["value"]) == ([1, 2], [1])


@pytest.mark.parametrize(
    ("search", "notice"),
    [
        ("?project=99", "There is no project with id 99. Showing all projects."),
        ("?agent=99,98", "There are no agents with ids 98 and 99. Showing"),
        ("?project=1&agent=99", "There is no agent with id 99. Showing project atlas."),
        (
            "?window=year",
            "In the address, window is “year”; it can be day, week, month, last-24-hours, "
            "last-7-days, last-30-days or custom.",
        ),
        ("?%%%", ""),
    ],
)
def test_a_bad_link_says_so_and_shows_what_there_is(page, search, notice):
    answer = page.update(url=search)

    assert answer["notice"]["children"].startswith(notice)
    assert bool(answer["notice"]["children"]) == bool(notice)


@pytest.mark.parametrize("zone", ["Middle/Earth", "", "../../etc/passwd", None, 7])
def test_a_zone_that_nobody_knows_is_utc(page, zone):
    assert page.update(viewer={"zone": zone})["zone"] == {"value": "UTC"}


def test_the_charts_follow_the_viewers_colours(page):
    light, dark = (page.update(viewer={"scheme": name}) for name in ("light", "dark"))

    for chart in ("activity-chart", "pattern-chart"):
        backgrounds = [
            answer[chart]["figure"]["layout"]["template"]["layout"]["paper_bgcolor"]
            for answer in (light, dark)
        ]
        assert backgrounds == ["#ffffff", "#161a21"]


def test_a_quiet_period_is_empty_and_its_link_leads_to_activity(page, turns):
    quiet = page.update(url="?project=2")
    link = quiet["empty"]["children"][-1]["props"]["children"]["props"]

    assert quiet["view"] == {"className": "activity-view is-empty is-time has-steps"}
    assert turns(page.update(url=link["href"])) == "2"


def test_without_its_database_the_page_keeps_what_it_shows(postgres, open_page):
    nobody_listens = parse_url(postgres.url("tests")).set(port=1)

    answer = open_page(create_engine(nobody_listens)).update("window.value", window="week")

    assert answer == {
        "notice": {
            "children": "The database does not answer. What you see may be out of date; "
            "trying again every few seconds."
        },
        # The next answer is newer.
        "version": {"data": None},
    }


def test_agents_of_one_origin_are_shown_alone_and_automated_ones_are_marked(
    page, turns, empty_engine
):
    with empty_engine.begin() as conn:
        conn.execute(update(Agent).where(Agent.session_id == "a2a2a2a2-x").values(origin="sdk"))

    everybody = page.update(url="?people=agents")
    automated = page.update("origin.value", url="?people=agents", origin="automated")
    interactive = page.update(url="?people=agents&origin=interactive&project=1")

    mark = 'title="Started by a program, through the SDK">auto<'
    marked = [answer["agent-table"]["data"].count(mark) for answer in (everybody, automated)]
    assert marked == [1, 1]
    assert automated["url"] == {"search": "?origin=automated&people=agents"}
    assert automated["origin"] == {"value": "automated"}
    assert [turns(answer) for answer in (everybody, automated, interactive)] == ["5", "2", "3"]
    assert crumbs(automated) == "All projects › Automated agents"
    assert crumbs(interactive) == "All projects › Interactive agents › atlas"
    assert "in this view" in str(automated["states"]["children"])
