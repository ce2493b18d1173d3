from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import create_engine, text

from aggregator import load_metrics, load_overview, load_turns
from aggregator.errors import (
    ConflictingParametersError,
    DatabaseUnreachableError,
    HostSchemaError,
    NotMigratedError,
    ParameterError,
    UnknownNameError,
    UnknownScopeError,
)
from aggregator.passes.run import make_pass
from aggregator.schema.migrate import upgrade
from tests.no_time import NO_SUMMED_TIME, NO_TIME, with_no_time

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
NONE = float("nan")
TEXT = str(pd.Series(["text"]).dtype)
"""Dtype of texts: ``str`` since pandas 3, ``object`` before."""

TIME_DTYPES = {name: type(value).__name__ + "64" for name, value in NO_TIME.items()}


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=minute) for minute in minutes]


@pytest.fixture
def database(empty_engine, record):
    """Agents 1 and 2 in project alpha, 3 in beta; beta also has agent 4 of ten days ago."""
    with empty_engine.begin() as conn:
        record(conn, "alpha", "aaaaaaaa-1", minutes_ago(5, 6, 8, 70))
        record(conn, "alpha", "bbbbbbbb-2", minutes_ago(10, 10.5))
        record(conn, "beta", "cccccccc-3", minutes_ago(200, 260), actor="USER")
        record(conn, "beta", "dddddddd-4", minutes_ago(60 * 24 * 10))
    make_pass(empty_engine, NOW, RETENTION)
    return empty_engine


def local(*texts: str, zone: str = "UTC") -> pd.DatetimeIndex:
    instants = [datetime.fromisoformat(text) for text in texts]
    return pd.DatetimeIndex(instants, name="bucket_start").as_unit("us").tz_localize(ZoneInfo(zone))


def frame(index: pd.DatetimeIndex, **columns: list) -> pd.DataFrame:
    frame = pd.DataFrame(columns, index=index)
    return with_no_time(frame, of_agents="agent" in columns)


def test_hours_of_everybody_in_utc_are_the_default(database):
    loaded = load_metrics(database, since="2026-11-22", now=NOW)

    assert_frame_equal(
        loaded,
        frame(
            local("2026-11-22T10", "2026-11-22T11", "2026-11-22T13", "2026-11-22T14"),
            turn_count=[1, 1, 1, 5],
            avg_turn_time_seconds=[NONE, NONE, NONE, 70.0],
            gap_count=[0, 0, 0, 3],
            active_agents=[1, 1, 1, 2],
            # After the prompt of agent 3, which was not answered.
            waiting_seconds=[1800, 0, 0, 0],
            peak_waiting_agents=[1, 0, 0, 0],
        ),
        check_freq=False,
    )
    assert load_metrics(database, now=NOW)["turn_count"].sum() == 9


def test_projects_by_local_day_with_their_names(database):
    loaded = load_metrics(database, scope="project", freq="day", tz="Asia/Kolkata", now=NOW)

    assert_frame_equal(
        loaded,
        frame(
            local("2026-11-12T00:30", "2026-11-22T00:30", "2026-11-22T00:30", zone="Asia/Kolkata"),
            project_id=[2, 1, 2],
            project=["beta", "alpha", "beta"],
            turn_count=[1, 6, 2],
            avg_turn_time_seconds=[NONE, 70.0, NONE],
            gap_count=[0, 3, 0],
            active_agents=[1, 2, 1],
            waiting_seconds=[0, 0, 1800],
            peak_waiting_agents=[0, 0, 1],
        ),
        check_freq=False,
    )


def test_agents_of_a_project_with_their_quiet_hours(database):
    loaded = load_metrics(
        database, scope="agent", project="Alpha", since="2026-11-22T13:00", fill=True, now=NOW
    )

    assert_frame_equal(
        loaded,
        frame(
            local(*["2026-11-22T13"] * 2, *["2026-11-22T14"] * 2),
            project_id=[1, 1, 1, 1],
            project=["alpha"] * 4,
            agent_id=[1, 2, 1, 2],
            agent=["aaaaaaaa", "bbbbbbbb"] * 2,
            turn_count=[1, 0, 3, 2],
            avg_turn_time_seconds=[NONE, NONE, 90.0, 30.0],
            gap_count=[0, 0, 2, 1],
        ),
        check_freq=False,
    )


@pytest.mark.parametrize(
    ("choice", "turns", "columns"),
    [
        ({}, 9, 15),
        ({"project": 1}, 6, 17),
        ({"project": ["alpha", "beta"]}, 9, 17),
        ({"agent": "bbbbbbbb"}, 2, 16),
        ({"project": "beta", "scope": "agent"}, 3, 16),
        ({"project": "beta", "agent": "cccccccc"}, 2, 16),
    ],
)
def test_what_is_chosen_is_what_is_loaded(*, database, choice, turns, columns):
    loaded = load_metrics(database, now=NOW, **choice)

    assert (loaded["turn_count"].sum(), len(loaded.columns)) == (turns, columns)


