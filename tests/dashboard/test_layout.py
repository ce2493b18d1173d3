from __future__ import annotations

from dashboard import ids
from dashboard.context import PageContext
from dashboard.layout import build_layout

PUBLIC = {
    "window",
    "project",
    "agent",
    "card-turns",
    "card-turn-rate",
    "card-turn-time",
    "card-active-agents",
    "activity-chart",
    "projects",
    "empty",
}


def elements(context):
    layout = build_layout(context)
    return {part.id: part for part in layout._traverse() if getattr(part, "id", None)}


def test_every_public_element_is_there_before_the_first_answer():
    assert set(elements(PageContext(30))) >= PUBLIC


def test_every_id_has_a_constant():
    constants = {value for name, value in vars(ids).items() if name.isupper()}
    labels = {"project-value-count", "agent-value-count"}

    assert set(elements(PageContext(30))) - labels == constants


def test_the_window_can_be_a_day_a_week_or_a_month():
    window = elements(PageContext(30))[ids.WINDOW]

    assert [option["label"] for option in window.options] == ["Day", "Week", "Month"]
    assert window.value == "day"


def test_nothing_is_sent_elsewhere_from_the_chart():
    config = elements(PageContext(30))[ids.CHART].config

    assert config["showSendToCloud"] is False
    assert config["displaylogo"] is False
    assert config["modeBarButtons"] == [["toImage"]]


def test_demo_data_is_called_demo_data():
    def says_demo(context):
        return "Demo data" in str(build_layout(context))

    assert (says_demo(PageContext(30, demo=True)), says_demo(PageContext(30))) == (True, False)
