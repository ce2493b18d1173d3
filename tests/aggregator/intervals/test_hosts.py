from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from aggregator.intervals.hosts import signals_of_turns
from aggregator.intervals.timeline import Timeline, agent_intervals
from aggregator.metrics.hourly import INSTANT_DTYPE
from tests.aggregator.intervals.facts import NOON, STEP, Facts, instant
from tests.aggregator.intervals.test_timeline import begun_in, expected, rows_of

Turn = tuple[int, bool, str]
ORDER = {True: ["answer", "", "question"], False: ["", "answer", "question"]}
"""Order of intents at one instant, of a person's turns and of an agent's."""
DTYPES = {"agent_id": "int64", "at": INSTANT_DTYPE, "is_user": "bool", "intent": "str"}


def frame(agents: dict[int, list[Turn]]) -> pd.DataFrame:
    rows = [
        (agent, instant(at), is_user, intent)
        for agent, turns in agents.items()
        for at, is_user, intent in turns
    ]
    turns = pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)
    intents = turns.pop("intent")
    return turns.assign(asks=intents == "question", answers=intents == "answer")


def timeline(turns: pd.DataFrame) -> Timeline:
    return agent_intervals(*signals_of_turns(turns))


def facts_of(turns: list[Turn]) -> Facts:
    """Facts of one agent by a walk over its turns."""
    rows, signals, calls = [], [], []
    line = work = question = None
    was_user = False
    ordered = sorted(turns, key=lambda turn: (turn[0], not turn[1], ORDER[turn[1]].index(turn[2])))
    for at, is_user, intent in ordered:
        if line is None or at - line[2] > 6:
            line = ["lines", at, at, 0]
            signals.append(line)
        line[2] = at
        if is_user:
            answers = question is not None and intent == "answer"
            if answers:
                calls.append((question, at, "", "", "question"))
            steers = bool(rows) and (was_user or answers)
            rows.append((at, True, steers))
            question = None
            work = work if steers else None
        else:
            if not rows:
                signals.append(("unknown", at, None, 0))
            if work is None:
                work = ["work", at, at, 0]
                signals.append(work)
            work[2] = at
            rows.append((at, False, False))
            question = at if intent == "question" else question
        was_user = is_user
    return Facts(tuple(rows), tuple(map(tuple, signals)), tuple(calls))


turns_of_an_agent = st.lists(
    st.tuples(
        st.integers(0, 60),
        st.booleans(),
        st.sampled_from(["", "question", "answer", "answer"]),
    ),
    max_size=14,
)


@given(st.dictionaries(st.integers(1, 9), turns_of_an_agent, max_size=3))
def test_agents_with_turns_only_have_the_time_that_a_walk_over_their_turns_finds(agents):
    facts = {agent: facts_of(turns) for agent, turns in agents.items()}

    assert rows_of(timeline(frame(agents))) == expected(facts)


@given(turns_of_an_agent, turns_of_an_agent)
def test_turns_change_nothing_outside_the_runs_around_them(turns, late):
    late = [(20 + at % 10, *rest) for at, *rest in late]
    before, after = (timeline(frame({1: rows})) for rows in (turns, turns + late))
    starts = before.runs["started_at"]
    # As a pass does: from the last run before the changed hours to the second after them.
    since = max([*starts[starts < instant(20)], instant(-1)])
    until = [*starts[starts >= instant(30)], instant(99), instant(99)][1]
    rows = frame({1: turns + late})
    window = since, until

    part = begun_in(timeline(rows[rows["at"].between(*window)]), *window)

    assert rows_of(part) == rows_of(begun_in(after, *window))
    for bounds in ((instant(-1), since), (until, instant(99))):
        assert rows_of(begun_in(before, *bounds)) == rows_of(begun_in(after, *bounds))


def test_a_question_blocks_until_its_answer_and_a_prompt_after_a_prompt_begins_no_run():
    turns = [
        (0, True, "command"),
        (1, True, "command"),
        (3, False, "question"),
        (9, True, "answer"),
        (12, False, "completion"),
        (20, True, "command"),
    ]

    intervals, runs = timeline(frame({1: turns}))

    assert [
        (row.kind, (row.started_at - NOON) / STEP, (row.ended_at - NOON) / STEP)
        for row in intervals.itertuples()
    ] == [("working", 0, 3), ("blocked", 3, 9), ("working", 9, 12), ("waiting", 12, 20)]
    assert runs["started_at"].tolist() == [instant(0), instant(20)]