def test_a_filled_week_of_somebody_quiet_is_all_zero(database):
    loaded = load_metrics(
        database, agent=4, since=date(2026, 11, 20), freq="day", fill=True, now=NOW
    )

    assert loaded["turn_count"].tolist() == [0, 0, 0]
    assert loaded["agent"].tolist() == ["dddddddd"] * 3
    assert loaded["avg_turn_time_seconds"].isna().all()


def test_an_empty_database_has_the_same_columns(empty_engine):
    everybody, agents = load_metrics(empty_engine), load_metrics(empty_engine, scope="agent")

    assert everybody.empty
    assert everybody.dtypes.astype(str).to_dict() == {
        "turn_count": "int64",
        "avg_turn_time_seconds": "float64",
        "gap_count": "int64",
        "active_agents": "int64",
        **TIME_DTYPES,
    }
    assert str(everybody.index.dtype) == str(load_turns(empty_engine).index.dtype)
    assert str(everybody.index.dtype) == "datetime64[us, UTC]"
    assert agents.dtypes.astype(str).to_dict() == {
        "project_id": "int64",
        "project": TEXT,
        "agent_id": "int64",
        "agent": TEXT,
        "turn_count": "int64",
        "avg_turn_time_seconds": "float64",
        "gap_count": "int64",
        **{name: TIME_DTYPES[name] for name in NO_SUMMED_TIME},
    }


def test_turns_have_an_actor_and_no_text(database):
    turns = load_turns(database, since=NOW - timedelta(minutes=260), tz="America/New_York", now=NOW)

    assert turns.iloc[0].to_dict() == {
        "project_id": 2,
        "project": "beta",
        "agent_id": 3,
        "agent": "cccccccc",
        "actor": "USER",
    }
    assert str(turns.index[0]) == "2026-11-22 05:10:00-05:00"
    assert turns.index.is_monotonic_increasing
    assert turns.dtypes.astype(str).tolist() == ["int64", TEXT, "int64", TEXT, "category"]
    assert turns["actor"].cat.categories.tolist() == ["USER", "AGENT"]
    assert len(turns) == 8
    assert len(load_turns(database, now=NOW)) == 9
    assert len(load_turns(database, agent=[1, 2], until=minutes_ago(10)[0], now=NOW)) == 2


def test_turns_outlive_their_metrics(database):
    make_pass(database, NOW, timedelta(days=1))

    assert load_metrics(database, now=NOW)["turn_count"].sum() == 8
    assert load_turns(database, project="beta", now=NOW)["agent_id"].tolist() == [4, 3, 3]


def test_what_the_page_shows_can_be_loaded_for_its_charts(database):
    overview = load_overview(
        database, window="day", on="2026-11-22", project="alpha", tz="Europe/Berlin", now=NOW
    )

    assert overview.totals.turn_count == 6
    assert overview.period.zone.key == "Europe/Berlin"
    assert load_overview(database, now=NOW).totals.turn_count == 8


