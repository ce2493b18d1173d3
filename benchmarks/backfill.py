"""Benchmark of backfills: their cost as the history grows, and with several workers.

    python benchmarks/backfill.py [--turns 200000 2000000 20000000] [--runs 3] [--database-url URL]

Recomputes 30 days of 200 agents over 20 projects into an empty table: in one process, in
pools of processes, and on Dask clusters of one and two workers on this machine. Prints the
median of the runs, the time per turn, and the peak memory of the largest worker. The time
includes starting the pool for each backfill; clusters are started before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import psutil
from made_turns import fill, scratch_database
from sqlalchemy import Engine, make_url, text

from aggregator.database.engine import connect
from aggregator.metrics.windows import floor_hour
from aggregator.passes.backfill import backfill
from aggregator.passes.workers import Workers, dask_cluster, process_pool

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
SINCE = floor_hour(NOW - timedelta(days=30))
MB = 1_000_000


@contextlib.contextmanager
def in_process() -> Iterator[None]:
    """Use only this process."""
    yield None


@contextlib.contextmanager
def processes(size: int) -> Iterator[Workers]:
    """Use a pool of processes, started for each backfill."""
    yield process_pool(size)


@contextlib.contextmanager
def dask(size: int) -> Iterator[Workers]:
    """Use a Dask cluster on this machine, with one thread per worker."""
    from distributed import LocalCluster  # noqa: PLC0415 - an extra

    with LocalCluster(
        n_workers=size, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.ERROR
    ) as cluster:
        cluster.wait_for_workers(size)
        yield dask_cluster(cluster.scheduler_address)


WAYS: dict[str, Callable[[], AbstractContextManager[Workers | None]]] = {
    "in this process": in_process,
    "1 process": lambda: processes(1),
    "2 processes": lambda: processes(2),
    "1 Dask worker": lambda: dask(1),
    "2 Dask workers": lambda: dask(2),
}


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, nargs="+", default=[200_000, 2_000_000, 20_000_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--database-url")
    given = parser.parse_args()
    print(f"{'turns':>12}  {'':16}{'seconds':>10}{'µs a turn':>12}{'peak memory':>14}")
    with scratch_database(given.database_url) as engine:
        for turns in given.turns:
            fill(engine, turns, now=NOW)
            for way in WAYS:
                seconds, peak = measured(engine, way, given.runs)
                share = 1_000_000 * seconds / turns
                print(
                    f"{turns:12,}  {way:16}{seconds:8.2f} s{share:9.2f} µs{peak / MB:11,.0f} MB",
                    flush=True,
                )


def measured(engine: Engine, way: str, runs: int) -> tuple[float, float]:
    """Return the median seconds, and the peak in bytes, of backfills in processes of their own."""
    url = engine.url.render_as_string(hide_password=False)
    seconds, peaks = [], []
    for _ in range(runs):
        with engine.begin() as conn:
            conn.execute(text("TRUNCATE activity_metrics"))
        answer = subprocess.run(
            [sys.executable, __file__, "--child", way, url], check=True, capture_output=True
        )
        taken, peak = json.loads(answer.stdout)
        seconds.append(taken)
        peaks.append(peak)
    return statistics.median(seconds), max(peaks)


def child(way: str, url: str) -> None:
    """Run one backfill in this child process; print seconds, and a worker's peak in bytes."""
    engine = connect(make_url(url), purpose="benchmark")
    with WAYS[way]() as workers, peak_memory(of_children=workers is not None) as peaks:
        report = backfill(engine, SINCE, NOW, workers=workers)
    print(json.dumps([report.seconds, max(peaks)]))


@contextlib.contextmanager
def peak_memory(*, of_children: bool) -> Iterator[list[int]]:
    """Sample the memory of this process, or of its largest child, every 20 ms, in bytes."""
    peaks = [0]
    ended = threading.Event()
    this_process = psutil.Process()

    def sample() -> None:
        while not ended.wait(0.02):
            for process in this_process.children(recursive=True) if of_children else [this_process]:
                with contextlib.suppress(psutil.Error):
                    peaks[0] = max(peaks[0], process.memory_info().rss)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    else:
        main()
