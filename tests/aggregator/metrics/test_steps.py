from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.errors import ParameterError
from aggregator.metrics.freqs import STEPS, check_steps
from aggregator.metrics.hourly import (
    INTERVAL_DTYPES,
    RESPONSE_DTYPES,
    TURN_DTYPES,
    gap_counts,
    hourly_metrics,
)
from aggregator.metrics.hourly_time import PEAKS, SUMS, TIMED
from aggregator.metrics.scope import EVERYBODY
from aggregator.metrics.steps import Facts, in_steps

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIVE = timedelta(minutes=5)
SUMMED = ("turn_count", "gap_count", *SUMS)
instants = st.integers(0, 3 * 3_600_000_000).map(lambda at: NOON + at * MICROSECOND)


def frame(rows: list[tuple], dtypes: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Draw turns, intervals and responses of up to three agents over three hours."""
    turns, intervals, responses = [], [], []
    for agent in range(1, draw(st.integers(1, 3)) + 1):
        project = agent % 2 + 1
        turns += [(agent, project, at) for at in draw(st.lists(instants, max_size=8))]
        # Edges in common make agents end and begin at the same instant.
        edges = sorted(draw(st.sets(instants | st.sampled_from([NOON, NOON + FIVE]), max_size=8)))
        for since, until in pairwise(edges):
            kind = draw(st.sampled_from(range(len(TIMED))))
            intervals.append((agent, project, kind, since, until, draw(st.booleans())))
        for ended in draw(st.lists(instants, max_size=3)):
            seconds = draw(st.integers(0, 10**10)) / 1e6
            responses.append((agent, project, ended, seconds))
    return Facts(
        frame(turns, TURN_DTYPES),
        frame(intervals, INTERVAL_DTYPES),
        frame(responses, RESPONSE_DTYPES),
    )


def in_microseconds(rows: pd.DataFrame) -> pd.DataFrame:
    """Convert seconds to whole microseconds, and averages to sums of gaps."""
    gaps = rows["avg_turn_time_seconds"].fillna(0) * rows["gap_count"]
    seconds = rows[[name for name in SUMS if name.endswith("_seconds")]]
    whole = {name: np.round(own * 1e6) for name, own in seconds.assign(gaps=gaps).items()}
    return rows.assign(**whole)


@settings(max_examples=settings().max_examples // 2)
@given(facts(), st.sampled_from(sorted(STEPS)), st.sampled_from(["overall", "project", "agent"]))
def test_steps_add_up_to_hours_to_the_microsecond(facts, name, of):
    hours = hourly_metrics(facts.turns, facts.intervals, facts.responses)
    hours = hours.assign(gap_count=gap_counts(hours))
    own = {
        "overall": hours["is_overall"],
        "project": hours["project_id"].notna(),
        "agent": hours["agent_id"].notna(),
    }[of]
    series = EVERYBODY if of == "overall" else hours[f"{of}_id"]
    hours = in_microseconds(hours.assign(series=series)[own]).set_index(["series", "bucket_start"])

    steps = in_microseconds(in_steps(facts, of, STEPS[name]))

    hour = steps["bucket_start"].dt.floor("h")
    assert ((steps["bucket_start"] - hour) % STEPS[name] == timedelta()).all()
    assert not steps[["series", "bucket_start"]].duplicated().any()
    added = steps.groupby(["series", hour])
    assert added[[*SUMMED, "gaps"]].sum().to_dict() == hours[[*SUMMED, "gaps"]].to_dict()
    if of == "agent":
        assert steps[["active_agents", *PEAKS]].isna().all(axis=None)
        return
    assert added[list(PEAKS)].max().to_dict() == hours[list(PEAKS)].to_dict()
    agents = hours["active_agents"].reindex(added["active_agents"].max().index)
    assert added["active_agents"].max().le(agents).all()
    assert added["active_agents"].sum().ge(agents).all()


def test_a_gap_belongs_to_the_step_of_its_second_turn_and_to_one_hour():
    turns = [(1, 1, NOON + timedelta(minutes=minute)) for minute in (1, 4, 7, 59, 61)]

    steps = in_steps(
        Facts(frame(turns, TURN_DTYPES), frame([], INTERVAL_DTYPES), frame([], RESPONSE_DTYPES)),
        "project",
        FIVE,
    )

    shown = steps.set_index((steps["bucket_start"] - NOON) // timedelta(minutes=1))
    assert shown["turn_count"].to_dict() == {0: 2, 5: 1, 55: 1, 60: 1}
    assert shown["gap_count"].to_dict() == {0: 1, 5: 1, 55: 1, 60: 0}
    assert shown["avg_turn_time_seconds"].fillna(0).to_dict() == {0: 180, 5: 180, 55: 3120, 60: 0}
    assert shown["active_agents"].to_dict() == {0: 1, 5: 1, 55: 1, 60: 1}


def test_an_answer_may_have_the_minutes_of_the_longest_day_and_no_more():
    check_steps("1min", NOON, NOON + timedelta(hours=25))
    check_steps("day", NOON, NOON + timedelta(days=366))

    with pytest.raises(ParameterError) as refused:
        check_steps("1min", NOON, NOON + timedelta(hours=26))
    assert str(refused.value) == (
        "freq: '1min' is not allowed; expected at most 1500 buckets, but 2026-11-03T12:00Z to "
        "2026-11-04T14:00Z has 1560: a shorter range, or 2min"
    )
    with pytest.raises(ParameterError, match="has 105408: a shorter range, or hour or day or week"):
        check_steps("5min", NOON, NOON + timedelta(days=366))
