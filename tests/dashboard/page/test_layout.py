from __future__ import annotations

from dashboard.context import PageContext
from dashboard.page import ids
from dashboard.page.layout import build_layout

PUBLIC = {
    "window",
    "project",
    "agent",
    "card-turns",
    "card-turn-rate",
    "card-turn-time",
    "card-active-agents",
    "card-working",
    "card-waiting",
    "card-response-time",
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
    labels = {f"{name}-label" for name in ("project", "agent", "metric", "zone")}

    # The picker of a custom period comes with the first of them.
    assert set(elements(PageContext(30))) - labels == constants - {ids.RANGE}


def test_the_period_can_be_24_hours_a_day_a_week_a_month_or_any_days(texts):
    window = elements(PageContext(30))[ids.WINDOW]

    assert [texts(option["label"]) for option in window.options] == [
        "Last 24 hours",
        "Day",
        "Week",
        "Month",
        "Custom",
    ]
    assert window.value == "last-24-hours"


def test_nothing_is_sent_elsewhere_from_the_charts():
    page = elements(PageContext(30))

    for chart in (ids.CHART, ids.WORK, ids.TIMELINE, ids.PATTERN, ids.CAPACITY):
        assert page[chart].config == {"displayModeBar": False, "showSendToCloud": False}


def test_demo_data_is_called_demo_data():
    def says_demo(context):
        return "Demo data" in str(build_layout(context))

    assert (says_demo(PageContext(30, demo=True)), says_demo(PageContext(30))) == (True, False)
