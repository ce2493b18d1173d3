from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from dashboard.charts.palette import DARK, LIGHT
from dashboard.charts.stack import COLOURS, PROJECTS_APART, slots_of, stack_projects

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


def test_the_busiest_have_their_own_and_the_rest_are_one(overview):
    turns = [(project, at(9), 1000 // project) for project in range(1, 21)]

    found = stack_projects(overview(project_buckets=turns), NAMES)

    named = [f"p{project}" for project in range(1, PROJECTS_APART + 1)]
    assert [one.name for one in found] == [*named, "10 others"]
    assert (found[-1].project_id, found[-1].slot) == (None, None)
    assert found[-1].turns.to_dict() == {at(9): sum(1000 // one for one in range(11, 21))}


def test_the_others_together_are_not_the_largest_part(overview):
    turns = [(project, at(9), 100 - project) for project in range(1, 21)]

    found = stack_projects(overview(project_buckets=turns), NAMES)

    assert [one.name for one in found] == [f"p{project}" for project in range(1, 21)]


def test_a_project_has_one_colour_whoever_else_is_shown(overview):
    day = [(3, at(9), 1), (3 + COLOURS, at(9), 5), (40, at(9), 2)]
    everybody = (3, 3 + COLOURS, 40, 41)

    few = stack_projects(overview(project_buckets=day[1:], project_ids=everybody), {})
    all_three = stack_projects(overview(project_buckets=day, project_ids=everybody), {})

    # 27 would have the colour of 3, and has the next one.
    assert [(one.project_id, one.slot) for one in few] == [(27, 3), (40, 15)]
    assert [(one.project_id, one.slot) for one in all_three] == [(27, 3), (40, 15), (3, 2)]


def test_of_more_projects_than_colours_two_of_one_colour_are_not_shown_apart(overview):
    everybody = tuple(range(1, COLOURS + 4))
    day = [(3, at(9), 1), (3 + COLOURS, at(9), 5), (2, at(9), 2)]

    found = stack_projects(overview(project_buckets=day, project_ids=everybody), {})

    assert [(one.name, one.slot) for one in found] == [
        ("project 27", 2),
        ("project 2", 1),
        ("1 other", None),
    ]


@given(st.sets(st.integers(1, 500), min_size=1, max_size=80), st.integers(501, 600))
def test_a_new_project_changes_no_colour_and_as_many_as_there_are_colours_differ(ids, new):
    slots = slots_of(ids)

    assert slots_of({*ids, new}).items() >= slots.items()
    in_order = [slots[project] for project in sorted(ids)]
    for start in range(0, len(in_order), COLOURS):
        some = in_order[start : start + COLOURS]
        assert len(set(some)) == len(some)


def test_every_slot_has_a_colour():
    assert {len(LIGHT.projects), len(DARK.projects)} == {COLOURS}
