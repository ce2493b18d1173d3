from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from aggregator.intervals.kinds import KINDS
from aggregator.intervals.timeline import Timeline, agent_intervals
from tests.aggregator.intervals.facts import (
    Facts,
    Frames,
    facts_of_agents,
    facts_of_an_agent,
    frames,
    instant,
)
from tests.aggregator.intervals.reference import timeline_of


def rows_of(timeline: Timeline) -> tuple[list[tuple], list[tuple]]:
    """Rows with None for missing values, which compare equal."""
    intervals, runs = (
        rows.astype("object").where(rows.notna(), None).itertuples(index=False, name=None)
        for rows in timeline
    )
    return list(intervals), list(runs)


def expected(agents: dict[int, Facts]) -> tuple[list[tuple], list[tuple]]:
    intervals, runs = [], []
    for agent, facts in sorted(agents.items()):
        own = timeline_of(facts)
        for kind, since, until, run, *rest in own[0]:
            intervals.append((agent, kind, *map(instant, (since, until, run)), *rest))
        runs += [(agent, instant(since), instant(until), *rest) for since, until, *rest in own[1]]
    return intervals, runs


@given(facts_of_agents)
def test_intervals_and_runs_are_those_of_a_slow_walk_from_step_to_step(agents):
    intervals, runs = rows_of(agent_intervals(*frames(agents)))
    assert (intervals, runs) == expected(agents)


@given(facts_of_agents)
def test_the_kinds_partition_the_span_of_each_agent(agents):
    intervals = agent_intervals(*frames(agents)).intervals

    assert set(intervals["kind"]) <= set(KINDS)
    assert (intervals["started_at"] < intervals["ended_at"]).all()
    for _, own in intervals.groupby("agent_id"):
        assert own["started_at"].tolist()[1:] == own["ended_at"].tolist()[:-1]


@given(facts_of_agents, st.randoms())
def test_the_order_of_facts_does_not_matter(agents, random):
    rows = frames(agents)
    shuffled = (frame.sample(frac=1, random_state=random.randrange(2**32)) for frame in rows)

    for found, known in zip(agent_intervals(*shuffled), agent_intervals(*rows), strict=True):
        assert_frame_equal(found, known)


def within(rows: Frames, since: pd.Timestamp, until: pd.Timestamp) -> Frames:
    """Facts that a pass reads for a window, both ends included."""
    turns, signals, calls = rows
    return (
        turns[turns["at"].between(since, until)],
        *(
            spans[(spans["until"].fillna(spans["at"]) >= since) & (spans["at"] <= until)]
            for spans in (signals, calls)
        ),
    )


def begun_in(timeline: Timeline, since: pd.Timestamp, until: pd.Timestamp) -> Timeline:
    return Timeline(
        *(rows[(rows["started_at"] >= since) & (rows["started_at"] < until)] for rows in timeline)
    )


@given(facts_of_an_agent, st.integers(0, 200), st.integers(0, 40))
def test_a_part_from_one_run_to_another_is_computed_from_its_own_facts(facts, first, length):
    rows = frames({1: facts})
    whole = agent_intervals(*rows)
    starts = whole.runs["started_at"]
    before = starts[starts <= instant(first)]
    after = starts[starts > instant(first + length)]
    if before.empty or after.empty:
        return
    window = before.iloc[-1], after.iloc[0]

    part = begun_in(agent_intervals(*within(rows, *window)), *window)

    assert rows_of(part) == rows_of(begun_in(whole, *window))
