"""Recomputing a long range of hours, on any executor.

Hours do not depend on each other: a backfill is a map over chunks of hours, each
read, computed and written by a worker in a transaction of its own. So results never
travel, a worker may die at any moment, and what is done stays done.
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

from psycopg2.errors import LockNotAvailable
from sqlalchemy import Engine, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from aggregator.database import locks
from aggregator.database.engine import connect, display_url
from aggregator.database.source import STANDALONE, Source
from aggregator.database.state import save_state
from aggregator.errors import BackfillRunningError, WorkerLostError
from aggregator.metrics.windows import HOUR, ceil_hour, floor_hour
from aggregator.passes.recompute import chunks, recompute_alone
from aggregator.passes.workers import Workers
from aggregator.passes.write import Written

ATTEMPTS = 3
"""Times that a stretch is tried whose worker dies."""

log = logging.getLogger(__name__)

Chunk = tuple[datetime, datetime]
"""A half-open range of hours, UTC."""

OnChunkDone = Callable[[Chunk, Written], None]
"""Hears of each stretch when it is done, in any order."""


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """What a backfill did.

    Attributes:
        since: First hour, UTC.
        until: End of the last hour, exclusive, UTC.
        written: Rows that changed, per scope.
        seconds: How long it took.
    """

    since: datetime
    until: datetime
    written: Written
    seconds: float

    @property
    def hours(self) -> int:
        """How many hours were recomputed."""
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
    """Make the metrics of a range equal to what its turns give.

    Passes wait while a stretch is written, and chunks wait for a pass.

    Args:
        engine: The database with turns and metrics. Workers connect to its URL.
        since: Start, any zone; the hour that holds it is recomputed whole.
        until: End, exclusive, any zone; up to the end of its hour.
        source: Where the database keeps its turns.
        workers: Who computes, None for this thread.
        progress: Called with the hours done so far, and all of them.

    Raises:
        BackfillRunningError: Another one is running on the same database.
        WorkerLostError: A stretch's worker died each time it was tried.
    """
    started = time.perf_counter()
    since, until = floor_hour(since), ceil_hour(until)
    total = (until - since) // HOUR
    hours, written = 0, Written()

    def done(stretch: Chunk, changed: Written) -> None:
        nonlocal hours, written
        hours, written = hours + (stretch[1] - stretch[0]) // HOUR, written + changed
        progress(hours, total)

    with _only_backfill(engine):
        progress(0, total)
        with engine.connect() as conn:
            todo = deque(chunks(conn, since, until, source))
        if workers:
            _work_off(engine.url, todo, source, workers, done)
        else:
            for stretch in todo:
                done(stretch, _recompute_in_turn(engine, *stretch, source))
        _note_change(engine, written)
    return BackfillReport(since, until, written, time.perf_counter() - started)


def _note_change(engine: Engine, written: Written) -> None:
    if written.any:
        with engine.begin() as conn:
            save_state(conn, conn.scalars(select(func.now())).one(), changed=True)


@contextmanager
def _only_backfill(engine: Engine) -> Iterator[None]:
    with locks.try_session_lock(engine, locks.BACKFILL) as ours:
        if not ours:
            raise BackfillRunningError(display_url(engine.url))
        yield


def _work_off(
    url: URL, todo: deque[Chunk], source: Source, workers: Workers, done: OnChunkDone
) -> None:
    """Have all chunks recomputed by workers, whatever becomes of these.

    A pool that breaks loses all that it was working on. Each of these chunks then
    goes alone, so that one that breaks its worker every time is found and named.
    """
    suspects = deque[Chunk]()
    losses = Counter[Chunk]()
    while todo or suspects:
        now, at_once = (suspects, 1) if suspects else (todo, workers.at_once)
        lost = _use_executor(url, now, source, replace(workers, at_once=at_once), done)
        suspects.extendleft(reversed(lost))
        losses.update(lost)
        for stretch in lost:
            if losses[stretch] == ATTEMPTS:
                raise WorkerLostError(*stretch, ATTEMPTS)


def _use_executor(
    url: URL, todo: deque[Chunk], source: Source, workers: Workers, done: OnChunkDone
) -> list[Chunk]:
    """Take chunks from ``todo`` until it is empty or a worker is lost.

    Returns:
        The chunks that were with a worker that was lost.
    """
    lost: list[Chunk] = []
    running: dict[Future[Written], Chunk] = {}
    most = workers.at_once or len(todo)
    with workers.open() as executor:
        while running or (todo and not lost):
            while todo and not lost and len(running) < most:
                stretch = todo.popleft()
                try:
                    future = executor.submit(recompute_chunk, url, *stretch, source)
                except workers.lost:
                    lost.append(stretch)
                else:
                    running[future] = stretch
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                stretch = running.pop(future)
                try:
                    written = future.result()
                except workers.lost:
                    lost.append(stretch)
                else:
                    done(stretch, written)
    return sorted(lost)


def recompute_chunk(url: URL, since: datetime, until: datetime, source: Source) -> Written:
    """In a worker: recompute one stretch; the arguments are all that it gets.

    The address is no text but a URL, which hides its password wherever it is shown.
    """
    engine = connect(url, purpose="backfill")
    try:
        return _recompute_in_turn(engine, since, until, source)
    finally:
        engine.dispose()


def _recompute_in_turn(engine: Engine, since: datetime, until: datetime, source: Source) -> Written:
    """Recompute one stretch, however long a pass that is at work may take."""
    while True:
        try:
            return recompute_alone(engine, since, until, source)
        except OperationalError as failure:
            if not isinstance(failure.orig, LockNotAvailable):
                raise
            log.warning("still waiting for a pass to end, or for who holds rows of %s", since)
