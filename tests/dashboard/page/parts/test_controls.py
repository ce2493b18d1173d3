from __future__ import annotations

from dash import dcc

from dashboard.page import ids
from dashboard.page.parts.controls import controls, zone_options


def test_every_zone_of_the_world_can_be_chosen():
    zones = {option["value"] for option in zone_options()}

    assert zones >= {"UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York"}


def test_dashs_own_texts_are_in_sentence_case():
    dropdowns = [part for part in controls()._traverse() if isinstance(part, dcc.Dropdown)]

    assert [one.id for one in dropdowns] == [ids.PROJECT, ids.AGENT, ids.METRIC, ids.ZONE]
    for one in dropdowns:
        assert [text for text in one.labels.values() if text.lower()[1:] != text[1:]] == []
