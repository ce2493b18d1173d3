"""Executors for a backfill: processes of this machine, or a Dask cluster."""

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
"""Time limit for a Dask scheduler to answer."""
ADDRESS = re.compile(r"(tcp|tls)://(?P<host>[^/]+):(?P<port>[0-9]{1,5})")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workers:
    """A way to create and use an executor.

    Attributes:
        open: Creates an executor, as a context manager: any of :mod:`concurrent.futures`,
            or a compatible one.
        at_once: Number of tasks submitted at one time, None for all. If the pool breaks,
            these are the tasks that may have broken it.
        lost: Exceptions of a task whose worker died.
    """

    open: Callable[[], AbstractContextManager[Executor]]
    at_once: int | None = None
    lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)


def process_pool(size: int) -> Workers:
    """Use processes of this machine, which end with this process, however it ends."""
    return Workers(lambda: _processes(size), at_once=size)


@contextmanager
def _processes(size: int) -> Iterator[Executor]:
    # Spawned, not forked: workers must not inherit connections and threads of this process.
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    with (
        receiver,
        sender,
        ProcessPoolExecutor(
            size, context, initializer=_exit_with_parent, initargs=(receiver,)
        ) as pool,
    ):
        try:
            yield pool
        except BaseException:  # Also Ctrl-C: the workers end, and the database rolls back.
            sender.close()
            raise


def _exit_with_parent(parent: Connection) -> None:
    """Let a worker exit when the parent's end of the pipe is closed, but not on Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end() -> None:
        with suppress(EOFError):
            parent.recv()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def dask_cluster(address: str) -> Workers:
    """Use the workers of a Dask cluster, which need this package and access to the database.

    Dask itself gives the task of a dead worker to another worker, a few times.

    Args:
        address: Address of the scheduler, such as ``tcp://host:8786``.

    Raises:
        SettingError: The address is malformed.
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
    """Connect to a cluster and yield its executor.

    Raises:
        DaskUnreachableError: No scheduler answers there.
    """
    from distributed import Client  # noqa: PLC0415

    # If the scheduler goes away, our error is enough; hide the client's traceback.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        _check_reachable(address)
        client = Client(address, timeout=DASK_SECONDS, set_as_default=False)
    except (OSError, TypeError) as failure:
        reason = getattr(failure, "strerror", None) or " ".join(str(failure).split())
        raise DaskUnreachableError(address, reason) from None
    with client:
        if not client.nthreads():
            log.warning("the Dask cluster %s has no worker yet; waiting for one", address)
        # Not pure: Dask must not reuse an earlier result for the same hours.
        pool = client.get_executor(pure=False)
        try:
            yield pool
        finally:
            # A normal exit has waited for all results; after an error the rest is dropped.
            pool.shutdown(wait=False)


def _check_reachable(address: str) -> None:
    """Fail at once with a clear reason, where Dask would keep trying for a while."""
    found = ADDRESS.fullmatch(address)
    assert found is not None
    socket.create_connection((found["host"].strip("[]"), int(found["port"])), DASK_SECONDS).close()
