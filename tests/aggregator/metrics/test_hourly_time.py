from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.metrics.hourly import INSTANT_DTYPE, TURN_DTYPES, hourly_metrics
from aggregator.metrics.hourly_time import PEAKS, SUMS, TIMED

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
STEP = timedelta(minutes=5)
HOUR = timedelta(hours=1)
KINDS = {name: number for number, name in enumerate(TIMED)}
INTERVALS = {
    "agent_id": "int64",
    "project_id": "int64",
    "kind": "int32",
    "started_at": INSTANT_DTYPE,
    "ended_at": INSTANT_DTYPE,
    "is_exact": "bool",
}
RESPONSES = {
    "agent_id": "int64",
    "project_id": "int64",
    "ended_at": INSTANT_DTYPE,
    "seconds": "float64",
}
Row = tuple[int, str, int, int, bool]
"""An agent, the kind, the first step and the step after the last; whether it is exact."""


def project_of(agent: int) -> int:
    return agent % 2 + 1


def at(step: float) -> datetime:
    return NOON + step * STEP


def frame(rows: list[tuple], dtypes: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


def intervals(rows: list[Row]) -> pd.DataFrame:
    return frame(
        [
            (agent, project_of(agent), KINDS[kind], at(since), at(until), exact)
            for agent, kind, since, until, exact in rows
        ],
        INTERVALS,
    )


def responses(rows: list[tuple[int, float, float]]) -> pd.DataFrame:
    """Responses of agents: the step at which each ended, and its seconds."""
    return frame(
        [(agent, project_of(agent), at(end), seconds) for agent, end, seconds in rows], RESPONSES
    )


def hours(
    rows: list[Row],
    answers: list[tuple[int, float, float]] | None = None,
    turns: list[tuple[int, float]] | None = None,
) -> pd.DataFrame:
    own = [(agent, project_of(agent), at(step)) for agent, step in turns or []]
    return hourly_metrics(frame(own, TURN_DTYPES), intervals(rows), responses(answers or []))


@st.composite
def timelines(draw: st.DrawFn) -> list[Row]:
    """Draw intervals of up to four agents over four hours; those of one agent do not overlap."""
    rows = []
    for agent in range(1, draw(st.integers(1, 4)) + 1):
        edges = sorted(draw(st.sets(st.integers(0, 48), max_size=10)))
        for since, until in pairwise(edges):
            kind = draw(st.sampled_from([*TIMED, "idle"]))
            if kind != "idle":
                rows.append((agent, kind, since, until, kind == "working" and draw(st.booleans())))
    return rows


def scopes(rows: list[Row]) -> dict[tuple[int | None, int | None], list[Row]]:
    """Rows of each agent, each project, and all of them, by the ids in the table."""
    found: dict[tuple[int | None, int | None], list[Row]] = {}
    for row in rows:
        for scope in ((row[0], None), (None, project_of(row[0])), (None, None)):
            found.setdefault(scope, []).append(row)
    return found


def seconds_of(rows: list[Row], hour: int) -> dict[str, float]:
    """Seconds of each kind in an hour, added up from step to step."""
    seconds = dict.fromkeys([*(f"{kind}_seconds" for kind in TIMED), "exact_seconds"], 0.0)
    for _, kind, since, until, exact in rows:
        for step in range(since, until):
            if step // 12 == hour:
                seconds[f"{kind}_seconds"] += STEP.total_seconds()
                seconds["exact_seconds"] += STEP.total_seconds() * exact
    return seconds


def peaks_of(rows: list[Row], hour: int) -> dict[str, int]:
    """Most agents in one step of an hour."""
    return {
        name: max(
            sum(kind in kinds and since <= step < until for _, kind, since, until, _ in rows)
            for step in range(hour * 12, hour * 12 + 12)
        )
        for name, kinds in PEAKS.items()
    }


@given(timelines())
def test_hours_of_every_scope_have_the_seconds_and_peaks_of_a_count_from_step_to_step(rows):
    expected = {}
    for (agent, project), own in scopes(rows).items():
        for hour in range(4):
            seconds = seconds_of(own, hour)
            if any(seconds.values()):
                peaks = dict.fromkeys(PEAKS) if agent else peaks_of(own, hour)
                expected[agent, project, NOON + hour * HOUR] = seconds | peaks

    found = hours(rows)

    numbers = [*(f"{kind}_seconds" for kind in TIMED), "exact_seconds", *PEAKS]
    keys = found[["agent_id", "project_id", "bucket_start"]].astype("object")
    values = found[numbers].astype("object")
    rows_found = zip(
        keys.where(keys.notna(), None).itertuples(index=False, name=None),
        values.where(values.notna(), None).to_dict("records"),
        strict=True,
    )
    assert dict(rows_found) == expected


@given(timelines())
def test_an_hours_peak_is_at_least_the_mean_of_its_agents(rows):
    found = hours(rows)
    many = found[found["agent_id"].isna()]

    waiting = many["blocked_seconds"] + many["waiting_seconds"]
    assert (many["peak_working_agents"] * 3600 >= many["working_seconds"]).all()
    assert (many["peak_waiting_agents"] * 3600 >= waiting).all()


def test_an_agent_that_begins_where_another_ends_is_not_at_work_with_it():
    found = hours([(1, "working", 0, 3, False), (2, "working", 3, 9, False)])

    assert found.query("is_overall")["peak_working_agents"].tolist() == [1]


def test_being_blocked_and_waiting_after_a_run_are_both_waiting_for_a_person():
    found = hours([(1, "blocked", 0, 3, False), (2, "waiting", 2, 9, False)])

    assert found.query("is_overall")["peak_waiting_agents"].tolist() == [2]


def test_a_response_belongs_to_the_hour_in_which_its_run_ended():
    found = hours([(1, "working", 10, 14, True)], [(1, 14, 1200.5), (3, 12, 0.25)])

    columns = ["bucket_start", "turn_count", "working_seconds", "responses", "response_seconds"]
    assert found.query("is_overall")[columns].to_numpy("object").tolist() == [
        [pd.Timestamp(NOON), 0, 600.0, 0, 0.0],
        [pd.Timestamp(NOON + HOUR), 0, 600.0, 2, 1200.75],
    ]


def test_hours_with_turns_and_hours_with_time_are_all_there():
    found = hours([(1, "waiting", 12, 24, False)], turns=[(1, 0.5), (1, 30)])

    columns = ["bucket_start", "turn_count", "active_agents", "waiting_seconds"]
    assert found.query("is_overall")[columns].to_numpy("object").tolist() == [
        [pd.Timestamp(NOON), 1, 1, 0.0],
        [pd.Timestamp(NOON + HOUR), 0, 0, 3600.0],
        [pd.Timestamp(NOON + 2 * HOUR), 1, 1, 0.0],
    ]
    assert found["avg_turn_time_seconds"].isna().all()


def test_a_project_without_time_has_no_peak_of_another():
    rows = hours([(1, "working", 0, 3, False)], turns=[(2, 1), (3, 1)])

    found = rows[rows["project_id"].notna()].set_index("project_id")["peak_working_agents"]
    assert found.to_dict() == {1: 0, 2: 1}


@pytest.mark.parametrize("turns", [[], [(1, 0)]])
def test_without_intervals_there_is_no_time(turns):
    found = hours([], turns=turns)

    assert len(found) == 3 * len(turns)
    assert (found[list(SUMS)] == 0).all(axis=None)
