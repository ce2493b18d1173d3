"""Work that several requests need at the same time, done once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from aggregator.forks import in_forked_children

Result = TypeVar("Result")


class SingleFlight:
    """Runs work of the same key once at a time; whoever asks meanwhile gets the same result.

    Nothing is kept: who asks after the work has ended has it done anew. So a result is at
    most as old as the work takes.
    """

    def __init__(self) -> None:
        self._forget()
        in_forked_children(self, SingleFlight._forget)

    def _forget(self) -> None:
        # In a forked child nobody does the work that is running here.
        self._lock = threading.Lock()
        self._running: dict[Hashable, Future[Any]] = {}

    def is_running(self, key: Hashable) -> bool:
        """Return whether somebody does the work of a key at this moment."""
        return key in self._running

    def do(self, key: Hashable, work: Callable[[], Result]) -> Result:
        """Return the result of work, or raise what it raises. Results are shared: only read them.

        Args:
            key: Names the result: work of the same key has the same.
            work: Does it, in the thread of the first who asks.
        """
        with self._lock:
            running: Future[Result] | None = self._running.get(key)
            if running is None:
                mine: Future[Result] = Future()
                self._running[key] = mine
        if running is not None:
            return running.result()
        try:
            mine.set_result(work())
        except BaseException as failure:
            mine.set_exception(failure)
            raise
        finally:
            with self._lock:
                del self._running[key]
        return mine.result()


class Places:
    """Places for those who do the same kind of work at once.

    Args:
        count: Number of places.
        patience: Seconds to wait for a place; whoever finds none in that time does without,
            so that one who hangs holds up nobody for longer.
    """

    def __init__(self, count: int, patience: float) -> None:
        self._count = count
        self._patience = patience
        self._forget()
        in_forked_children(self, Places._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._places = threading.Semaphore(self._count)
        self._free = self._count

    @property
    def free(self) -> int:
        """Number of free places, from 0 to all of them."""
        return self._free

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place for the time of the context, and wait for it."""
        if not self._places.acquire(timeout=self._patience):
            yield
            return
        with self._lock:
            self._free -= 1
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
            self._places.release()


class Batches:
    """Runs work in a few places; whoever waits with the same key gets the same result.

    Unlike with :class:`SingleFlight`, nobody gets a result whose work had begun before: all
    that a result may depend on is read after everybody asked who gets it.

    Args:
        places: Where work is done. While one of them is free, nothing is shared.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._forget()
        in_forked_children(self, Batches._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, Future[Any]] = {}

    def do(self, key: Hashable, work: Callable[[], Result]) -> Result:
        """Return the result of work, or raise what it raises. Results are shared: only read them.

        Args:
            key: Names the result: work of the same key has the same.
            work: Does it, in the thread of the first who waits.
        """
        mine: Future[Result] = Future()
        with self._lock:
            waiting: Future[Result] = self._waiting.setdefault(key, mine)
        if waiting is not mine:
            return waiting.result()
        with self._places.one():
            with self._lock:
                del self._waiting[key]
            try:
                mine.set_result(work())
            except BaseException as failure:
                mine.set_exception(failure)
                raise
            return mine.result()
