"""Several processes on one database: real servers, real workers, and real kills."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from sqlalchemy import Connection, Engine, create_engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from aggregator.database import locks
from aggregator.database.engine import connect
from aggregator.database.models import ActivityMetric
from aggregator.database.state import last_pass_at
from aggregator.jobs.scheduler import ActivityAggregator
from aggregator.passes.slots import slot_at
from aggregator.passes.write.metrics import Written
from aggregator.schema.migrate import upgrade
from aggregator.settings import Settings
from aggregator.standalone.database import open_database
from aggregator.standalone.embedded import EmbeddedPostgres
from aggregator.standalone.embedded.cluster import data_folder
from aggregator.standalone.embedded.supervisor import find_postmaster

GUNICORN = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--workers=3"]
COMMAND = [sys.executable, "-m", "dashboard"]
ROOT_OF_CODE = Path(__file__).parents[2]
NOW = datetime.now(UTC).replace(minute=30) - timedelta(hours=1)

# Each pass updates the state; this trigger records the process that made it.
WATCH = """
    CREATE TABLE passes_seen (at timestamptz, pid int);
    CREATE FUNCTION see_pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO passes_seen VALUES (
            NEW.last_pass_at,
            substring(current_setting('application_name') FROM '\\((\\d+)\\)')::int
        );
        RETURN NEW;
    END $$;
    CREATE TRIGGER see_pass AFTER INSERT OR UPDATE OF last_pass_at ON activity_state
        FOR EACH ROW EXECUTE FUNCTION see_pass();
"""


def wait_until(
    condition: Callable[[], object], seconds: float = 60, *, every: float = 0.05
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)


# ---- gunicorn ----------------------------------------------------------------------


class Site:
    """A site with three workers that make a pass each second."""

    def __init__(self, home: Path, log: Path, options: list[str]) -> None:
        self.home = home
        self.log = log
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        with log.open("wb") as output:
            self.master = psutil.Popen(
                [
                    *GUNICORN,
                    *options,
                    f"--bind={self.address}",
                    "--access-logfile=-",
                    "--access-logformat=answered by %(p)s",
                    "dashboard.server:create_app()",
                ],
                stdout=output,
                stderr=output,
                cwd=ROOT_OF_CODE,
                env={
                    **os.environ,
                    "ACTIVITY_HOME": str(home),
                    "ACTIVITY_TRANSCRIPTS": str(log.parent),
                    "ACTIVITY_INTERVAL_SECONDS": "1",
                },
                start_new_session=True,
            )

    def workers(self) -> set[int]:
        """Return the processes that have answered a request."""
        lines = self.log.read_text().splitlines()
        return {int(line.split("<")[1].rstrip(">")) for line in lines if "answered by" in line}

    def ask_all(self) -> None:
        """Send requests until each of the three workers has answered once."""

        def ask() -> bool:
            with suppress(OSError), urlopen(f"http://{self.address}/api/metrics/overall"):
                pass
            return len(self.workers()) == 3

        wait_until(ask)

    def passes(self) -> list[tuple[datetime, int]]:
        """Return the time of each pass, and the process that made it."""
        with EmbeddedPostgres(self.home) as server:
            engine = create_engine(server.url(), poolclass=NullPool)
            with engine.connect() as conn:
                return [tuple(row) for row in conn.execute(text("TABLE passes_seen ORDER BY at"))]

    def wait_for_passes(self, more: int, *, but_not_by: int | None = None) -> None:
        """Wait for a number of further passes, not counting those of one process."""
        before = len(self.passes())

        # Each look is a connection to a server that may have been killed.
        wait_until(
            lambda: sum(pid != but_not_by for _, pid in self.passes()[before:]) >= more, every=0.25
        )


@pytest.fixture
def site(
    request: pytest.FixtureRequest, home_with_database: Path, tmp_path: Path
) -> Iterator[Site]:
    home = home_with_database
    settings = Settings.load({"home": home}, {})
    with open_database(settings, purpose="tests") as engine, engine.begin() as conn:
        conn.execute(text(WATCH))
    site = Site(home, tmp_path / "gunicorn.log", request.param)
    yield site
    with suppress(ProcessLookupError):
        os.killpg(site.master.pid, signal.SIGKILL)
    site.master.wait(10)
    wait_until(lambda: find_postmaster(data_folder(home)) is None)


@pytest.mark.parametrize("site", [[], ["--preload"]], ids=["plain", "preload"], indirect=True)
def test_three_workers_make_one_pass_per_interval_whatever_is_killed(site):
    site.ask_all()
    workers = site.workers()
    site.wait_for_passes(3)

    _, killed = site.passes()[-1]
    os.kill(killed, signal.SIGKILL)
    site.wait_for_passes(2, but_not_by=killed)

    kill_postgres(site.home)
    site.wait_for_passes(2)

    passes = site.passes()
    site.master.terminate()
    ended = site.master.wait(60)

    assert len({slot_at(at, 1) for at, _ in passes}) == len(passes)
    assert {pid for _, pid in passes} <= workers - {site.master.pid}
    assert ended == 0
    assert find_postmaster(data_folder(site.home)) is None
    assert "Traceback" not in site.log.read_text()


# ---- Two passes at once, and a kill in the middle --------------------------------------


@pytest.fixture
def history(postgres: EmbeddedPostgres, record) -> Iterator[Engine]:
    """A separate database, because a killed process may leave it locked for a moment."""
    engine = connect(postgres.url("tests_processes", fresh=True), purpose="tests")
    upgrade(engine, "standalone")
    upgrade(engine, "activity")
    with engine.begin() as conn:
        record(conn, "alpha", "a1", [NOW, NOW - timedelta(minutes=1)])
    yield engine
    engine.dispose()


@contextmanager
def pass_held_inside(engine: Engine) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of a pass, blocked until the end of this context."""
    with engine.connect() as conn, conn.begin():
        conn.execute(text("LOCK TABLE activity_metrics IN SHARE MODE"))
        inside = start_pass(engine)
        try:
            wait_until(lambda: waits_for_the_table(conn))
            yield inside
        except BaseException:
            inside.kill()
            inside.communicate()
            raise


