from __future__ import annotations

import json
import re

import pytest
from dash import Dash, Input, Output, callback, dcc, get_app, get_relative_path, html
from flask import Flask, url_for
from jinja2 import DictLoader

from aggregator.query.reader import MetricReader
from dashboard.context import PageContext
from dashboard.host.extension import Activity
from dashboard.page import mount


def get(mounted, path, **options):
    # Closed at once, together with the file that some answers stream.
    with mounted.client.get(path, **options) as response:
        response.get_data()
        return response


@pytest.mark.parametrize("path", ["/activity", "/activity/"])
def test_the_page_answers_with_and_without_a_slash(engine, open_page, path):
    response = get(open_page(engine), path)

    assert response.status_code == 200
    assert '<div id="react-entry-point">' in response.text
    assert "<noscript>This page needs JavaScript.</noscript>" in response.text


def test_the_standalone_page_has_a_header_that_marks_where_one_is(engine):
    server = Flask("host")
    server.config["ACTIVITY_JOBS"] = False
    Activity(server, engine=engine, template=mount.STANDALONE_TEMPLATE)

    html = server.test_client().get("/activity/").text

    assert "<title>Activity · headspace-activity</title>" in html
    assert re.findall(r'<a href="([^"]+)"\s+aria-current="page">(\w+)</a>', html) == [
        ("/activity/", "Activity")
    ]
    assert '<a href="/api/metrics/">API</a>' in html


def test_a_host_may_surround_the_page_with_its_own_template(engine, now):
    server = Flask("host")
    server.jinja_loader = DictLoader(
        {
            "base.html": "<html><head>{% block head %}{% endblock %}</head>"
            "<body><nav>My host</nav>{% block main %}{% endblock %}</body></html>",
            "mine.html": '{% extends "base.html" %}{% block head %}{{ activity.head }}'
            "{% endblock %}{% block main %}{{ activity.body }}{% endblock %}",
        }
    )
    mount.mount(
        server, MetricReader(engine), PageContext(30), now=lambda: now, template="mine.html"
    )

    html = server.test_client().get("/activity/").text

    assert "<nav>My host</nav>" in html
    assert "headspace-activity" not in html
    assert '<link rel="stylesheet" href="/activity/assets/bundle.css?m=' in html


def test_without_a_template_there_is_the_page_and_nothing_else(engine, open_page):
    html = get(open_page(engine, template=None), "/activity/").text

    assert "<title>Activity</title>" in html
    assert "<header" not in html


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "a/b",
        "assets/none.js",
        "_dash-component-suites/dash/none.js",
        "_dash-component-suites/os/none.js",
    ],
)
def test_what_is_not_there_is_not_found(engine, open_page, path, method):
    with open_page(engine).client.open(f"/activity/{path}", method=method) as response:
        assert response.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "_dash-layout",
        "_dash-dependencies",
        "icon/0.svg",
        "assets/bundle.css",
        "assets/bundle.js",
        "assets/plotly-activity.min.js",
    ],
)
def test_what_the_page_needs_is_there(engine, open_page, path):
    assert get(open_page(engine), f"/activity/{path}").status_code == 200


def test_all_scripts_come_from_this_server(engine, open_page):
    mounted = open_page(engine)
    html = get(mounted, "/activity/").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)

    assert [source for source in sources if not source.startswith("/")] == []
    own = [source for source in sources if "/api/" not in source]
    assert {get(mounted, source).status_code for source in own} == {200}
    assert len(own) == len(set(own))


def test_nothing_is_inline_but_data(engine, open_page):
    html = get(open_page(engine), "/activity/").text

    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", html)
    inline = [attributes for attributes, text in scripts if text]
    assert inline == [
        ' id="activity-host" type="application/json"',
        ' id="activity-callbacks" type="application/json"',
        ' id="_dash-config" type="application/json"',
    ]
    assert re.findall(r"<style|\bstyle=|\bon\w+=", html) == []
    # Starts Dash, which would do so inline.
    assert '<activity-start id="_dash-renderer" hidden></activity-start>' in html


def test_scripts_and_style_sheets_carry_the_nonce_that_templates_have(engine, now):
    server = Flask("host")
    server.jinja_env.globals["csp_nonce"] = lambda: "abc"
    mount.mount(server, MetricReader(engine), PageContext(30), now=lambda: now)

    html = server.test_client().get("/activity/").text

    tags = re.findall(r"<script [^>]*src=[^>]*>|<link rel=\"stylesheet\"[^>]*>", html)
    assert [tag for tag in tags if 'nonce="abc"' not in tag] == []


def test_a_page_is_not_kept_by_the_browser(engine, open_page):
    assert get(open_page(engine), "/activity/").headers["Cache-Control"] == "no-store"


def test_prefixes_that_the_environment_gives_dash_are_not_ours(engine, open_page, monkeypatch):
    monkeypatch.setenv("DASH_REQUESTS_PATHNAME_PREFIX", "/other/")

    html = get(open_page(engine), "/activity/").text

    assert '"/other/' not in html


def test_a_dash_app_of_the_host_keeps_what_is_its_own(engine, open_page):
    theirs = Dash("theirs", server=Flask("theirs"), url_base_pathname="/theirs/")
    theirs.layout = html.Div([dcc.Input(id="in"), html.Div(id="out")])

    @callback(Output("out", "children"), Input("in", "value"))
    def echo(value):
        return value

    ours = open_page(engine)
    get(ours, "/activity/")

    client = theirs.server.test_client()
    outputs = [item["output"] for item in client.get("/theirs/_dash-dependencies").get_json()]
    assert outputs == ["out.children"]
    assert get_app() is theirs
    assert get_relative_path("/x") == "/theirs/x"
    dependencies = ours.client.get("/activity/_dash-dependencies").get_json()
    assert "out.children" not in [item["output"] for item in dependencies]


def test_behind_a_prefix_all_addresses_have_it(engine, open_page):
    html = get(open_page(engine), "/activity/", environ_overrides={"SCRIPT_NAME": "/tools"}).text

    local = re.findall(r'(?:src|href)="(/[^"]*)"', html)
    assert [address for address in local if not address.startswith("/tools/")] == []
    config = re.search(r'<script id="_dash-config" type="application/json">(.*?)</script>', html)
    assert json.loads(config[1])["requests_pathname_prefix"] == "/tools/activity/"


def test_the_page_may_be_elsewhere(engine, open_page):
    mounted = open_page(engine, url_prefix="/insights/activity")

    assert get(mounted, "/insights/activity/").status_code == 200
    assert get(mounted, "/insights/activity/_dash-layout").status_code == 200
    assert get(mounted, "/activity/").status_code == 404


def test_hosts_link_to_the_page_by_its_endpoint(engine, now):
    server = Flask("host")
    mount.mount(server, MetricReader(engine), PageContext(30), now=lambda: now)

    with server.test_request_context():
        assert url_for("activity.activity_page") == "/activity/"


def test_two_servers_in_one_process_have_a_page_each(engine, open_page):
    first, second = open_page(engine), open_page(engine)

    assert first.update()["view"] == second.update()["view"]
