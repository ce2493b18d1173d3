"""The web server of ``headspace-activity serve``: waitress, with limits for hostile clients."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable
from typing import Any, cast

from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ThreadedTaskDispatcher

THREADS = 48
"""More than may use the database at once: others answer what needs no database."""
MOST_CONNECTIONS = 2_000
"""A browser keeps up to six open, a hostile client as many as it can."""
OTHER_FILES = 200
"""Descriptors for everything but connections of clients."""
IDLE_SECONDS = 30
LARGEST_BODY = 2**20
STOP_SECONDS = 1
"""Time for running requests when the server ends."""


def serve_until_stopped(
    application: Callable[..., Any],
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    idle_seconds: int = IDLE_SECONDS,
) -> None:
    """Answer requests until SystemExit or KeyboardInterrupt.

    Args:
        application: The WSGI application.
        listener: A socket that is bound.
        ready: Called when connections are accepted.
        idle_seconds: Time for a request to arrive, and for a connection without one to be
            kept.
    """
    dispatcher = _Threads()
    dispatcher.set_thread_count(THREADS)
    server = create_server(
        application,
        sockets=[listener],
        ident=None,
        connection_limit=_most_connections(),
        channel_timeout=idle_seconds,
        cleanup_interval=min(5, idle_seconds),
        # Waitress refuses this size, too.
        max_request_body_size=LARGEST_BODY + 1,
        # The default, select, knows only the first 1024 descriptors.
        asyncore_use_poll=True,
        _dispatcher=dispatcher,
    )
    # Of one socket, waitress makes one server; its class names the class of connections.
    cast("BaseWSGIServer", server).channel_class = _Channel
    ready()
    server.run()


def _most_connections() -> int:
    """Return how many connections the process may have, after allowing itself more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return (
        MOST_CONNECTIONS
        if soft == resource.RLIM_INFINITY
        else min(MOST_CONNECTIONS, max(100, soft - OTHER_FILES))
    )


class _Channel(HTTPChannel):
    """A connection whose request has to arrive in time, however slowly it trickles in."""

    _request_began = 0.0

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self._request_began = time.time()
        answer = bool(super().received(data))
        if self.request is not None:
            # Waitress closes connections without activity; more of a request is none.
            self.last_activity = self._request_began
        return answer


class _Threads(ThreadedTaskDispatcher):
    """Threads that get little time to finish when the server ends."""

    def shutdown(self, cancel_pending: bool = True, timeout: int = STOP_SECONDS) -> bool:
        return bool(super().shutdown(cancel_pending, timeout))
