from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest

from aggregator.metrics.periods import calendar_period
from dashboard.charts.activity_chart import chart_of
from dashboard.charts.heatmap import heatmap_of
from dashboard.pictures.picture import (
    OTHERS,
    REPORT,
    PictureSize,
    Subject,
    picture,
    picture_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
NAMES = {1: "atlas", 2: "billing"}
PERIODS = [calendar_period(name, date(2026, 11, 22), BERLIN) for name in ("day", "week", "month")]
TURNS, USUAL = Subject("turns"), PictureSize()
NINE = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def busy(overview):
    """Make a view with an hour of two projects."""

    def make(**facts):
        turns = [(1, NINE, 11), (2, NINE, 12)]
        return overview((NINE, 23, 84.0, 3), project_buckets=turns, **facts)

    return make


def drawn(view, subject=TURNS, scope_name="All projects", scheme="light", size=USUAL):
    return picture_of(view, NAMES, subject, scope_name=scope_name, scheme=scheme, size=size)


def plain(chart):
    return go.Figure(chart).to_json()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("period", PERIODS, ids=lambda period: period.name)
@pytest.mark.parametrize("subject", REPORT, ids=lambda subject: subject.name)
def test_a_picture_is_the_chart_of_the_page_with_a_title_and_a_size(busy, scheme, period, subject):
    view = busy(period=period)
    if subject.pattern:
        page = heatmap_of(view, subject.metric, scheme)
    elif subject.metric in OTHERS:
        page = OTHERS[subject.metric](view, scheme)
    else:
        page = chart_of(view, NAMES, subject.metric, scheme)

    shown = drawn(view, subject, scheme=scheme)

    framing = {"autosize", "width", "height", "margin", "title"}
    assert set(shown["layout"]) - set(page["layout"]) == framing - {"margin"}
    inside = {name: value for name, value in shown["layout"].items() if name not in framing}
    inside["margin"] = {**shown["layout"]["margin"], "t": page["layout"]["margin"]["t"]}
    assert plain({"data": shown["data"], "layout": inside}) == plain(page)


def test_a_report_has_every_chart_of_several_agents_and_the_patterns():
    assert [subject.name for subject in REPORT] == [
        "time",
        "agents-at-work",
        "turns",
        "turn-time",
        "agents",
        "capacity",
        "pattern-working",
        "pattern-waiting",
        "pattern-turns",
        "pattern-turn-time",
        "pattern-agents",
    ]


def test_the_title_says_what_of_whom_and_when(busy):
    layout = drawn(busy(period=PERIODS[1]), scope_name="Project atlas")["layout"]

    assert layout["title"] == {
        "text": "Turns per hour · Project atlas",
        "subtitle": {
            "text": "16–22 Nov 2026 (week 47) · Europe/Berlin",
            "font": {"size": 13},
        },
        "font": {"size": 18},
        "x": 0,
        "xref": "container",
        "xanchor": "left",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"l": 24, "t": 22.4},
    }
    assert (layout["width"], layout["height"], layout["autosize"]) == (1200, 500, False)
    assert layout["margin"] == {"l": 54, "r": 70, "t": 124, "b": 44}


def test_the_pattern_names_its_own_days(busy):
    title = drawn(busy(), Subject("agents", pattern=True))["layout"]["title"]

    assert title["text"] == "Active agents by weekday and hour · All projects"
    assert title["subtitle"]["text"] == "26 Oct – 22 Nov 2026 · Europe/Berlin"


def test_a_name_is_no_markup_and_no_template(busy):
    title = drawn(busy(), scope_name="Project <b>&amp;%{meta.summary}")["layout"]["title"]

    assert title["text"] == "Turns per hour · Project &lt;b&gt;&amp;amp;%&#123;meta.summary}"


def test_a_long_name_has_a_second_line_and_is_cut_there(busy):
    layout = drawn(busy(), scope_name="Project " + "a" * 300)["layout"]

    first, second = layout["title"]["text"].split("<br>")
    assert (first, second[-2:]) == ("Turns per hour · Project", "a…")
    assert 90 < len(second) < 110
    # Plotly sets the first of several lines higher than a single one.
    assert layout["title"]["pad"]["t"] == 35
    assert layout["margin"]["t"] == 124 + 23


def test_a_narrow_picture_has_room_for_all_rows_of_its_legend(busy):
    names = {1: "the-one-with-the-longest-name", 2: "the-other-one-of-the-two-projects"}
    wide, narrow = (
        picture_of(
            busy(),
            names,
            Subject("turns"),
            scope_name="All projects",
            scheme="light",
            size=PictureSize(width),
        )
        for width in (1200, 390)
    )

    assert wide["layout"]["margin"]["t"] == 124
    assert narrow["layout"]["margin"]["t"] == 124 + 19


def test_a_low_picture_does_without_a_legend(busy):
    layout = drawn(busy(), size=PictureSize(1200, 200))["layout"]

    assert (layout["showlegend"], layout["margin"]["t"]) == (False, 124 - 38)


def test_a_notebook_gets_a_figure_in_its_size(busy):
    figure = picture(busy(), NAMES, Subject("turn-time"), scheme="dark", size=PictureSize(800, 400))

    assert isinstance(figure, go.Figure)
    assert (figure.layout.width, figure.layout.height) == (800, 400)
    assert figure.layout.title.text == "Average gap between turns per hour · All projects"


def test_without_turns_there_is_a_picture_that_says_so(overview):
    for subject in REPORT:
        layout = drawn(overview(), subject)["layout"]
        said = [words["text"] for words in layout.get("annotations", [])]

        assert layout["title"]["text"]
        assert said == ([] if subject.pattern else ["No turns in this period"])


def test_a_period_that_is_no_longer_kept_is_not_called_quiet(overview, now):
    layout = drawn(overview(kept_since=now), REPORT[0])["layout"]

    assert [words["text"] for words in layout["annotations"]] == ["no longer kept"]
