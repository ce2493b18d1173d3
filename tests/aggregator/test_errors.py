from __future__ import annotations

import pytest

from aggregator.errors import LONGEST_VALUE, ParameterError, UnknownScopeError, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain — ünïcode 🐙", "plain — ünïcode 🐙"),
        ("a\nINFO fake: all good\x1b[31m", r"a\nINFO fake: all good\x1b[31m"),
        ("right\u202eto left\u200b", r"right\u202eto left\u200b"),
        ("\ud800 and \udce9", r"\ud800 and \udce9"),
        ("\u2028\x00\x7f", r"\u2028\x00\x7f"),
    ],
)
def test_what_a_terminal_could_obey_is_escaped(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize("value", ["x" * 10**6, [["y" * 1000] * 9] * 9, {1: "z" * 10**6}])
def test_an_error_does_not_repeat_a_long_value(value):
    message = str(ParameterError("name", value, "less"))

    assert len(message) < LONGEST_VALUE + 60
    assert message.endswith(" is not allowed; expected less")


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([7], "there is no agent with id 7"),
        ([7, 9], "there are no agents with ids 7 and 9"),
        (
            range(1, 501),
            "there are no agents with ids 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, "
            "17, 18, 19, 20 and 480 more",
        ),
    ],
)
def test_unknown_ids_are_named_in_one_sentence(ids, message):
    assert str(UnknownScopeError("agent", *ids)) == message
