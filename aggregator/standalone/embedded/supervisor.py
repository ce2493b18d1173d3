"""Keep the embedded PostgreSQL alive exactly as long as a process uses it.

A server that its user starts as a child outlives that user's ``kill -9``. So a
small process of its own, the supervisor, waits until nobody uses the server any more,
and stops it then. This module is both: the supervisor's program, run by its path
(see :func:`main`), and the functions that it shares with
:mod:`aggregator.standalone.embedded`. To start fast and to stay small it imports nothing but
the standard library, and psutil late.

Who lives is told by ``flock`` on four files, because the kernel gives up a lock
whichever way its holder ends, and never takes a stranger for it:

===============  ====================================================================
``start.lock``   held by who starts, joins or leaves: one at a time
``users.lock``   shared by every user; held alone by who stops the server
``server.lock``  held by the server: its processes inherit it, down to the last one
``keeper.lock``  held by the supervisor
===============  ====================================================================

Starting needs ``users.lock`` shared and stopping needs it alone, so that the two
never meet. A forked child of a user is a user too.
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

if sys.platform != "win32":  # There, importing must succeed so that starting can say no.
    import fcntl

START_LOCK = "start.lock"
USERS_LOCK = "users.lock"
SERVER_LOCK = "server.lock"
SUPERVISOR_LOCK = "keeper.lock"

FAST_SECONDS = 10.0
"""Time that PostgreSQL gets for an orderly shutdown, before it is told to drop everything."""
STOP_SECONDS = 20.0
POLL_SECONDS = 0.01


class Postmaster(NamedTuple):
    """The first process of a running server."""

    pid: int
    port: int
    ready: bool


def lock_file(path: Path, *, shared: bool = False, wait: bool = True) -> int:
    """Lock a file, made when absent, and return the descriptor that holds the lock.

    Every call opens the file anew: locks belong to what ``open`` returns, so two
    threads exclude each other as two processes do.

    Raises:
        BlockingIOError: Another one holds it, and ``wait`` is false.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[int]:
    """Hold a lock, whose descriptor this yields, for a while; see :func:`lock_file`."""
    descriptor = lock_file(path, shared=shared, wait=wait)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_free(path: Path) -> bool:
    """Tell whether nobody holds the file locked alone."""
    try:
        os.close(lock_file(path, shared=True, wait=False))
    except BlockingIOError:
        return False
    except FileNotFoundError:  # The whole folder was deleted.
        return True
    return True


def named_port(data: Path) -> int | None:
    """The port in ``postmaster.pid``, which may be left over from a killed server."""
    lines = _pid_file(data)
    port = int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else 0
    return port if 0 < port < 65536 else None


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that runs on a data folder, or None.

    A pid file outlives a killed server, and its pid may have gone to a stranger: it
    counts only when that process is a PostgreSQL started on this very folder. Its
    arguments tell; its working folder would, too, but in a container root may not
    read that of another account.
    """
    lines = _pid_file(data)
    port = named_port(data)
    if port is None or not lines[0].isdigit():
        return None
    import psutil  # noqa: PLC0415 - it must not delay the supervisor's start

    pid = int(lines[0])
    try:
        program, *arguments = psutil.Process(pid).cmdline() or [""]
    except psutil.Error:
        return None
    if Path(program).name != "postgres" or str(data) not in arguments:
        return None
    return Postmaster(pid, port, ready=len(lines) > 7 and lines[7].strip() == "ready")


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def stop(home: Path, data: Path) -> None:
    """Shut the server down; return when none of its processes is left.

    The caller holds ``users.lock`` alone, so nobody can be starting it. A server
    that holds no ``server.lock`` was not started here and is left alone.

    Raises:
        TimeoutError: It is still there after ``STOP_SECONDS``.
    """
    begun = time.monotonic()
    while not is_free(home / SERVER_LOCK):
        waited = time.monotonic() - begun
        if waited > STOP_SECONDS:
            raise TimeoutError(f"PostgreSQL on {data} does not stop")
        # Again and again: one who was killed while starting may have left a server
        # that has yet to write its pid file. To PostgreSQL a repetition says nothing new.
        if postmaster := find_postmaster(data):
            with suppress(ProcessLookupError):
                os.kill(postmaster.pid, signal.SIGINT if waited < FAST_SECONDS else signal.SIGQUIT)
        time.sleep(POLL_SECONDS)


def launch(home: Path, account: str, command: list[str]) -> None:
    """Start PostgreSQL as a process that holds ``server.lock`` as long as it lives.

    Args:
        home: Folder of the locks.
        account: ``uid:gid`` to run as, or empty for the caller's own.
        command: The program and its arguments.
    """
    uid, gid = (int(part) for part in account.split(":")) if account else (None, None)
    with locked(home / SERVER_LOCK, wait=False) as server_lock:
        subprocess.Popen(  # noqa: S603 - the command is ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            pass_fds=(server_lock,),
            # No PG* variable of the user may reach it, and messages must be English.
            env={"LC_ALL": "C", "TZ": "UTC"},
            user=uid,
            group=gid,
            extra_groups=None if gid is None else [],
        )


def keep(home: Path, data: Path, supervisor_lock: int) -> None:
    """Wait until nobody uses the server any more, and stop it."""
    # Now: at the end the Python environment may have been deleted.
    import psutil  # noqa: F401, PLC0415

    with locked(home / USERS_LOCK):
        stop(home, data)
        # Before users.lock: whoever waits for that one must not find a supervisor
        # that is about to end.
        os.close(supervisor_lock)


def main(home: Path, data: Path, users_lock: int, account: str, command: list[str]) -> None:
    """Start the server if there is a command, and become the supervisor if there is none yet.

    Standard output ends as soon as both are there; it is not empty if this process
    is the supervisor now.

    Args:
        home: Folder of the locks.
        data: Data folder of the server.
        users_lock: Descriptor of the lock shared with the caller. It keeps the
            server from being stopped before it runs, even if the caller is killed.
        account: See :func:`launch`.
        command: How to start PostgreSQL, or empty if it runs already.
    """
    supervisor_lock = None
    with suppress(BlockingIOError):
        supervisor_lock = lock_file(home / SUPERVISOR_LOCK, wait=False)
    if command:
        launch(home, account, command)
    if supervisor_lock is not None:
        # Without this, PostgreSQL would stay a zombie until the supervisor ends.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        os.close(users_lock)
        with suppress(BrokenPipeError):  # The caller was killed meanwhile.
            os.write(1, b"supervisor")
        os.dup2(2, 1)
        keep(home, data, supervisor_lock)


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    main(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6:])
