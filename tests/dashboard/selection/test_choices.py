from __future__ import annotations

import pandas as pd
import pytest

from dashboard.selection.choices import Choices
from dashboard.selection.view import View

CHOICES = Choices(
    pd.DataFrame({"project_id": [1, 2], "name": ["atlas", "infra"]}),
    pd.DataFrame(
        {"agent_id": [9, 8, 7], "project_id": [2, 1, 1], "name": ["ninth", "eighth", "seventh"]}
    ),
)


def labels(options):
    return [option["label"] for option in options]


def test_agents_are_those_of_the_chosen_projects():
    assert labels(CHOICES.agent_options(View())) == [
        "ninth · infra",
        "eighth · atlas",
        "seventh · atlas",
    ]
    assert labels(CHOICES.agent_options(View(projects=(1,)))) == ["eighth", "seventh"]
    assert labels(CHOICES.agent_options(View(projects=(1, 2))))[0] == "ninth · infra"


def test_a_choice_that_lost_its_metrics_is_still_offered():
    assert CHOICES.project_options(View(projects=(5,)))[0] == {"label": "Project 5", "value": 5}
    assert CHOICES.agent_options(View(agents=(5, 7)))[0] == {"label": "Agent 5", "value": 5}


def test_agents_bring_their_projects_along():
    assert CHOICES.consistent(View(projects=(2,), agents=(7, 9))).projects == (1, 2)
    assert CHOICES.consistent(View(agents=(7,))).projects == ()


def test_other_projects_drop_the_agents_that_are_not_theirs():
    assert CHOICES.cascaded(View(projects=(2,), agents=(7, 9))).agents == (9,)
    assert CHOICES.cascaded(View(agents=(7,))).agents == (7,)


@pytest.mark.parametrize(
    ("view", "name"),
    [
        (View(), "All projects"),
        (View(projects=(1,)), "Project atlas"),
        (View(projects=(1, 2)), "2 projects"),
        (View(projects=(1,), agents=(7,)), "Agent seventh"),
        (View(agents=(7, 8, 9)), "3 agents"),
        (View(agents=(99,)), "Agent 99"),
    ],
)
def test_a_scope_has_a_name(view, name):
    assert CHOICES.scope_name(view) == name
