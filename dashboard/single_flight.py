"""Work that several requests need at the same time, done once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
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
