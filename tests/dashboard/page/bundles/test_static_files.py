from __future__ import annotations

import gzip
import re
from importlib.metadata import version
from pathlib import Path

import brotli
import pytest
from flask import Flask
from packaging.version import Version
from plotly.offline import get_plotlyjs_version

from aggregator.query.reader import MetricReader
from aggregator.shipped import shipped_folder
from dashboard.context import PageContext
from dashboard.page import mount
from dashboard.page.bundles.static_files import FOR_EVER

REQUIREMENTS = Path(__file__).parents[4] / "requirements" / "all.txt"
PLOTLY = shipped_folder("dashboard", "assets") / "plotly-activity.min.js"


def get(mounted, path, encoding="identity", **headers):
    with mounted.client.get(path, headers={"Accept-Encoding": encoding, **headers}) as response:
        response.get_data()
        return response


def files_of(mounted):
    return re.findall(r'(?:src|href)="([^"]+\.(?:js|css)[^"]*)"', get(mounted, "/activity/").text)


def test_plotly_is_of_the_version_that_python_draws_for():
    shipped = re.search(r"plotly\.js \(bar, scatter - minified\) v(\S+)", PLOTLY.read_text())[1]
    locked = f"plotly=={version('plotly')} " in REQUIREMENTS.read_text()

    # If not: make plotly. An older Plotly draws nothing that a newer one does not.
    assert Version(shipped) >= Version(get_plotlyjs_version())
    assert not locked or shipped == get_plotlyjs_version()


def test_every_file_of_the_page_may_be_kept_for_ever(engine, open_page):
    mounted = open_page(engine)

    retained = {get(mounted, name).headers["Cache-Control"] for name in files_of(mounted)}

    assert retained == {FOR_EVER} == {"public, max-age=31536000, immutable"}
    assert get(mounted, "/activity/").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/activity/assets/bundle.css",
        "/activity/assets/bundle.css?m=0123456789abcdef",
        "/activity/_dash-component-suites/dash/dcc/async-graph.js",
        "/activity/_dash-component-suites/dash/dcc/async-graph.v4_0_0m1700000000.js",
    ],
)
def test_a_file_by_another_name_is_asked_for_again_and_sent_once(engine, open_page, path):
    mounted = open_page(engine)
    # Dash knows of its files once it has named them.
    get(mounted, "/activity/")

    first = get(mounted, path, "br")
    again = get(mounted, path, "br", **{"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
    assert (again.status_code, again.data) == (304, b"")


def test_files_travel_compressed_for_those_who_can_read_it(engine, open_page):
    mounted, path = open_page(engine), "/activity/assets/plotly-activity.min.js"
    content = PLOTLY.read_bytes()

    best, good, plain = (get(mounted, path, encoding) for encoding in ("gzip, br", "gzip", ""))

    assert [answer.headers.get("Content-Encoding") for answer in (best, good, plain)] == [
        "br",
        "gzip",
        None,
    ]
    assert brotli.decompress(best.data) == gzip.decompress(good.data) == plain.data == content
    assert len(best.data) < 320_000
    assert {answer.headers["Vary"] for answer in (best, good, plain)} == {"Accept-Encoding"}


def test_the_colours_are_known_before_the_page_is_painted(engine, open_page):
    html = get(open_page(engine), "/activity/").text
    head, body = html.split("</head>")

    assert re.findall(r"assets/(bundle\.\w+)\?m=", head) == ["bundle.css", "bundle.js"]
    assert "bundle." not in body
    assert "dash_table/" not in html


def test_other_answers_of_the_host_are_left_alone(engine, now):
    server = Flask("host")
    mount.mount(server, MetricReader(engine), PageContext(30), now=lambda: now)
    server.add_url_rule("/assets/mine.js", "mine", lambda: "mine")

    answer = server.test_client().get("/assets/mine.js?m=1", headers={"Accept-Encoding": "br"})

    assert {"Cache-Control", "Content-Encoding", "ETag"} & set(answer.headers.keys()) == set()
