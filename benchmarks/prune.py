"""Benchmark of pruning: readers, writers and passes beside the pruning of millions of rows.

    python benchmarks/prune.py [--rows 7000000] [--seconds 8] [--database-url URL]

The table has 30 days of metrics of 200 agents, and ``--rows`` older rows. Four kinds of
work are timed, first for ``--seconds`` by themselves and then while the old rows are pruned:

* a reader of everything that the page shows of a month;
* a writer of 100 new turns in a transaction;
* a pass over the last two hours;
* an update of one old row, which competes for the locks of the pruning.

Prints the median, the 95th percentile and the maximum, also for the batches of the pruning,
and for the first and the last tenth of these.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from made_turns import AGENTS, PROJECTS, fill, scratch_database
from sqlalchemy import Engine, TextClause, event, text

from aggregator.database.source import STANDALONE
from aggregator.metrics.scope import Scope
from aggregator.metrics.spans import Span
from aggregator.metrics.windows import HOUR, floor_hour, retained_hours, rolling_window
from aggregator.passes.recompute import recompute_in_transaction
from aggregator.passes.retention import prune
from aggregator.passes.run import make_pass
from aggregator.query.reader import MetricReader

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
HORIZON = floor_hour(NOW - RETENTION)

_EXPIRED = text(
    """
    INSERT INTO activity_metrics (
        bucket_start, agent_id, project_id, is_overall,
        turn_count, avg_turn_time_seconds, active_agents
    )
    SELECT CAST(:horizon AS timestamptz) - hour * interval '1 hour',
        CASE WHEN i <= :agents THEN i END, CASE WHEN i > :agents THEN i - :agents END, false,
        5, 60, CASE WHEN i > :agents THEN 3 END
    FROM generate_series(1, :hours) hour, generate_series(1, :scopes) i
    ORDER BY hour DESC, i
    """
)
_TURNS = text(
    """
    INSERT INTO turns (task_id, actor, timestamp, key)
    SELECT 1 + i % :agents, 'AGENT', CAST(:now AS timestamptz) - i * interval '1 second',
        'more-' || :number || '-' || i
    FROM generate_series(1, 100) i
    """
)
_TOUCH = text(
    """
    UPDATE activity_metrics SET turn_count = turn_count WHERE id = (
        SELECT id FROM activity_metrics WHERE bucket_start < :horizon
        ORDER BY bucket_start DESC OFFSET :number % 1000 LIMIT 1
    )
    """
)


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=7_000_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--database-url")
    given = parser.parse_args()
    with scratch_database(given.database_url) as engine:
        fill(engine, 200_000, now=NOW)
        make_pass(engine, NOW, RETENTION)
        rows = expire(engine, given.rows)
        with others_working(engine) as alone:
            time.sleep(given.seconds)
        with others_working(engine) as meanwhile, batch_times(engine) as batches:
            started = time.perf_counter()
            pruned = prune(engine, HORIZON)
            seconds = time.perf_counter() - started
    # A row may be locked by an update when its turn comes; the next pruning deletes it.
    print(f"{pruned:,} of {rows:,} rows pruned in {seconds:.1f} s, {len(batches):,} batches")
    print(f"{'':10}{'median':>10}{'95 %':>10}{'longest':>10}   times")
    tenth = max(1, len(batches) // 10)
    show("batch", batches)
    show("  first", batches[:tenth])
    show("  last", batches[-tenth:])
    for name in alone:
        show(name, alone[name])
        show("  pruning", meanwhile[name])


def expire(engine: Engine, rows: int) -> int:
    """Add rows older than the horizon; return their number."""
    scopes = AGENTS + PROJECTS
    values = {
        "horizon": HORIZON,
        "agents": AGENTS,
        "scopes": scopes,
        "hours": rows // scopes,
    }
    with engine.begin() as conn:
        conn.execute(_EXPIRED, values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE activity_metrics"))
    return rows // scopes * scopes


@contextmanager
def others_working(engine: Engine) -> Iterator[dict[str, list[float]]]:
    """Run a reader, two writers and passes alongside; yield their times in seconds."""
    reader = MetricReader(engine)
    month = Span(rolling_window("month", NOW), retained_hours(NOW, RETENTION))
    works: dict[str, Callable[[int], object]] = {
        "reader": lambda _: reader.activity(Scope("overall"), month),
        "writer": partial(_execute, engine, _TURNS, {"agents": AGENTS, "now": NOW}),
        "pass": lambda _: recompute_in_transaction(engine, floor_hour(NOW) - HOUR, NOW, STANDALONE),
        "update": partial(_execute, engine, _TOUCH, {"horizon": HORIZON}),
    }
    times: dict[str, list[float]] = {name: [] for name in works}
    ended = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(work, times[name], ended))
        for name, work in works.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield times
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _repeat(work: Callable[[int], object], times: list[float], ended: threading.Event) -> None:
    while not ended.wait(0.02):
        started = time.perf_counter()
        work(time.monotonic_ns())
        times.append(time.perf_counter() - started)


def _execute(
    engine: Engine, statement: TextClause, values: Mapping[str, object], number: int
) -> None:
    with engine.begin() as conn:
        conn.execute(statement, {**values, "number": number})


@contextmanager
def batch_times(engine: Engine) -> Iterator[list[float]]:
    """Collect the time that this thread has each transaction open, including its commit."""
    pruning = threading.get_ident()
    times: list[float] = []
    started = 0.0

    def begin(_conn: object) -> None:
        nonlocal started
        if threading.get_ident() == pruning:
            started = time.perf_counter()

    def returned(_conn: object, _record: object) -> None:
        if threading.get_ident() == pruning:
            times.append(time.perf_counter() - started)

    event.listen(engine, "begin", begin)
    event.listen(engine, "checkin", returned)
    try:
        yield times
    finally:
        event.remove(engine, "begin", begin)
        event.remove(engine, "checkin", returned)


def show(name: str, seconds: list[float]) -> None:
    """Print one line of the table, in milliseconds."""
    ordered = sorted(seconds)
    figures = (statistics.median(ordered), ordered[int(len(ordered) * 0.95)], ordered[-1])
    print(f"{name:10}" + "".join(f"{1000 * figure:7.0f} ms" for figure in figures), end="")
    print(f"   {len(seconds):,}")


if __name__ == "__main__":
    main()
