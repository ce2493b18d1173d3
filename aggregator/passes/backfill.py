"""Recompute a long range of hours on any executor.

Agents are independent of each other, and so are hours once the intervals of all agents are
there. So a backfill is a map over batches of agents, and then a map over chunks of hours. A
worker reads, computes and writes each of these in a transaction of its own. Results
therefore never leave the worker, it may die at any moment, and what is finished stays
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

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from aggregator.database import locks
from aggregator.database.engine import connect, display_url
from aggregator.database.facts import Windows
from aggregator.database.source import STANDALONE, Source
from aggregator.database.sqlstate import LOCK_NOT_AVAILABLE, sqlstate
from aggregator.database.state import save_state
from aggregator.errors import BackfillRunningError, WorkerLostError
from aggregator.metrics.windows import HOUR, ceil_hour, floor_hour
from aggregator.passes.affected import whole_agents
from aggregator.passes.recompute import chunks, recompute_in_transaction
from aggregator.passes.timelines import recompute_agents_in_transaction
from aggregator.passes.workers import Workers
from aggregator.passes.write.metrics import Written

ATTEMPTS = 3
"""Attempts for a chunk whose worker dies each time."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a backfill whose facts fit in memory: a chunk of hours, or a batch of agents.

    Attributes:
        since: First hour, UTC.
        until: End of the last hour, exclusive, UTC.
        agents: The agents whose intervals are computed; None for metrics of these hours.
    """

    since: datetime
    until: datetime
    agents: Windows | None = None

    @property
    def hours(self) -> int:
        """Number of hours whose metrics are computed."""
        return 0 if self.agents else (self.until - self.since) // HOUR

    def __str__(self) -> str:
        hours = f"the hours from {self.since:%FT%H:%MZ} to {self.until:%FT%H:%MZ}"
        if self.agents is None:
            return hours
        count = len(self.agents.agents)
        return f"the intervals of {count} agent{'s' if count > 1 else ''} for {hours}"


OnPartDone = Callable[[Part, Written], None]
"""Called with each finished part and its changes, in any order."""


def _batches_of_agents(
    conn: Connection, since: datetime, until: datetime, source: Source
) -> Iterator[Part]:
    for agents in whole_agents(conn, since, source):
        yield Part(since, until, agents)


def _chunks_of_hours(
    conn: Connection, since: datetime, until: datetime, source: Source
) -> Iterator[Part]:
    for start, end in chunks(conn, since, until, source):
        yield Part(start, end)


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
    """Recompute the intervals of agents that were there in a range, and all its metrics.

    Passes wait while a part is written, and parts wait for a pass. Hours outside the range
    whose intervals have changed are left to the next pass.

    Args:
        engine: The database with turns and metrics. Workers connect to its URL.
        since: Start, in any zone; rounded down to the hour.
        until: End, exclusive, in any zone; rounded up to the hour.
        source: Columns of the turns and agents in this database.
        workers: Executor that computes; None for this thread.
        progress: Called with the number of finished hours and of all hours.

    Raises:
        BackfillRunningError: Another backfill is running on this database.
        WorkerLostError: The worker of one part died at every attempt.
    """
    started = time.perf_counter()
    since, until = floor_hour(since), ceil_hour(until)
    total = (until - since) // HOUR
    hours, written = 0, Written()

    def on_done(part: Part, changed: Written) -> None:
        nonlocal hours, written
        hours, written = hours + part.hours, written + changed
        progress(hours, total)

    with _backfill_lock(engine):
        progress(0, total)
        for cut in (_batches_of_agents, _chunks_of_hours):
            with engine.connect() as conn:
                todo = deque(cut(conn, since, until, source))
            if workers:
                _run_workers(engine.url, todo, source, workers, on_done)
            else:
                for part in todo:
                    on_done(part, _recompute_with_retries(engine, part, source))
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
    url: URL, todo: deque[Part], source: Source, workers: Workers, on_done: OnPartDone
) -> None:
    """Let workers recompute all parts, even if workers die.

    A pool that breaks loses all parts it was working on. These then run one at a time, so
    that a part that breaks its worker every time is identified.
    """
    suspects = deque[Part]()
    losses = Counter[Part]()
    while todo or suspects:
        queue, at_once = (suspects, 1) if suspects else (todo, workers.at_once)
        lost = _run_executor(url, queue, source, replace(workers, at_once=at_once), on_done)
        suspects.extendleft(reversed(lost))
        losses.update(lost)
        for part in lost:
            if losses[part] == ATTEMPTS:
                raise WorkerLostError(str(part), ATTEMPTS)


def _run_executor(
    url: URL, todo: deque[Part], source: Source, workers: Workers, on_done: OnPartDone
) -> list[Part]:
    """Run parts from ``todo`` until it is empty or a worker is lost.

    Returns:
        The parts that lost workers were working on, in their order.
    """
    lost: set[Part] = set()
    started: list[Part] = []
    running: dict[Future[Written], Part] = {}
    limit = workers.at_once or len(todo)
    with workers.open() as executor:
        while running or (todo and not lost):
            while todo and not lost and len(running) < limit:
                part = todo.popleft()
                started.append(part)
                try:
                    future = executor.submit(recompute_part, url, part, source)
                except workers.lost:
                    lost.add(part)
                else:
                    running[future] = part
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                part = running.pop(future)
                try:
                    written = future.result()
                except workers.lost:
                    lost.add(part)
                else:
                    on_done(part, written)
    return [part for part in started if part in lost]


def recompute_part(url: URL, part: Part, source: Source) -> Written:
    """Recompute one part in a worker, which has nothing but these arguments.

    The address is a URL object rather than a text, so that its password is never shown.
    """
    engine = connect(url, purpose="backfill")
    try:
        return _recompute_with_retries(engine, part, source)
    finally:
        engine.dispose()


def _recompute_with_retries(engine: Engine, part: Part, source: Source) -> Written:
    """Recompute one part, retrying after each lock time-out, however long a pass takes."""
    while True:
        try:
            if part.agents is not None:
                return recompute_agents_in_transaction(engine, part.agents, part.since, source)
            return recompute_in_transaction(engine, part.since, part.until, source)
        except OperationalError as failure:
            if sqlstate(failure) != LOCK_NOT_AVAILABLE:
                raise
            log.warning("still waiting for a pass to end, or for locks on rows of %s", part)
