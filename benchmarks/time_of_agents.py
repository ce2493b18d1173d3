"""Benchmark of the time of agents: a pass and a rebuild against the same without it.

    python benchmarks/time_of_agents.py [--turns 576000] [--runs 5] [--database-url URL]

The baseline is what there was before intervals: hours of turns are read, computed with the
same functions and written. On the same turns of 200 agents over 20 projects in 30 days, with
signals as transcripts tell them, both are timed alternately:

* a pass, which recomputes the last two hours after their rows have been deleted;
* a rebuild of all 30 days into empty tables;
* a rebuild of all 30 days that finds every row correct.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from made_turns import fill, fill_signals, scratch_database
from sqlalchemy import Connection, Engine, text

from aggregator.database.state import save_state
from aggregator.database.turns import END_OF_TIME, read_turns
from aggregator.metrics.hourly import hourly_metrics
from aggregator.metrics.windows import HOUR, floor_hour
from aggregator.passes.dirty_hours import take_dirty_hours
from aggregator.passes.rebuild import rebuild
from aggregator.passes.recompute import chunks
from aggregator.passes.retention import prune
from aggregator.passes.run import make_pass
from aggregator.passes.transactions import in_transaction
from aggregator.passes.write.metrics import replace_metrics
from aggregator.schema.capture import install

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
RETENTION = timedelta(days=30)
HORIZON = floor_hour(NOW - RETENTION)
RECENT = floor_hour(NOW) - HOUR

_FORGET = {
    "activity_metrics": "bucket_start >= :since",
    "activity_intervals": "ended_at > :since",
    "activity_runs": "ended_at >= :since",
}

Work = Callable[[Engine], object]


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=576_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--database-url")
    given = parser.parse_args()
    with scratch_database(given.database_url) as engine:
        fill(engine, given.turns, running_hour=given.turns // 180, now=NOW)
        signals = fill_signals(engine)
        with engine.begin() as conn:
            install(conn)
        make_pass(engine, NOW, RETENTION)
        print(f"{given.turns:,} turns, {signals:,} signals, medians of {given.runs} runs\n")
        print(f"{'':34}{'turns only':>11}{'with time':>11}{'ratio':>8}")
        works: tuple[Work, Work] = (
            lambda engine: _turns_only(engine, RECENT),
            lambda engine: make_pass(engine, NOW, RETENTION),
        )
        _compare("a pass", engine, works, RECENT, given.runs)
        works = (
            lambda engine: _turns_only(engine, HORIZON),
            lambda engine: rebuild(engine, NOW, RETENTION),
        )
        _compare("rebuild into empty tables", engine, works, HORIZON, given.runs)
        _compare("rebuild with nothing to change", engine, works, None, given.runs)


def _turns_only(engine: Engine, since: datetime) -> None:
    """Make a pass over all hours from an instant on, as before there were intervals."""

    def work(conn: Connection) -> None:
        take_dirty_hours(conn, HORIZON, RECENT)
        for start, end in chunks(conn, since, END_OF_TIME):
            metrics = hourly_metrics(read_turns(conn, start, end))
            replace_metrics(conn, metrics, start, end)
        save_state(conn, NOW, changed=True)

    in_transaction(engine, work)
    prune(engine, HORIZON)


def _compare(
    name: str, engine: Engine, works: tuple[Work, Work], since: datetime | None, runs: int
) -> None:
    """Time both alternately, so that a busy moment of the machine affects both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for work, taken in zip(works, seconds, strict=True):
            if since is None:
                work(engine)
            else:
                _forget(engine, since)
            started = time.perf_counter()
            work(engine)
            taken.append(time.perf_counter() - started)
    before, now = map(statistics.median, seconds)
    print(f"{name:34}{before:>9.3f} s{now:>9.3f} s{now / before:>8.2f}")


def _forget(engine: Engine, since: datetime) -> None:
    with engine.begin() as conn:
        for table, is_later in _FORGET.items():
            conn.execute(text(f"DELETE FROM {table} WHERE {is_later}"), {"since": since})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text(f"VACUUM ANALYZE {', '.join(_FORGET)}"))


if __name__ == "__main__":
    main()
