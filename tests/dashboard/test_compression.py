from __future__ import annotations

import gzip

import brotli
import pytest
from flask import Flask, Response
from sqlalchemy import create_engine

from dashboard import Activity
from dashboard.compression import SHORTEST, compressed

LONG = "words " * SHORTEST
DECODE = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
PAGE = ["/activity/", "/activity/_dash-layout", "/activity/_dash-dependencies"]
API = ["/api/metrics/openapi.json", "/api/metrics/"]


@pytest.fixture
def answer():
    """Compress an answer to a request with these headers."""

    def make(body=LONG, mimetype="text/plain", headers=None, **request):
        app = Flask("host")
        with app.test_request_context(headers={"Accept-Encoding": "br, gzip", **request}):
            return compressed(Response(body, mimetype=mimetype, headers=headers))

    return make


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_a_text_is_sent_as_the_client_prefers(answer, accepted, encoding):
    sent = answer(**{"Accept-Encoding": accepted})

    assert sent.headers.get("Content-Encoding") == encoding
    assert sent.headers["Vary"] == "Accept-Encoding"
    assert DECODE[encoding](sent.get_data()).decode() == LONG
    assert int(sent.headers["Content-Length"]) == len(sent.get_data())


@pytest.mark.parametrize(
    ("body", "mimetype", "headers"),
    [
        ("short", "text/plain", {}),
        (LONG, "image/png", {}),
        (LONG, "text/plain", {"Content-Encoding": "gzip"}),
        (LONG, "text/plain", {"Cache-Control": "no-transform"}),
        (iter([LONG]), "text/plain", {}),
    ],
)
def test_other_answers_are_left_as_they_are(answer, body, mimetype, headers):
    assert answer(body, mimetype, headers).headers.get("Content-Encoding") == headers.get(
        "Content-Encoding"
    )


def test_a_tag_that_stands_for_two_contents_is_weak(answer):
    assert answer(headers={"ETag": '"abc"'}).headers["ETag"] == 'W/"abc"'


@pytest.mark.parametrize("path", PAGE + API)
def test_a_host_that_compresses_nothing_sends_our_answers_compressed_and_its_own_as_they_are(path):
    app = Flask("host")
    app.config["ACTIVITY_JOBS"] = False
    Activity(app, engine=create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"))
    app.add_url_rule("/own", view_func=lambda: LONG)
    client = app.test_client()

    ours = client.get(path, headers={"Accept-Encoding": "br"})
    own = client.get("/own", headers={"Accept-Encoding": "br"})

    assert (ours.status_code, ours.headers["Content-Encoding"]) == (200, "br")
    assert "Content-Encoding" not in own.headers
