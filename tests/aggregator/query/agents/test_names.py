from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from aggregator.errors import ParameterError, UnknownNameError
from aggregator.query.agents.names import find_ids

KNOWN = pd.DataFrame(
    {
        "project_id": [1, 2, 3, 4, 5, 6],
        "name": ["atlas", "Billing", "twin", "Twin", "42", "Am\u00e9lie"],
    }
)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (None, ()),
        ("ATLAS", (1,)),
        (["billing", "atlas", 1], (1, 2)),
        (2, (2,)),
        (np.int64(2), (2,)),
        (pd.Series([2, 1]), (1, 2)),
        ("3", (3,)),
        ("ame\u0301lie", (6,)),
        # A name comes before an id; an id need not be known here.
        ("42", (5,)),
        (99, (99,)),
    ],
)
def test_names_and_ids_are_found(wanted, ids):
    assert find_ids(wanted, KNOWN, "project") == ids


def test_a_name_of_nobody_is_an_error_that_lists_some():
    with pytest.raises(UnknownNameError) as error:
        find_ids("atals", KNOWN, "project")

    assert str(error.value) == (
        "there is no project named 'atals'; there are 42, Am\u00e9lie, atlas, Billing, Twin, twin"
    )
    with pytest.raises(UnknownNameError, match=r"there are no projects yet$"):
        find_ids("atlas", KNOWN[:0], "project")
    many = pd.DataFrame({"agent_id": range(30), "name": [f"a{number}" for number in range(30)]})
    with pytest.raises(UnknownNameError, match=r"a25, a26 …$"):
        find_ids("x", many, "agent")


def test_a_name_of_several_is_an_error_that_gives_their_ids():
    with pytest.raises(UnknownNameError) as error:
        find_ids("twin", KNOWN, "project")

    assert str(error.value) == ("several projects are named 'twin'; use one of their ids: 3, 4")


def test_a_choice_that_has_come_out_empty_does_not_mean_everybody():
    with pytest.raises(ParameterError, match=r"project: .* expected at least one, or None for all"):
        find_ids([], KNOWN, "project")


@pytest.mark.parametrize("wanted", [1.5, True, [None], object, b"ab"])
def test_what_is_neither_an_id_nor_a_name_is_refused(wanted):
    with pytest.raises(ParameterError, match=r"project: .* is not allowed; expected ids or names"):
        find_ids(wanted, KNOWN, "project")
