"""The layout, as a browser gets it: with the first answer in it."""

from __future__ import annotations

import json

import pytest

BERLIN = {"X-Activity-Zone": "Europe/Berlin", "X-Activity-Scheme": "dark"}


def elements(part):
    """Map the properties of every element with an id, in a layout as JSON."""
    if isinstance(part, list):
        return {name: props for item in part for name, props in elements(item).items()}
    props = part.get("props", {}) if isinstance(part, dict) else {}
    own = {props["id"]: props} if "id" in props else {}
    return {**own, **elements(props.get("children") or [])} if props else {}


@pytest.fixture
def ask(engine, open_page):
    page = open_page(engine)

    def ask(search="", **headers):
        return page.client.get(f"/activity/_dash-layout{search}", headers=headers)

    return page, ask


@pytest.mark.parametrize("search", ["", "?window=week&tz=Asia/Kolkata", "?window=custom"])
def test_a_layout_has_what_the_callback_would_answer(ask, search):
    page, layout = ask
    viewer = {"zone": "Europe/Berlin", "scheme": "dark"}

    filled = elements(layout(search, **BERLIN).get_json())

    answer = page.update(**{"url.search": search, "viewer": viewer})
    given = {
        (name, prop): filled[name].get(prop) for name, props in answer.items() for prop in props
    }
    assert given == {
        (name, prop): value for name, props in answer.items() for prop, value in props.items()
    }
    assert filled["viewer"]["data"] == viewer


def test_the_address_is_as_the_browser_has_it(ask):
    _, layout = ask

    # Another one would be a change, and a change another request.
    for search in ("", "?tz=Europe%2FBerlin&window=week", "?agent=99&window=week&x=%C3%BC"):
        assert elements(layout(search).get_json())["url"]["search"] == search


def test_an_address_that_is_too_long_is_refused(ask):
    _, layout = ask

    assert layout(f"?window={'x' * 33_000}").status_code == 414


def test_the_page_has_the_callbacks_that_dash_would_ask_for(ask):
    page, _ = ask
    html = page.client.get("/activity/").text

    data = html.split('<script id="activity-callbacks" type="application/json">')[1]
    callbacks = page.client.get("/activity/_dash-dependencies").text
    assert json.loads(data.split("</script>")[0]) == json.loads(callbacks)
