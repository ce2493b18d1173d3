from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("number", "text"), [(0, None), (1, "1"), (42, "42"), (99, "99"), (100, "99+"), (7000, "99+")]
)
def test_the_icon_has_the_number_of_those_who_wait(engine, open_page, number, text):
    response = open_page(engine).client.get(f"/activity/icon/{number}.svg")

    shown = ET.fromstring(response.data).findtext(f"{SVG}text")
    assert (response.mimetype, shown) == ("image/svg+xml", text)