def test_the_last_hours_and_days_can_be_loaded_as_the_page_has_them(database):
    def ends(window, **more):
        period = load_overview(database, window=window, now=NOW, **more).period
        return period.since.isoformat(), period.until.isoformat()

    assert ends("last-24-hours") == ("2026-11-21T15:00:00+00:00", "2026-11-22T15:00:00+00:00")
    assert ends("last-7-days", on="2026-11-20") == (
        "2026-11-14T00:00:00+00:00",
        "2026-11-21T00:00:00+00:00",
    )
    with pytest.raises(ConflictingParametersError, match="on cannot be combined with window=last"):
        load_overview(database, window="last-24-hours", on="2026-11-20", now=NOW)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"tz": "Mars/Base"}, ParameterError, "tz: 'Mars/Base' is not allowed; expected a time"),
        ({"tz": ""}, ParameterError, "tz: '' is not allowed"),
        ({"freq": "month"}, ParameterError, "freq: 'month' .* expected hour, day, week, 30min"),
        ({"freq": "1min"}, ParameterError, "freq: '1min' .* expected at most 1500 buckets"),
        ({"scope": "team"}, ParameterError, "expected overall, project or agent"),
        ({"scope": "overall", "agent": 1}, ParameterError, "scope: 'overall' .* expected agent"),
        ({"since": "last week"}, ParameterError, "since: 'last week' .* expected a date such as"),
        ({"since": pd.NaT}, ParameterError, "since: NaT"),
        ({"until": "0001-01-01"}, ParameterError, "until: "),
        ({"since": "2026-11-03", "until": "2026-11-02"}, ParameterError, "until: '2026-11-02'"),
        ({"since": "2027-01-01"}, ParameterError, "until: 'now' .* expected an instant after"),
        ({"project": "gamma"}, UnknownNameError, "no project named 'gamma'; there are alpha"),
        ({"project": "beta", "agent": "aaaaaaaa"}, UnknownNameError, "there are cccccccc, ddd"),
        ({"project": "beta", "agent": 1}, ParameterError, "agent: 1 .* of the chosen projects"),
        ({"project": []}, ParameterError, r"project: \[\] .* at least one, or None for all"),
        ({"tz": "localtime"}, ParameterError, "tz: 'localtime' is not allowed"),
        ({"agent": 77}, UnknownScopeError, "there is no agent with id 77"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(database, arguments, error, words):
    with pytest.raises(error, match=words):
        load_metrics(database, now=NOW, **arguments)


@pytest.mark.parametrize(
    "since",
    [
        "2026-11-22T14:00",
        "2026-11-22T13:00Z",
        datetime(2026, 11, 22, 14),  # noqa: DTZ001 - it is in tz
        pd.Timestamp("2026-11-22 14:00:00.000000001"),
        np.datetime64("2026-11-22T14:00"),
    ],
)
def test_instants_are_read_whoever_made_them(database, since):
    loaded = load_metrics(database, since=since, tz="Europe/Berlin", now="2026-11-22T15:30")

    assert loaded["turn_count"].tolist() == [1, 5]


def test_a_range_that_begins_inside_an_hour_has_all_of_it(database):
    loaded = load_metrics(database, since="2026-11-22T13:59", fill=True, now=NOW)

    assert loaded["turn_count"].to_dict() == {
        pd.Timestamp("2026-11-22 13:00Z"): 1,
        pd.Timestamp("2026-11-22 14:00Z"): 5,
    }


@pytest.mark.parametrize(
    ("since", "until"), [("2026-11-12", "2026-11-13"), (date(2026, 11, 12), date(2026, 11, 13))]
)
def test_a_date_is_the_day_of_metrics_also_where_days_begin_at_half_past(database, since, until):
    day = {"since": since, "until": until, "tz": "Asia/Kolkata", "fill": True, "now": NOW}

    assert load_metrics(database, freq="day", **day)["turn_count"].to_dict() == {
        pd.Timestamp("2026-11-12 00:30", tz="Asia/Kolkata"): 1
    }
    assert len(load_metrics(database, **day)) == 24


@pytest.mark.parametrize("change", ["UPDATE agents SET project_id = 1", "DELETE FROM agents"])
def test_days_can_be_loaded_between_a_change_and_the_next_pass(database, change):
    with database.begin() as conn:
        conn.execute(text(f"{change} WHERE id IN (3, 4)"))

    days = load_metrics(database, project="beta", freq="day", now=NOW)

    assert days["active_agents"].tolist() == [0, 0]
    assert load_metrics(database, freq="day", now=NOW)["turn_count"].sum() == 9


def test_a_range_that_ends_before_all_metrics_is_empty(database):
    assert load_metrics(database, until="2026-11-01", fill=True, now=NOW).empty


def test_what_is_no_database_is_refused():
    with pytest.raises(ParameterError, match="database: 5 is not allowed; expected an engine"):
        load_metrics(5)


def test_a_url_is_as_good_as_an_engine(database, monkeypatch):
    url = database.url
    text = url.render_as_string(hide_password=False)
    expected = load_metrics(database, now=NOW)
    monkeypatch.setenv("ACTIVITY_DATABASE_URL", text.replace("+psycopg2", ""))

    for given in (url, text, None, create_engine(url, isolation_level="AUTOCOMMIT")):
        assert_frame_equal(load_metrics(given, now=NOW), expected)


def test_a_host_is_loaded_like_our_own_tables(host):
    host.create_tables()
    host.fill()
    with pytest.raises(NotMigratedError):
        load_metrics(host.engine)
    upgrade(host.engine, "activity")
    now = datetime(2026, 10, 25, 12, 30, tzinfo=UTC)
    empty = load_metrics(host.engine, now=now)
    turns = load_turns(host.engine, now=now)

    assert empty.empty
    assert turns["agent_id"].tolist() == [1, 2, 1, 1, 2, 1, 3_000_000_000]
    assert turns["agent"].unique().tolist() == ["agent 1", "agent 2", "agent 3000000000"]
    assert turns["project"].unique().tolist() == ["alpha", "project 2"]


def test_a_database_without_turns_or_without_a_server_says_so(postgres, fresh):
    with pytest.raises(HostSchemaError, match="the host's tables cannot be read"):
        load_metrics(fresh)
    with pytest.raises(DatabaseUnreachableError):
        load_turns("postgresql://nobody@127.0.0.1:1/nowhere")
    with pytest.raises(DatabaseUnreachableError):
        load_turns(create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nowhere"))


SCRIPT = """
import json, sys
from aggregator import load_metrics, load_turns
loaded = load_metrics(scope="project", fill=True)
demo = load_metrics("demo")
heavy = sorted({"flask", "dash", "plotly"} & {name.split(".")[0] for name in sys.modules})
print(json.dumps([len(loaded), len(load_turns()), len(demo), heavy]))
"""


@pytest.mark.usefixtures("home_with_database")
def test_without_a_url_the_embedded_database_is_read_and_no_flask_is_loaded(home):
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "ACTIVITY_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environ, capture_output=True, text=True, check=False
    )

    assert (json.loads(done.stdout or "null"), done.stderr) == ([0, 0, 0, []], "")
