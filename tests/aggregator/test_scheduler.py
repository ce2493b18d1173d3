from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

import aggregator
from aggregator.models import ActivityMetric
from aggregator.scheduler import ActivityAggregator
from aggregator.settings import Settings

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
SETTINGS = replace(Settings.load(environ={}), interval_seconds=1)


@pytest.fixture
def history(empty_engine, record):
    with empty_engine.begin() as conn:
        record(conn, "alpha", "a1", [NOW, NOW - timedelta(days=3)])
    return empty_engine


def test_the_package_offers_the_aggregator_and_the_model():
    assert aggregator.ActivityAggregator is ActivityAggregator
    assert aggregator.ActivityMetric is ActivityMetric


def test_one_pass_and_pruning_can_be_asked_for(history):
    aggregator = ActivityAggregator(history, SETTINGS, clock=lambda: NOW)

    assert aggregator.aggregate_once().written.overall == 2
    assert aggregator.aggregate_once(now=NOW).written.overall == 0
    assert aggregator.prune() == 0
    assert aggregator.prune(now=NOW + timedelta(days=29)) == 3


def test_passes_come_by_themselves_between_start_and_stop(history):
    done = threading.Event()
    jobs = ActivityAggregator(history, SETTINGS, clock=lambda: NOW)
    jobs.every(1, "after", done.set)

    jobs.start()
    assert done.wait(timeout=30)
    jobs.stop()

    jobs.stop()  # stopping what is stopped does nothing
    with history.connect() as conn:
        assert len(conn.scalars(select(ActivityMetric.id)).all()) == 6


def test_a_job_whose_database_is_away_costs_one_line_and_runs_again(history, caplog):
    runs = []
    twice = threading.Event()

    def away() -> None:
        runs.append(NOW)
        if len(runs) == 2:
            twice.set()
        raise OperationalError("SELECT 1", {}, Exception("server closed the connection\nmore"))

    jobs = ActivityAggregator(history, SETTINGS, clock=lambda: NOW)
    jobs.every(1, "away", away)
    jobs.start()
    assert twice.wait(timeout=30)
    jobs.stop()

    lines = [record.getMessage() for record in caplog.records if record.name.startswith("aggreg")]
    assert set(lines) == {
        "away: (builtins.Exception) server closed the connection; trying again at the next run"
    }
