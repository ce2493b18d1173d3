from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, insert, select, text

from aggregator.database.models import ActivityMetric
from aggregator.metrics.scope import OVERALL
from aggregator.metrics.spans import Span
from aggregator.metrics.windows import RetainedHours, rolling_window
from aggregator.passes.retention import BEFORE_ALL_BUCKETS, delete_before, prune
from aggregator.query.reader import MetricReader

HORIZON = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
EXPIRED, KEPT = 2_000, 24


@pytest.fixture
def metrics(empty_engine):
    """Overall rows: many older than the horizon, and those of the day after it."""
    rows = [
        {"bucket_start": HORIZON + hour * HOUR, "is_overall": True, "turn_count": 1}
        for hour in range(-EXPIRED, KEPT)
    ]
    with empty_engine.begin() as conn:
        conn.execute(insert(ActivityMetric), [{**row, "active_agents": 1} for row in rows])
    return empty_engine


def buckets(engine) -> list[datetime]:
    with engine.connect() as conn:
        return list(
            conn.scalars(select(ActivityMetric.bucket_start).order_by(ActivityMetric.bucket_start))
        )


def test_older_rows_go_in_batches_and_the_others_stay(metrics):
    seen_by_others = set()

    def look(_conn: object) -> None:
        seen_by_others.add(len(buckets(metrics)))

    event.listen(metrics, "commit", look)
    pruned = prune(metrics, HORIZON, batch=900)
    event.remove(metrics, "commit", look)

    assert pruned == EXPIRED
    assert seen_by_others == {KEPT + 2_000, KEPT + 1_100, KEPT + 200}
    assert buckets(metrics) == [HORIZON + hour * HOUR for hour in range(KEPT)]


def test_a_row_that_somebody_holds_is_not_waited_for_and_goes_next_time(metrics):
    held = HORIZON - 1_000 * HOUR
    with metrics.connect() as other:
        other.execute(
            text("SELECT FROM activity_metrics WHERE bucket_start = :held FOR UPDATE"),
            {"held": held},
        )
        event.listen(metrics, "begin", _wait_for_nobody)
        assert prune(metrics, HORIZON, batch=300) == EXPIRED - 1
        event.remove(metrics, "begin", _wait_for_nobody)

    assert buckets(metrics)[0] == held
    assert prune(metrics, HORIZON, batch=300) == 1
    assert len(buckets(metrics)) == KEPT


def _wait_for_nobody(conn) -> None:
    conn.exec_driver_sql("SET LOCAL lock_timeout = '10s'")


def test_two_prunings_at_once_share_the_work(metrics):
    start = threading.Barrier(2)

    def work() -> int:
        start.wait(timeout=30)
        return prune(metrics, HORIZON, batch=50)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.submit(work), threads.submit(work)

    # A row that one of them had locked was deleted by that one.
    assert first.result() + second.result() == EXPIRED
    assert len(buckets(metrics)) == KEPT


def test_a_reader_is_not_kept_waiting_and_sees_whole_batches(metrics):
    reader = MetricReader(metrics)
    every = RetainedHours(BEFORE_ALL_BUCKETS, HORIZON + KEPT * HOUR)
    gone, retained = (Span(rolling_window("day", at), every) for at in (HORIZON, every.now))
    seen = []
    for _ in range(EXPIRED // 500):
        with metrics.begin() as conn:
            delete_before(conn, HORIZON, 500)
            # The batch holds its rows at this moment.
            seen.append(len(reader.activity(OVERALL, gone).buckets))
            assert reader.activity(OVERALL, retained).totals.turn_count == KEPT

    assert seen == [24, 24, 24, 24]
    assert reader.activity(OVERALL, gone).buckets.empty


def test_no_batch_steps_over_what_the_one_before_has_deleted(metrics):
    entries = text(
        "SELECT pg_stat_get_xact_tuples_returned('uq_activity_metrics_bucket_scope'::regclass)"
    )
    with metrics.begin() as conn:
        # What PostgreSQL chooses by itself where there are millions of rows.
        conn.execute(text("SET LOCAL enable_sort = off"))
        deleted, reached = delete_before(conn, HORIZON, 500)
        before = conn.scalar(entries)
        delete_before(conn, HORIZON, 500, reached)
        read = conn.scalar(entries) - before

    assert (deleted, reached) == (500, HORIZON - 1_501 * HOUR)
    # The index begins at the last bucket of the batch before.
    assert read == 501
