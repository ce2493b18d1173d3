from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from aggregator.query.agents.now import in_order
from dashboard.page.parts.now_strip import now_strip, resume_command, strip_rows

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def states(*rows, at=NOW):
    """States in their order: (state, minutes, reason, tool), with agents numbered from 1."""
    frame = pd.DataFrame(rows, columns=["state", "minutes", "reason", "tool"])
    since = [NOW - timedelta(minutes=minutes) for minutes in frame.pop("minutes")]
    numbers = range(1, len(rows) + 1)
    return in_order(
        frame.assign(
            agent_id=list(numbers),
            since=pd.to_datetime(since, utc=True),
            name=[f"<b>{number}" for number in numbers],
            project="alpha",
            session_id="s1",
            cwd="/code/a b",
        ),
        at,
    )


def waiting(count, minutes=1):
    return [("waiting", minutes + number, "turn done", "") for number in range(count)]


def text(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_those_who_wait_come_first_with_their_reason_then_who_works_then_counts():
    found = now_strip(
        states(
            ("working", 3, "person", ""),
            ("waiting", 2, "permission", "Edit"),
            ("waiting", 9, "turn done", ""),
            ("idle", 900, "nothing to do", ""),
            ("limited", 50, "usage limit", ""),
        ),
        resumable=False,
    )

    assert text(found["html"]) == (
        "Waiting for you 2 alpha &lt;b&gt;3 turn done alpha &lt;b&gt;2 needs a permission: Edit "
        "Working 1 alpha &lt;b&gt;1 1 limited 1 idle"
    )
    assert found["waiting"] == 2
    assert re.findall(r'href="([^"]+)"', found["html"]) == [
        "?agent=3", "?agent=2", "?agent=1", "?agent=5", "?agent=4",
    ]  # fmt: skip


def test_many_are_folded_and_so_are_long_waits():
    rows = [*waiting(17), *waiting(3, minutes=60)]

    found = now_strip(states(*rows), resumable=False)

    # The width decides which of the first two is in sight.
    [folds] = re.findall(r'<div class="activity-now-folds">(.*?)<ul>', found["html"], re.DOTALL)
    assert re.findall(r">([^<>\n]+)<", folds) == ["12 more", "14 more", "3 for longer than 30 min"]
    assert (found["waiting"], strip_rows(states(*rows))) == (
        20,
        {"--rows": 6, "--entries-narrow": 3, "--rows-narrow": 2},
    )


def in_sight(html, folded):
    [listed] = re.findall(r'<ul class="activity-now-listed">(.*?)</ul>', html, re.DOTALL)[:1]
    entries = re.findall(r'<li class="(activity-now-entry[^"]*)"', listed)
    return sum(folded not in entry.split() for entry in entries)


@pytest.mark.parametrize(
    ("listed", "wide", "narrow"), [(3, 3, 3), (4, 4, 4), (5, 5, 3), (6, 6, 3), (7, 5, 3)]
)
def test_a_single_one_is_never_folded_away(listed, wide, narrow):
    html = now_strip(states(*waiting(listed)), resumable=False)["html"]

    assert (in_sight(html, "is-folded"), in_sight(html, "is-folded-narrow")) == (wide, narrow)
    assert ">1 more<" not in html


OTHERS = [(state, 900, "", "") for state in ("stalled", "limited", "background", "idle", "unknown")]


@pytest.mark.parametrize(
    ("rows", "wide", "entries", "narrow"),
    [
        pytest.param([], 1, 0, 2, id="nobody"),
        pytest.param(OTHERS[:1], 2, 0, 3, id="nobody, and a count below it"),
        pytest.param(OTHERS, 2, 0, 4, id="on a phone counts need two rows"),
        pytest.param(waiting(5), 5, 3, 2, id="folded on a phone only"),
        pytest.param(waiting(4), 4, 4, 1, id="a single one more is in sight"),
        pytest.param(waiting(3, minutes=60), 1, 0, 2, id="all wait for long"),
        pytest.param([("working", 3, "", "")] * 7, 6, 0, 4, id="many work"),
        pytest.param(
            [("working", 3, "", "")] * 7 + OTHERS[:2], 7, 0, 5, id="many work, and counts below"
        ),
    ],
)
def test_the_height_of_the_strip_is_known_before_it_is_drawn(rows, wide, entries, narrow):
    assert strip_rows(states(*rows)) == {
        "--rows": wide,
        "--entries-narrow": entries,
        "--rows-narrow": narrow,
    }


def test_nobody_is_told_too():
    assert text(now_strip(states(), resumable=True)["html"]) == (
        "Waiting for you 0 nobody Working 0 nobody"
    )


def test_the_digest_changes_with_a_state_and_not_with_the_time():
    def digest(*rows, at=NOW):
        return now_strip(states(*rows, at=at), resumable=False)["digest"]

    later = NOW + timedelta(minutes=5)
    assert digest(*waiting(2)) == digest(*waiting(2), at=later)
    assert digest(*waiting(2)) != digest(*waiting(3))
    assert digest(*waiting(2)) != digest(*waiting(2), at=NOW + timedelta(minutes=29))


def test_a_session_on_this_machine_can_be_resumed():
    html = now_strip(states(*waiting(1)), resumable=True)["html"]

    assert "cd &#39;/code/a b&#39; &amp;&amp; claude --resume s1" in html
    assert "Copy command" not in now_strip(states(*waiting(1)), resumable=False)["html"]


@pytest.mark.parametrize(
    ("cwd", "command"),
    [("/code", "cd /code && claude --resume s1"), ("", "claude --resume s1")],
)
def test_the_command_goes_to_the_folder_if_that_is_known(cwd, command):
    assert resume_command("s1", cwd) == command
