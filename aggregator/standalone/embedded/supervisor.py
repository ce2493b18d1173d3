"""Keep the embedded PostgreSQL running exactly as long as a process uses it.

A server started as a child would survive a ``kill -9`` of its user. Therefore a small
separate process, the supervisor, waits until no process uses the server any more, and
then stops it. This module is both the supervisor's program, run by its path (see
:func:`main`), and the functions that it shares with
:mod:`aggregator.standalone.embedded`. To start fast and stay small it imports only the
standard library, and psutil late.

``flock`` on four files shows which processes are alive, because the kernel releases a
lock however its holder ends, and never confuses the holder with another process:

===============  =====================================================================
``start.lock``   held by a process that starts, joins or leaves the server
``users.lock``   shared by all users; exclusive for the process that stops the server
``server.lock``  held by the server: all its processes inherit it
``keeper.lock``  held by the supervisor
===============  =====================================================================

Starting needs ``users.lock`` shared and stopping needs it exclusive, so that the two
never overlap. A forked child of a user is a user too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

if sys.platform != "win32":  # On Windows the import must succeed; starting then refuses.
    import fcntl

START_LOCK = "start.lock"
USERS_LOCK = "users.lock"
SERVER_LOCK = "server.lock"
SUPERVISOR_LOCK = "keeper.lock"

FAST_SECONDS = 10.0
"""Time for PostgreSQL's fast shutdown, before the supervisor tries an immediate one."""
IMMEDIATE_SECONDS = 20.0
"""Time until it is killed: a stopped process does not hear of a shutdown."""
STOP_SECONDS = 30.0
POLL_SECONDS = 0.01


class Postmaster(NamedTuple):
    """The first process of a running server."""

    pid: int
    port: int
    ready: bool


def lock_file(path: Path, *, shared: bool = False, wait: bool = True) -> int:
    """Lock a file, creating it if missing, and return the descriptor that holds the lock.

    Every call opens the file again: a lock belongs to an open file description, so two
    threads exclude each other just as two processes do.

    Raises:
        BlockingIOError: The lock is held elsewhere, and ``wait`` is false.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    try:
        fcntl.flock(descriptor, operation)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[int]:
    """Hold a lock and yield its descriptor; see :func:`lock_file`."""
    descriptor = lock_file(path, shared=shared, wait=wait)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_free(path: Path) -> bool:
    """Return whether no process holds an exclusive lock on the file."""
    try:
        os.close(lock_file(path, shared=True, wait=False))
    except BlockingIOError:
        return False
    except FileNotFoundError:  # The whole folder was deleted.
        return True
    return True


def recorded_port(data: Path) -> int | None:
    """Return the port in ``postmaster.pid``, which may be left over from a killed server."""
    return _port_in(_pid_file(data))


def find_postmaster(data: Path) -> Postmaster | None:
    """Return the server that runs on a data folder, or None.

    A pid file survives a killed server, and its pid may belong to another program by
    now: it counts only if that process is a PostgreSQL started on this very folder. Its
    arguments are checked rather than its working folder, because in a container root may
    not read the working folder of another account's process.
    """
    # Read once: the server may be writing it.
    lines = _pid_file(data)
    port = _port_in(lines)
    if port is None or not lines[0].isdigit():
        return None
    import psutil  # noqa: PLC0415 - importing it must not delay the supervisor's start

    pid = int(lines[0])
    try:
        program, *arguments = psutil.Process(pid).cmdline() or [""]
    except psutil.Error:
        return None
    if Path(program).name != "postgres" or str(data) not in arguments:
        return None
    return Postmaster(pid, port, ready=len(lines) > 7 and lines[7].strip() == "ready")


def _port_in(lines: list[str]) -> int | None:
    port = int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else 0
    return port if 0 < port < 65536 else None


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def stop(home: Path, data: Path, seconds: float = STOP_SECONDS) -> None:
    """Shut the server down; return when none of its processes is left.

    The caller holds ``users.lock`` exclusively, so no process can be starting it. A
    server that does not hold ``server.lock`` was not started here and is left alone.

    Raises:
        TimeoutError: The server is still running after some seconds.
    """
    started = time.monotonic()
    while not is_free(home / SERVER_LOCK):
        waited = time.monotonic() - started
        if waited > seconds:
            raise TimeoutError(f"PostgreSQL on {data} does not stop")
        # Repeatedly: a process killed while starting may leave a server that has not yet
        # written its pid file. PostgreSQL ignores a repeated signal.
        if postmaster := find_postmaster(data):
            _signal(postmaster.pid, waited)
        time.sleep(POLL_SECONDS)


def _signal(postmaster: int, waited: float) -> None:
    """Tell the server to shut down, the harder the longer it takes."""
    if waited < IMMEDIATE_SECONDS:
        with suppress(ProcessLookupError):
            os.kill(postmaster, signal.SIGINT if waited < FAST_SECONDS else signal.SIGQUIT)
        return
    import psutil  # noqa: PLC0415 - see find_postmaster

    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(postmaster)
        for process in (first, *first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def launch(home: Path, account: str, command: list[str]) -> None:
    """Start PostgreSQL as a process that holds ``server.lock`` for as long as it runs.

    Args:
        home: Folder of the locks.
        account: ``uid:gid`` to run under, or empty for the caller's own.
        command: Program and arguments.
    """
    uid, gid = (int(part) for part in account.split(":")) if account else (None, None)
    with locked(home / SERVER_LOCK, wait=False) as server_lock:
        subprocess.Popen(  # noqa: S603 - the command is ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            pass_fds=(server_lock,),
            # The user's PG* variables must not reach it, and messages must be in English.
            env={"LC_ALL": "C", "TZ": "UTC"},
            user=uid,
            group=gid,
            extra_groups=None if gid is None else [],
        )


def supervise(home: Path, data: Path, supervisor_lock: int) -> None:
    """Wait until no process uses the server any more, then stop it."""
    # Imported now, because the Python environment may have been deleted by the end.
    import psutil  # noqa: F401, PLC0415

    with locked(home / USERS_LOCK):
        stop(home, data)
        # Released before users.lock: a process waiting for that lock must not find a
        # supervisor that is about to end.
        os.close(supervisor_lock)


def main(home: Path, data: Path, users_lock: int, account: str, command: list[str]) -> None:
    """Start the server if there is a command, and become the supervisor if there is none yet.

    Standard output is closed as soon as both are running; it is not empty if this process
    has become the supervisor.

    Args:
        home: Folder of the locks.
        data: Data folder of the server.
        users_lock: Descriptor of the lock shared with the caller. It keeps the
            server from being stopped before it runs, even if the caller is killed.
        account: See :func:`launch`.
        command: Command that starts PostgreSQL, or empty if it is running.
    """
    supervisor_lock = None
    with suppress(BlockingIOError):
        supervisor_lock = lock_file(home / SUPERVISOR_LOCK, wait=False)
    if command:
        launch(home, account, command)
    if supervisor_lock is not None:
        # Without this, PostgreSQL would remain a zombie until the supervisor ends.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.close(users_lock)
        with suppress(BrokenPipeError):  # The caller was killed meanwhile.
            os.write(1, b"supervisor")
        os.dup2(2, 1)
        supervise(home, data, supervisor_lock)


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    main(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6:])
