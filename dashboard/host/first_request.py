"""Start background jobs in the processes that serve requests."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Protocol

from flask import Flask

from aggregator.errors import ActivityError


class Startable(Protocol):
    """Background work of a process."""

    def start(self) -> None:
        """Start it; do nothing if it already runs in this process."""


def start_with_first_request(app: Flask, jobs: Startable) -> None:
    """Start the jobs with the first request that a process answers.

    Not when the application is made: with ``gunicorn --preload`` that happens in a
    process that only forks the workers, with a reloader in one that only watches files,
    and with ``flask <command>`` in one that never serves. An application under test
    (``app.testing``) starts nothing.

    Args:
        app: The server; it may be wrapped or mounted elsewhere later.
        jobs: Started once per process, so a later ``stop()`` is final.
    """
    answer = app.wsgi_app
    started_in: set[int] = set()

    def start_and_answer(environ: Any, start_response: Any) -> Iterable[bytes]:
        # A forked child inherits this set, so it holds process ids.
        if os.getpid() not in started_in and not app.testing:
            started_in.add(os.getpid())
            try:
                jobs.start()
            except ActivityError as error:
                # The host's own pages must still be answered.
                app.logger.error("Activity makes no passes: %s", error)
        return answer(environ, start_response)

    app.wsgi_app = start_and_answer  # type: ignore[method-assign]
