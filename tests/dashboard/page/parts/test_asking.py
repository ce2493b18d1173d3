from __future__ import annotations

import pandas as pd
import pytest

from aggregator.query.intervals import ASKING_DTYPES
from aggregator.query.response_times import ReactionTimes, Times
from dashboard.page.parts.asking import MOST_ROWS, asking, reaction


def asked(*rows):
    """Blocked time: project, tool, mode, calls, seconds."""
    return pd.DataFrame(rows, columns=list(ASKING_DTYPES)).astype(ASKING_DTYPES)


@pytest.fixture
def told(overview, texts):
    """Return the rows of the table as texts, with plain blanks."""

    def tell(rows):
        [content] = asking(overview(asking=rows))
        table = content.children if isinstance(content.children, list) else []
        lines = [row for part in table for row in _rows(part)]
        return [texts(row).replace("\u202f", " ") for row in lines] or texts(content)

    return tell


def _rows(part):
    return part.children if isinstance(part.children, list) else [part.children]


def test_tools_and_modes_are_added_up_over_projects_most_time_first(told):
    rows = asked(
        (1, "Edit", "default", 3, 600.0),
        (2, "Bash", "default", 1, 900.0),
        (2, "Edit", "default", 2, 500.0),
        (1, None, None, 1, 0.0),
    )

    assert told(rows) == [
        "Tool Permission mode Calls Blocked Share",
        "Edit default 5 18 min 20 s 55 %",
        "Bash default 1 15 min 45 %",
        "unknown – 1 0 s 0 %",
    ]


def test_of_many_the_rest_is_one_row(told):
    rows = asked(*((1, f"Tool{number}", "default", 1, 10.0) for number in range(12)))

    lines = told(rows)

    assert len(lines) == 1 + MOST_ROWS
    assert lines[-1] == "5 others – 5 50 s 42 %"


def test_where_nobody_was_asked_a_sentence_says_so(told):
    assert told(asked()) == "No agent was blocked in this period."


def test_the_viewer_is_told_how_fast_they_reacted(overview):
    times = Times(reactions=ReactionTimes(34, 80.0, 840.0))

    assert reaction(overview(times=times)) == (
        "You reacted after 1 min 20 s (p50), 14 min (p90), 34 times."
    )
    assert reaction(overview()) == ""
