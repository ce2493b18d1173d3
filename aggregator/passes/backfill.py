"""Recompute a long range of hours on any executor.

Hours are independent of each other, so a backfill is a map over chunks of hours. A
worker reads, computes and writes each chunk in a transaction of its own. Results
therefore never leave the worker, it may die at any moment, and finished chunks stay
finished.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from aggregator.database import locks
from aggregator.database.engine import connect, display_url
from aggregator.database.source import STANDALONE, Source
from aggregator.database.sqlstate import LOCK_NOT_AVAILABLE, sqlstate
from aggregator.database.state import save_state
from aggregator.errors import BackfillRunningError, WorkerLostError
from aggregator.metrics.windows import HOUR, ceil_hour, floor_hour
from aggregator.passes.recompute import chunks, recompute_in_transaction
from aggregator.passes.workers import Workers
from aggregator.passes.write import Written

ATTEMPTS = 3
"""Attempts for a chunk whose worker dies each time."""

log = logging.getLogger(__name__)

Chunk = tuple[datetime, datetime]
"""A half-open range of hours whose turns fit in memory, UTC."""

OnChunkDone = Callable[[Chunk, Written], None]
"""Called with each finished chunk and its changes, in any order."""


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """Report of one backfill.

    Attributes:
        since: First hour, UTC.
        until: End of the last hour, exclusive, UTC.
        written: Rows that changed, per scope.
        seconds: Duration.
    """

    since: datetime
    until: datetime
    written: Written
    seconds: float

    @property
    def hours(self) -> int:
        """Number of hours that were recomputed."""
        return (self.until - self.since) // HOUR


def backfill(
    engine: Engine,
    since: datetime,
    until: datetime,
    *,
    source: Source = STANDALONE,
    workers: Workers | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> BackfillReport:
    """Recompute all metrics of a range from its turns.

    Passes wait while a chunk is written, and chunks wait for a pass.

    Args:
        engine: The database with turns and metrics. Workers connect to its URL.
        since: Start, in any zone; rounded down to the hour.
        until: End, exclusive, in any zone; rounded up to the hour.
        source: Columns of the turns and agents in this database.
        workers: Executor that computes; None for this thread.
        progress: Called with the number of finished hours and of all hours.

    Raises:
        BackfillRunningError: Another backfill is running on this database.
        WorkerLostError: The worker of one chunk died at every attempt.
    """
    started = time.perf_counter()
    since, until = floor_hour(since), ceil_hour(until)
    total = (until - since) // HOUR
    hours, written = 0, Written()

    def on_done(chunk: Chunk, changed: Written) -> None:
        nonlocal hours, written
        hours, written = hours + (chunk[1] - chunk[0]) // HOUR, written + changed
        progress(hours, total)

    with _backfill_lock(engine):
        progress(0, total)
        with engine.connect() as conn:
            todo = deque(chunks(conn, since, until, source))
        if workers:
            _run_workers(engine.url, todo, source, workers, on_done)
        else:
            for chunk in todo:
                on_done(chunk, _recompute_with_retries(engine, *chunk, source))
        _record_change(engine, written)
    return BackfillReport(since, until, written, time.perf_counter() - started)


def _record_change(engine: Engine, written: Written) -> None:
    if written.any:
        with engine.begin() as conn:
            save_state(conn, conn.scalars(select(func.now())).one(), changed=True)


@contextmanager
def _backfill_lock(engine: Engine) -> Iterator[None]:
    with locks.try_session_lock(engine, locks.BACKFILL) as ours:
        if not ours:
            raise BackfillRunningError(display_url(engine.url))
        yield


def _run_workers(
    url: URL, todo: deque[Chunk], source: Source, workers: Workers, on_done: OnChunkDone
) -> None:
    """Let workers recompute all chunks, even if workers die.

    A pool that breaks loses all chunks it was working on. These then run one at a time,
    so that a chunk that breaks its worker every time is identified.
    """
    suspects = deque[Chunk]()
    losses = Counter[Chunk]()
    while todo or suspects:
        queue, at_once = (suspects, 1) if suspects else (todo, workers.at_once)
        lost = _run_executor(url, queue, source, replace(workers, at_once=at_once), on_done)
        suspects.extendleft(reversed(lost))
        losses.update(lost)
        for chunk in lost:
            if losses[chunk] == ATTEMPTS:
                raise WorkerLostError(*chunk, ATTEMPTS)


def _run_executor(
    url: URL, todo: deque[Chunk], source: Source, workers: Workers, on_done: OnChunkDone
) -> list[Chunk]:
    """Run chunks from ``todo`` until it is empty or a worker is lost.

    Returns:
        The chunks that lost workers were working on.
    """
    lost: list[Chunk] = []
    running: dict[Future[Written], Chunk] = {}
    limit = workers.at_once or len(todo)
    with workers.open() as executor:
        while running or (todo and not lost):
            while todo and not lost and len(running) < limit:
                chunk = todo.popleft()
                try:
                    future = executor.submit(recompute_chunk, url, *chunk, source)
                except workers.lost:
                    lost.append(chunk)
                else:
                    running[future] = chunk
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                chunk = running.pop(future)
                try:
                    written = future.result()
                except workers.lost:
                    lost.append(chunk)
                else:
                    on_done(chunk, written)
    return sorted(lost)


def recompute_chunk(url: URL, since: datetime, until: datetime, source: Source) -> Written:
    """Recompute one chunk in a worker, which has nothing but these arguments.

    The address is a URL object rather than a text, so that its password is never shown.
    """
    engine = connect(url, purpose="backfill")
    try:
        return _recompute_with_retries(engine, since, until, source)
    finally:
        engine.dispose()


def _recompute_with_retries(
    engine: Engine, since: datetime, until: datetime, source: Source
) -> Written:
    """Recompute one chunk, retrying after each lock time-out, however long a pass takes."""
    while True:
        try:
            return recompute_in_transaction(engine, since, until, source)
        except OperationalError as failure:
            if sqlstate(failure) != LOCK_NOT_AVAILABLE:
                raise
            log.warning("still waiting for a pass to end, or for locks on rows of %s", since)
