"""Pictures over HTTP, from a real database and a real Chromium."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZipFile

import pypdf
import pytest
from flask import Flask

from aggregator.passes.run import make_pass
from dashboard import Activity
from dashboard.pictures.renderer import Renderer

NAMES = [
    f"activity-{name}-all-projects-2026-W47"
    for name in (
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
    )
]
TITLES = [
    "Time per hour · All projects",
    "Agents at work · All projects",
    "Turns per hour · All projects",
    "Average gap between turns per hour · All projects",
    "Active agents per hour · All projects",
    "How many agents can I keep busy? · All projects",
    "Working time per hour by weekday and hour · All projects",
    "Waiting for me per hour by weekday and hour · All projects",
    "Turns per hour by weekday and hour · All projects",
    "Average gap between turns by weekday and hour · All projects",
    "Active agents by weekday and hour · All projects",
]


@pytest.fixture
def page(empty_engine, record, now, open_page, renderer):
    """The page over two projects with turns in two hours of the day."""
    with empty_engine.begin() as conn:
        for project, agent in (("atlas", "a1a1a1a1-x"), ("<b>billing", "b1b1b1b1-x")):
            instants = [now - timedelta(minutes=one) for one in (10, 11, 12, 70, 71)]
            record(conn, project, agent, instants)
    make_pass(empty_engine, now, timedelta(days=30))
    return open_page(empty_engine, renderer=renderer)


def export(page, name, **query):
    return page.client.get(f"/activity/export/{name}", query_string=query)


def test_a_chart_is_a_png_as_the_page_saves_it(page):
    answer = export(page, "turns.png", window="week")

    assert answer.status_code == 200
    assert dict(answer.headers) == {
        "Content-Type": "image/png",
        "Content-Length": str(len(answer.data)),
        "Content-Disposition": f'inline; filename="{NAMES[2]}.png"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }
    assert answer.data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (answer.data[16:20].hex(), answer.data[20:24].hex()) == ("00000960", "000003e8")


def test_size_and_theme_are_as_asked_for(page, decode_png):
    query = {"width": 300, "height": 200, "scale": 1}
    light, dark = (
        decode_png(export(page, "turn-time.png", **query, theme=theme).data)
        for theme in ("light", "dark")
    )

    assert (light[:2], dark[:2]) == ((300, 200), (300, 200))
    # The background, most of all, and letters and lines.
    assert [colours.most_common(1)[0][0] for *_, colours in (light, dark)] == [
        b"\xff\xff\xff",
        b"\x16\x1a\x21",
    ]
    assert all(0.5 < colours.most_common(1)[0][1] / 60_000 < 0.99 for *_, colours in (light, dark))


def test_an_svg_has_the_titles_the_traces_and_no_scripts(page):
    answer = export(page, "turns.svg", window="day", tz="Europe/Berlin")

    assert answer.content_type == "image/svg+xml; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    words = list(ElementTree.fromstring(answer.text).itertext())
    for said in (
        "Turns per hour · All projects",
        "Sun 22 Nov 2026 · Europe/Berlin",
        "atlas",
        "<b>billing",
        "Average gap between turns (right axis)",
    ):
        assert said in words
    # Two hours of each of two projects, and the bars of a whole day for the pointer.
    assert answer.text.count('<g class="point">') == 2 + 2 + 24


def test_the_zone_is_that_of_nobody_in_particular(page):
    assert "21–22 Nov 2026, 15:00–15:00 · UTC" in export(page, "agents.svg").text


def test_the_pattern_is_that_of_the_metric(page):
    answer = export(page, "pattern.svg", metric="turn-time")

    assert TITLES[9] in answer.text
    assert "26 Oct – 22 Nov 2026 · UTC" in answer.text


def test_a_scope_is_named(page):
    answer = export(page, "turns.svg", project="1", window="month")

    assert "Turns per day · Project atlas" in answer.text
    assert 'filename="activity-turns-project-atlas-2026-11.svg"' in str(answer.headers)


def test_a_timeline_is_of_one_agent(page):
    answer = export(page, "timeline.svg", agent="1", window="week")

    assert "Timeline · Agent a1a1a1a1" in answer.text


def test_a_report_is_one_pdf_with_a_page_for_each_chart(page):
    answer = export(page, "all.pdf", window="week", metric="agents")

    assert (answer.status_code, answer.content_type) == (200, "application/pdf")
    assert 'filename="activity-report-all-projects-2026-W47.pdf"' in str(answer.headers)
    report = pypdf.PdfReader(BytesIO(answer.data))
    assert [title in page.extract_text() for title, page in zip(TITLES, report.pages, strict=True)]
    assert [mark.title for mark in report.outline] == TITLES
    assert report.metadata.title == ("Activity · All projects · 16–22 Nov 2026 (week 47) · UTC")


def test_a_report_is_a_zip_of_pngs(page):
    answer = export(page, "all.zip", window="week")

    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    with ZipFile(BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{name}.png" for name in NAMES]
        pictures = {archive.read(name) for name in archive.namelist()}
    assert len(pictures) == len(NAMES)
    assert all(one.startswith(b"\x89PNG") for one in pictures)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("turns.gif", 400, "format: 'gif' is not allowed; expected png, svg or pdf"),
        ("nope.png", 400, "chart: 'nope' is not allowed; expected time, turns, turn-time, "),
        (
            "timeline.png",
            400,
            "chart: 'timeline' is not allowed; expected this chart only with exac",
        ),
        ("turns.png?window=year", 400, "window: 'year' is not allowed; expected day, week, "),
        ("turns.png?window=day&window=week", 400, "window: 'day, week' is not allowed; expected o"),
        ("turns.png?size=1", 400, "there is no parameter 'size'; there are window, "),
        ("turns.png?width=9", 400, "width: '9' is not allowed; expected a whole number from 300"),
        (
            "turns.png?on=2026-11-23",
            400,
            "on: '2026-11-23' is not allowed; expected a day up to 2026-11-22, today in UTC",
        ),
        ("turns.png?project=1,99", 404, "there is no project with id 99"),
        ("turns.png?agent=77", 404, "there is no agent with id 77"),
    ],
)
def test_what_cannot_be_drawn_is_an_error_that_says_why(page, path, status, words):
    answer = page.client.get(f"/activity/export/{path}")

    assert answer.status_code == status
    assert answer.get_json()["error"].startswith(words)
    assert answer.headers["Cache-Control"] == "no-cache"


def test_a_day_of_the_present_week_is_not_in_the_future(page):
    # It is Sunday; the week began on Monday and is not over in Samoa.
    query = {"window": "week", "tz": "Pacific/Pago_Pago", "on": "2026-11-22"}

    assert export(page, "turns.svg", **query).status_code == 200


def test_without_chrome_the_answer_says_what_is_missing(page, monkeypatch, open_page, empty_engine):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere")
    own = Renderer()
    try:
        answer = export(open_page(empty_engine, renderer=own), "turns.png")
    finally:
        own.close()

    assert answer.status_code == 501
    assert answer.get_json()["error"].startswith("pictures need Chrome or Chromium, and none was ")


def test_a_busy_server_asks_to_come_again(page, open_page, empty_engine):
    answer = export(open_page(empty_engine, renderer=Renderer(places=0)), "turns.png")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.get_json()["error"].endswith("try again in a moment")


def test_a_browser_that_fails_is_our_error_and_logged(page, open_page, empty_engine, caplog):
    own = Renderer(picture_seconds=0.001)
    try:
        answer = export(open_page(empty_engine, renderer=own), "turns.png")
    finally:
        own.close()

    words = "the picture could not be drawn: the browser took longer than 0.001 s"
    assert (answer.status_code, answer.get_json()) == (500, {"error": words})
    assert f"Export: {words}" in caplog.messages


def test_a_hosts_login_covers_it(empty_engine, now):
    host = Flask("host")
    host.config["ACTIVITY_JOBS"] = False

    def nobody(view):
        return lambda **_: ("Who are you?", 401)

    Activity(host, engine=empty_engine, clock=lambda: now, decorators=[nobody])

    answer = host.test_client().get("/activity/export/turns.png")

    assert (answer.status_code, answer.text) == (401, "Who are you?")
