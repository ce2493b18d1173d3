from __future__ import annotations

from datetime import UTC, datetime

from dashboard.charts.stack import colours_of_projects, stack_projects

NAMES = {project: f"p{project}" for project in range(1, 21)}


def at(hour: int) -> datetime:
    return datetime(2026, 11, 22, hour, tzinfo=UTC)


def test_one_project_needs_no_layers(overview):
    assert stack_projects(overview(project_buckets=[(1, at(9), 5), (1, at(10), 2)]), NAMES) == []
    assert stack_projects(overview(), NAMES) == []


def test_layers_are_the_busiest_first(overview):
    turns = [(1, at(9), 2), (2, at(9), 3), (2, at(10), 4)]

    found = stack_projects(overview(project_buckets=turns), NAMES)

    assert [(one.name, one.project_id, one.slot) for one in found] == [
        ("p2", 2, 1),
        ("p1", 1, 0),
    ]
    assert [one.turns.to_dict() for one in found] == [{at(9): 3, at(10): 4}, {at(9): 2}]


def test_the_six_busiest_have_their_own_and_the_rest_are_one(overview):
    turns = [(project, at(9), 100 - project) for project in range(1, 21)]

    found = stack_projects(overview(project_buckets=turns), NAMES)

    assert [one.name for one in found] == ["p1", "p2", "p3", "p4", "p5", "p6", "14 others"]
    assert (found[-1].project_id, found[-1].slot) == (None, None)
    assert found[-1].turns.to_dict() == {at(9): sum(100 - one for one in range(7, 21))}


def test_a_single_rest_has_its_name(overview):
    turns = [(project, at(9), 100 - project) for project in range(1, 8)]

    last = stack_projects(overview(project_buckets=turns), {7: "small"})[-1]

    assert (last.name, last.project_id, last.slot) == ("small", 7, None)


def test_a_project_keeps_its_colour_whoever_else_is_shown():
    assert colours_of_projects([4, 2, 5]) == {4: 3, 2: 1, 5: 4}
    assert colours_of_projects([5, 4]) == {5: 4, 4: 3}
    # Project 8 has the colour of project 2 as its first choice, but 2 is busier.
    assert colours_of_projects([2, 8, 3]) == {2: 1, 8: 2, 3: 3}