def start_pass(engine: Engine) -> subprocess.Popen[str]:
    url = engine.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [*COMMAND, "aggregate"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT_OF_CODE,
        env={**os.environ, "ACTIVITY_DATABASE_URL": url},
    )


def waits_for_the_table(conn: Connection) -> bool:
    waiting = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'activity_metrics'::regclass"
    return conn.scalar(text(f"SELECT EXISTS ({waiting})"))


def is_passing(engine: Engine) -> bool:
    held = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = :key"
    with engine.connect() as conn:
        database = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        return conn.scalar(text(f"SELECT EXISTS ({held} AND {database})"), {"key": locks.PASS})


def turns_in_metrics(engine: Engine) -> list[int]:
    with engine.connect() as conn:
        return list(conn.scalars(select(ActivityMetric.turn_count).order_by(ActivityMetric.id)))


def test_of_two_passes_at_once_one_is_made_and_the_other_leaves_at_once(history):
    with pass_held_inside(history) as first:
        second, _ = start_pass(history).communicate(timeout=60)
    said, _ = first.communicate(timeout=60)

    assert second == "Another process is making a pass right now\n"
    assert said.startswith("Pass in ")
    assert turns_in_metrics(history) == [2, 2, 2]


def test_a_process_killed_in_the_middle_of_a_pass_is_in_nobodys_way(history):
    with pass_held_inside(history) as killed:
        killed.kill()
        killed.communicate(timeout=10)
        wait_until(lambda: not is_passing(history))

    report = ActivityAggregator(history, Settings.load(environ={})).aggregate_once()

    assert report.written == Written(agents=1, projects=1, overall=1, intervals=1)
    assert turns_in_metrics(history) == [2, 2, 2]


# ---- PostgreSQL away and back ------------------------------------------------------------


@pytest.fixture
def server(home_with_database: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(home_with_database) as server:
        yield server


def kill_postgres(home: Path) -> None:
    postmaster = psutil.Process(find_postmaster(data_folder(home)).pid)
    postmaster.kill()
    wait_until(lambda: not postmaster.is_running() or postmaster.status() == "zombie")


@pytest.mark.parametrize("when", ["between", "during"])
def test_a_database_that_was_away_is_caught_up_with(when, server, home, record, caplog):
    engine = connect(server.url("tests"), purpose="tests")
    upgrade(engine, "standalone")
    upgrade(engine, "activity")
    settings = replace(Settings.load(environ={}), interval_seconds=1)
    jobs = ActivityAggregator(engine, settings)
    caplog.set_level("WARNING")

    jobs.start()
    wait_until(lambda: last_pass(engine))
    if when == "between":
        kill_postgres(home)
    else:
        with engine.connect() as conn, suppress(DBAPIError), conn.begin():
            conn.execute(text("LOCK TABLE activity_state IN SHARE MODE"))
            wait_until(lambda: is_passing(engine))
            kill_postgres(home)
    wait_until(lambda: "trying again" in caplog.text)
    server.start()  # On the same port.
    with engine.begin() as conn:
        record(conn, "alpha", "a1", [datetime.now(UTC)])
    wait_until(lambda: turns_in_metrics(engine) == [1, 1, 1])
    wait_until(lambda: "works again" in caplog.text)
    jobs.stop()
    engine.dispose()

    assert [record.name for record in caplog.records] == ["aggregator.jobs.retry"] * 2


def last_pass(engine: Engine) -> datetime | None:
    with engine.connect() as conn:
        return last_pass_at(conn)
