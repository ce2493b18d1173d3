from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from dashboard.command_line.now import fit, now_lines

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
COLUMNS = ("state", "minutes", "project", "name", "reason", "tool", "is_long")


def lines(*rows):
    states = pd.DataFrame(rows, columns=COLUMNS)
    since = [NOW - timedelta(minutes=minutes) for minutes in states.pop("minutes")]
    return list(now_lines(states.assign(since=pd.to_datetime(since, utc=True)), NOW))


def test_who_waits_is_listed_with_the_reason_who_works_and_a_count_of_the_rest():
    assert lines(
        ("waiting", 95, "alpha", "fix/clock", "turn done", "", True),
        ("waiting", 2, "beta", "a\x1b[31m", "permission", "Edit", False),
        ("working", 0.2, "beta", "b2", "person", "", False),
        ("idle", 900, "beta", "b3", "nothing to do", "", False),
        ("idle", 901, "beta", "b4", "nothing to do", "", False),
    ) == [
        "2 waiting for you, 1 for more than 30 min",
        "    1 h 35 min  alpha  fix/clock  turn done",
        r"         2 min  beta  a\x1b[31m  needs a permission: Edit",
        "1 working",
        "          12 s  beta  b2",
        "2 idle",
    ]


def test_an_empty_list_says_so():
    assert lines() == ["0 waiting for you"]


def test_a_terminal_keeps_the_first_lines_and_the_starts_of_long_ones():
    text = "3 waiting for you\n  1 min  日本語  a\n  2 min  beta  b\n  3 min  beta  c\n1 idle"

    assert fit(text, 80, 6) == text
    assert fit(text, 12, 5) == "3 waiting f…\n  1 min  日…\n  2 min  be…\n… 2 more li…"
    assert fit(text, 17, 1) == "3 waiting for you\n… 4 more lines"
