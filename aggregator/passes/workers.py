"""Where a backfill is worked off: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from aggregator.errors import DaskMissingError, DaskUnreachableError, SettingError

DASK_SECONDS = 10
"""Time for a Dask scheduler to answer."""
ADDRESS = re.compile(r"(tcp|tls)://(?P<host>[^/]+):(?P<port>[0-9]{1,5})")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workers:
    """How to get an executor, and how to use it.

    Attributes:
        open: Gives a fresh executor, to be used in a ``with`` statement: any of
            :mod:`concurrent.futures`, or another of that kind.
        at_once: Tasks given to it at the same time, None for all. Of a pool that breaks
            with all its tasks, these are the ones that may have broken it.
        lost: What a task raises whose worker died.
    """

    open: Callable[[], AbstractContextManager[Executor]]
    at_once: int | None = None
    lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)


def process_pool(size: int) -> Workers:
    """Processes of this machine; they end with this one, whichever way it ends."""
    return Workers(lambda: _processes(size), at_once=size)


@contextmanager
def _processes(size: int) -> Iterator[Executor]:
    # Not forked: connections and threads of this process must not be in the others.
    context = get_context("spawn")
    ours_gone, ours = context.Pipe(duplex=False)
    with (
        ours_gone,
        ours,
        ProcessPoolExecutor(size, context, initializer=_live_with, initargs=(ours_gone,)) as pool,
    ):
        try:
            yield pool
        except BaseException:  # Ctrl-C as well: the work of the moment is rolled back.
            ours.close()
            raise


def _live_with(parent_gone: Connection) -> None:
    """In a worker: end when the other end of the pipe is closed, and not by Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end() -> None:
        with suppress(EOFError):
            parent_gone.recv()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def dask_cluster(address: str) -> Workers:
    """The workers of a Dask cluster, which must have this package and reach the database.

    Dask itself gives the task of a dead worker to another one, a few times.

    Args:
        address: Of the scheduler, such as ``tcp://host:8786``.

    Raises:
        SettingError: That is no address.
        DaskMissingError: The extra ``dask`` is not installed.
    """
    if not ADDRESS.fullmatch(address):
        raise SettingError("--dask", address, "the address of a scheduler, such as tcp://host:8786")
    try:
        from distributed.scheduler import KilledWorker  # noqa: PLC0415 - an extra, and slow
    except ImportError:
        raise DaskMissingError from None
    return Workers(lambda: _cluster(address), lost=(CancelledError, KilledWorker))


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """Use a cluster.

    Raises:
        DaskUnreachableError: No scheduler answers there.
    """
    from distributed import Client  # noqa: PLC0415

    # A scheduler that goes away is told as an error, and not with a traceback before it.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        _knock_at(address)
        client = Client(address, timeout=DASK_SECONDS, set_as_default=False)
    except (OSError, TypeError) as failure:
        reason = getattr(failure, "strerror", None) or " ".join(str(failure).split())
        raise DaskUnreachableError(address, reason) from None
    with client:
        if not client.nthreads():
            log.warning("the Dask cluster %s has no worker yet; waiting for one", address)
        # Not pure: the same hours again are to be computed again.
        pool = client.get_executor(pure=False)
        try:
            yield pool
        finally:
            # Whoever ends in order has waited for all results; else the rest is dropped.
            pool.shutdown(wait=False)


def _knock_at(address: str) -> None:
    """Fail at once and for a clear reason, where Dask would try for a while."""
    found = ADDRESS.fullmatch(address)
    assert found is not None
    socket.create_connection((found["host"].strip("[]"), int(found["port"])), DASK_SECONDS).close()
