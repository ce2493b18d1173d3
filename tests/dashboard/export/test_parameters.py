from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from aggregator.errors import ActivityError
from dashboard.export.parameters import Export, read_export, read_name
from dashboard.pictures.picture import REPORT, PictureSize, Subject
from dashboard.selection.view import View

BOUNDS = {"width": "1200.5", "height": "199", "scale": "4.5"}


def read(chart="turns", kind="png", bundle=None, **raw):
    return read_export(chart, kind, bundle, {name.rstrip("_"): text for name, text in raw.items()})


def test_without_parameters_it_is_the_page_as_it_opens():
    assert read() == Export(View(), "turns", "png", None, PictureSize(1200, 500, 2), "light")


def test_the_parameters_of_the_page_mean_what_they_mean_there():
    export = read(
        window="week",
        on="2026-11-16",
        tz="Europe/Berlin",
        project="3,5",
        agent="7",
        metric="agents",
    )

    assert export.view == View(
        window="week",
        on=date(2026, 11, 16),
        zone="Europe/Berlin",
        projects=(3, 5),
        agents=(7,),
        metric="agents",
    )
    assert read(people="agents", sort="-turns", open="none", everyone="yes").chart == "turns"


def test_steps_and_an_hour_need_a_day_or_24_hours():
    hour = datetime(2026, 11, 16, 13, tzinfo=UTC)
    view = read(on="2026-11-16", step="5min", hour="2026-11-16T14:30+01:00").view

    assert view == View("day", on=date(2026, 11, 16), step="5min", hour=hour)
    for name, text in (("step", "5min"), ("hour", "2026-11-16T13:00Z")):
        with pytest.raises(ActivityError) as error:
            read(window="week", **{name: text})
        assert str(error.value) == f"{name} needs window=day or last-24-hours"


def test_days_from_to_are_a_custom_window():
    view = read(window="custom", from_="2026-11-02", to="2026-11-08").view

    assert (view.first, view.last) == (date(2026, 11, 2), date(2026, 11, 8))


def test_a_picture_of_vectors_has_no_pixels_to_double():
    assert (read(kind="png").size.scale, read(kind="svg").size.scale) == (2, 1)
    assert read(kind="pdf", scale="1.5", width="300", height="4000").size == PictureSize(
        300, 4000, 1.5
    )


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("turn-time.svg", ("turn-time", "svg", None)),
        ("pattern.pdf", ("pattern", "pdf", None)),
        ("all.pdf", ("all", "pdf", "pdf")),
        ("all.zip", ("all", "png", "zip")),
    ],
)
def test_a_file_name_says_what_is_drawn(name, meaning):
    assert read_name(name) == meaning


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "nope.png",
            "chart: 'nope' is not allowed; expected time, turns, turn-time, agents, agents-",
        ),
        ("turns", "format: '' is not allowed; expected png, svg or pdf"),
        ("turns.jpg", "format: 'jpg' is not allowed; expected png, svg or pdf"),
        ("turns.zip", "format: 'zip' is not allowed; expected png, svg or pdf"),
        ("all.png", "format: 'png' is not allowed; expected pdf or zip"),
        (".png", "chart: '' is not allowed"),
    ],
)
def test_a_file_that_does_not_exist_is_refused(name, words):
    with pytest.raises(ActivityError) as refusal:
        read_name(name)

    assert str(refusal.value).startswith(words)


def test_only_the_pattern_looks_at_the_metric():
    assert read("pattern", metric="agents").subjects == (Subject("agents", pattern=True),)
    assert read("pattern").subjects == (Subject("working", pattern=True),)
    assert read("pattern", pattern="waiting").subjects == (Subject("waiting", pattern=True),)
    assert read("turns", metric="agents").subjects == (Subject("turns"),)
    assert read("all", metric="agents").subjects == REPORT


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"colour": "red"}, "there is no parameter 'colour'; there are window, on, until, from, "),
        ({"window": "year"}, "window: 'year' is not allowed; expected day, week, month, last-24"),
        ({"window": ""}, "window: '' is not allowed; expected day, week, month, last-24-h"),
        ({"on": "today"}, "on: 'today' is not allowed; expected a day such as 2026-11-16"),
        ({"tz": "Mars"}, "tz: 'Mars' is not allowed; expected a time zone such as Europe/Berlin"),
        ({"project": "x"}, "project: 'x' is not allowed; expected whole numbers separated by"),
        ({"agent": "1,,2"}, "agent: '1,,2' is not allowed; expected whole numbers separated by"),
        ({"metric": "x"}, "metric: 'x' is not allowed; expected time, turns, turn-time or agents"),
        ({"people": "x"}, "people: 'x' is not allowed; expected projects or agents"),
        ({"window": "custom"}, "window=custom needs from and to"),
        ({"from": "2026-11-02"}, "from needs window=custom"),
        ({"window": "day", "until": "2026-11-02T09:00Z"}, "until needs window=last-24-hours"),
        ({"until": "2026-11-02T09:00"}, "until: '2026-11-02T09:00' is not allowed; expected an i"),
        (
            {"window": "last-24-hours", "on": "2026-11-02"},
            "on cannot be combined with window=last-24-hours",
        ),
        ({"window": "week", "to": "2026-11-02"}, "to needs window=custom"),
        (
            {"window": "custom", "from": "2026-11-08", "to": "2026-11-02"},
            "from: '2026-11-08 to 2026-11-02' is not allowed; expected a first day and a last one",
        ),
        (
            {"window": "custom", "from": "2026-11-02", "to": "2026-11-08", "on": "2026-11-03"},
            "on cannot be combined with window=custom",
        ),
        ({"theme": "blue"}, "theme: 'blue' is not allowed; expected light or dark"),
        ({"width": "299"}, "width: '299' is not allowed; expected a whole number from 300 to 4000"),
        ({"width": "1e3"}, "width: '1e3' is not allowed; expected a whole number from 300 to 4000"),
        ({"width": "٣٠٠"}, "width: '٣٠٠' is not allowed; expected a whole number from 300 to 4000"),
        ({"height": ""}, "height: '' is not allowed; expected a whole number from 200 to 4000"),
        ({"height": "4001"}, "height: '4001' is not allowed; expected a whole number from 200 to"),
        ({"scale": "0.5"}, "scale: '0.5' is not allowed; expected a number from 1 to 4"),
        ({"scale": "nan"}, "scale: 'nan' is not allowed; expected a number from 1 to 4"),
        (
            {"width": "4000", "height": "4000"},
            "scale: '2' is not allowed; expected at most 32 million pixels: width × height × scale",
        ),
    ],
)
def test_what_is_not_meant_is_refused(raw, words):
    with pytest.raises(ActivityError) as refusal:
        read_export("turns", "png", None, raw)

    assert str(refusal.value).startswith(words)
