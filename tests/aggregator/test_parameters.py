from __future__ import annotations

import pytest

from aggregator.errors import ParameterError
from aggregator.parameters import one_of


@pytest.mark.parametrize(
    ("allowed", "shown"),
    [(("day",), "day"), (("day", "week"), "day or week"), (("a", "b", "c"), "a, b or c")],
)
def test_what_is_not_allowed_is_an_error_that_lists_what_is(allowed, shown):
    assert [one_of("window", each, allowed) for each in allowed] == list(allowed)

    with pytest.raises(ParameterError) as error:
        one_of("window", "year", allowed)

    assert str(error.value) == f"window: 'year' is not allowed; expected {shown}"
