"""Do work soon after it was asked for, in the background, and once for many requests."""

from __future__ import annotations

import threading
from collections.abc import Callable

from aggregator.forks import in_forked_children
from aggregator.jobs.retry import run_with_retries

AT_MOST_EVERY = 1.0
"""Shortest time between two runs, in seconds."""


class Soon:
    """Work that requests ask for.

    The first request is followed at once, and those that come meanwhile by one more run.
    A thread exists only while there is something to do.

    Args:
        name: Name of the work in the log.
        work: The work; raises :class:`aggregator.jobs.retry.NotYetError` to be tried again.
    """

    def __init__(self, name: str, work: Callable[[], object]) -> None:
        self._name = name
        self._work = work
        self._forget()
        in_forked_children(self, Soon._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._is_running = False

    def ask(self) -> None:
        """Have the work done soon; returns at once."""
        with self._lock:
            self._asked = True
            if self._is_running:
                return
            self._is_running = True
        threading.Thread(target=self._run, name=f"activity-{self._name}", daemon=True).start()

    def _run(self) -> None:
        never = threading.Event()
        while self._take():
            run_with_retries(self._name, self._work, never)
            never.wait(AT_MOST_EVERY)

    def _take(self) -> bool:
        """Take the requests so far; without any, the thread ends."""
        with self._lock:
            self._is_running, self._asked = self._asked, False
            return self._is_running
