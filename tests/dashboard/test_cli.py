from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import NullPool, create_engine, text

from aggregator.database import locks
from aggregator.standalone.embedded import EmbeddedPostgres
from aggregator.standalone.embedded.cluster import data_folder
from aggregator.standalone.embedded.supervisor import find_postmaster

COMMAND = [sys.executable, "-m", "dashboard"]


@pytest.fixture
def environ(tmp_path, home):
    """An environment without any files of the user."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ACTIVITY_HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def transcripts(tmp_path) -> Path:
    """Two sessions of one project; one prompt and two replies in the last minutes."""
    folder = tmp_path / "transcripts" / "-code-alpha"
    folder.mkdir(parents=True)
    (folder / "s1.jsonl").write_text(
        "".join([_user("s1", "u1", 9), _agent("s1", "m1", 8), '{"type": "unheard-of"}\n'])
    )
    (folder / "s2.jsonl").write_text(_agent("s2", "m2", 3) + "no JSON\n")
    return folder.parent


def _user(session: str, uuid: str, minutes: float) -> str:
    return _line(session, minutes, type="user", uuid=uuid, message={"content": "Please do"})


def _agent(session: str, message_id: str, minutes: float) -> str:
    blocks = [{"type": "text", "text": "Done"}]
    message = {"id": message_id, "content": blocks, "model": "claude", "role": "assistant"}
    return _line(session, minutes, type="assistant", uuid=f"u-{message_id}", message=message)


def _line(session: str, minutes: float, **fields: object) -> str:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    common = {"sessionId": session, "cwd": "/code/alpha", "timestamp": at.isoformat()}
    return json.dumps({**common, **fields}) + "\n"


def run(environ, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "import",
        "aggregate",
        "backfill",
        "prune",
        "export",
        "status",
        "now",
        "service install",
    ],
)
def test_help_explains_each_option_with_its_variable_and_default(environ, command):
    done = run(environ, *command.split(), "--help")

    assert done.returncode == 0
    assert "ACTIVITY_HOME; default: the" in " ".join(done.stdout.split())


def test_help_does_not_wait_for_pandas_or_dash():
    code = "import sys, dashboard.cli; print({'pandas', 'dash', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


@contextmanager
def serving(environ, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A process that serves, and its output until then; it never outlives the test."""
    process = subprocess.Popen(
        [*COMMAND, "serve", *map(str, arguments)],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if line.startswith("Activity:"):
                    break
            yield process, said
        finally:
            process.kill()


@pytest.mark.usefixtures("interruptible")
def test_a_served_page_can_be_read_joined_and_ended(environ, transcripts, home):
    port = free_port()
    with serving(environ, "--port", port, "--transcripts", transcripts) as (process, said):
        url = f"http://127.0.0.1:{port}"
        page = urllib.request.urlopen(f"{url}/activity").read().decode()
        answer = json.load(urllib.request.urlopen(f"{url}/api/metrics/overall"))
        status = json.loads(run(environ, "status", "--json").stdout)
        rebound = _status_for_host(url, "evil.example")

        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)

    assert said[-1] == f"Activity: {url}/activity  (Ctrl-C ends)\n"
    assert 'aria-current="page"' in page
    assert answer["totals"]["turn_count"] == 3
    assert answer["totals"]["active_agents"] == 2
    since = status["running"][0]["since"]
    assert status["running"] == [
        {"command": "serve", "pid": process.pid, "database": "activity", "since": since}
    ]
    assert rebound == 400
    assert (status["projects"], status["agents"]) == (1, 2)
    assert status["turns"] == {"user": 1, "agent": 2}
    assert status["import"]["skipped"] == {"malformed": 1, "unknown type": 1}
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert find_postmaster(home / "postgres") is None


@pytest.mark.usefixtures("interruptible", "home_with_database")
def test_a_server_whose_database_hangs_answers_and_can_be_ended(environ, home):
    port = free_port()
    with serving(environ, "--port", port, "--transcripts", home) as (process, _):
        first = psutil.Process(find_postmaster(data_folder(home)).pid)
        # It starts no more processes from here on; some may just be ending.
        first.suspend()
        database = [first, *first.children(recursive=True)]
        for each in database[1:]:
            with suppress(psutil.NoSuchProcess):
                each.suspend()
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/metrics/overall")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        running = first.is_running()
        for each in database:
            with suppress(psutil.NoSuchProcess):
                each.resume()
    # Its supervisor has seen to its end.
    with EmbeddedPostgres(home):
        pass

    assert (process.returncode, running) == (0, True)
    assert errors.count("Requests have no database: ") == 1
    assert "Traceback" not in errors


def _status_for_host(url: str, host: str) -> int:
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}))
    except urllib.error.HTTPError as answer:
        return answer.code
    return 200


@pytest.mark.usefixtures("home_with_database")
def test_aggregating_by_hand_keeps_what_the_last_pass_kept(environ, tmp_path):
    (tmp_path / "old.jsonl").write_text(_agent("s1", "m1", 60 * 24 * 100))
    run(environ, "import", "--transcripts", tmp_path)
    run(environ, "aggregate", "--retention-days", 200)

    run(environ, "aggregate")
    retained = json.loads(run(environ, "status", "--json").stdout)["buckets"]
    run(environ, "aggregate", "--retention-days", 30)
    pruned = json.loads(run(environ, "status", "--json").stdout)["buckets"]

    assert (retained, pruned) == (1, 0)


@pytest.mark.usefixtures("home_with_database")
def test_importing_and_aggregating_by_hand_do_what_serving_does(environ, transcripts):
    imported = run(environ, "import", "--transcripts", transcripts)
    again = run(environ, "import", "--transcripts", transcripts)
    passed = run(environ, "aggregate")
    status = json.loads(run(environ, "status", "--json").stdout)

    assert "Imported 3 new turns from 2 of 2 files" in imported.stdout
    assert "Imported 0 new turns from 0 of 2 files" in again.stdout
    assert "agent, " in passed.stdout
    assert status["last_pass"]["at"]
    assert status["turns"] == {"user": 1, "agent": 2}
    assert 1 <= status["buckets"] <= 2


@pytest.mark.usefixtures("home_with_database")
def test_a_range_can_be_recomputed_and_what_is_old_be_pruned(environ, tmp_path):
    (tmp_path / "old.jsonl").write_text(_agent("s1", "m1", 60 * 24 * 100))
    run(environ, "import", "--transcripts", tmp_path)
    day = f"{datetime.now(UTC) - timedelta(days=110):%F}"

    filled = run(environ, "backfill", "--since", day, "--retention-days", 200, "--workers", 2)
    pruned = run(environ, "prune")

    *_, hours, words = re.split(r"Recomputed (\S+) hours in \d+\.\d s: ", filled.stdout)
    assert 110 * 24 < int(hours.replace(",", "")) <= 111 * 24
    assert words == "1 agent, 1 project and 1 overall rows changed, 0 deleted\n"
    assert pruned.stdout == "Pruned 3 rows older than 62 days\n"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.usefixtures("interruptible")
def test_a_backfill_that_is_ended_takes_its_workers_with_it(environ, postgres, end):
    url = postgres.url("tests_ended", fresh=True)
    # Inside a transaction, pg_stat_activity would stay the same for every query.
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as conn:
        conn.execute(text("SELECT pg_advisory_lock(:key)"), {"key": locks.RECOMPUTE})
        backfill = subprocess.Popen(
            [*COMMAND, "backfill", "--workers", "1", "--database-url", _with_password(url)],
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with backfill:
            worker = _waiting_process(conn)
            # Ctrl-C goes to all processes of a terminal, kill to one.
            (os.killpg if end == signal.SIGINT else os.kill)(backfill.pid, end)
            _, errors = backfill.communicate(timeout=60)
            _wait_for_the_end_of(worker)

    assert worker != backfill.pid
    assert backfill.returncode == (1 if end == signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in errors


def _with_password(url) -> str:
    return url.render_as_string(hide_password=False)


def _waiting_process(conn) -> int:
    """Return the process whose stretch waits for the lock that this connection holds."""
    waiting = text(
        "SELECT CAST(substring(application_name FROM '[0-9]+') AS integer) FROM pg_stat_activity "
        "WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    )
    for _ in range(6_000):
        if pid := conn.scalar(waiting):
            return pid
        time.sleep(0.01)
    raise TimeoutError


def _wait_for_the_end_of(pid: int) -> None:
    for _ in range(6_000):
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
                continue
        return
    raise TimeoutError


@pytest.mark.usefixtures("home_with_database")
def test_now_imports_what_is_new_and_tells_who_waits_longest_first(environ, transcripts):
    done = run(environ, "now", "--json", "--transcripts", transcripts)

    told = [
        (agent["name"], agent["state"], agent["reason"])
        for agent in json.loads(done.stdout)["agents"]
    ]
    assert told == [("s1", "waiting", "turn done"), ("s2", "waiting", "turn done")]


@pytest.mark.usefixtures("home_with_database", "interruptible")
@pytest.mark.parametrize(
    ("option", "first"),
    [
        pytest.param(
            "--watch", "\x1b[2J\x1b[1;1H2 waiting for y…\r\n… 2 more lines\r\n", id="list"
        ),
        pytest.param("--json", '{"schema_version": ', id="an object in each line"),
    ],
)
def test_now_goes_on_in_a_terminal_until_ctrl_c(environ, transcripts, option, first):
    terminal, inside = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "now", "--watch", option, "--transcripts", transcripts],
        env={**environ, "TERM": "xterm", "COLUMNS": "16", "LINES": "3"},
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    told = ""
    # The second time shows that it goes on.
    while told.count(first) < 2:
        told += os.read(terminal, 4096).decode()
    os.killpg(process.pid, signal.SIGINT)

    assert process.wait(timeout=60) == 0
    assert told.startswith(first)
    os.close(terminal)


@pytest.mark.usefixtures("home_with_database")
def test_status_is_readable_for_people(environ):
    done = run(environ, "status")

    assert done.returncode == 0
    assert "running: nothing\n" in done.stdout
    assert "last pass:\n  at: none\n" in done.stdout


def test_a_taken_port_is_one_line_and_told_before_any_work(environ, home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = run(environ, "serve", "--port", port)

    assert done.returncode == 1
    assert done.stderr == (
        f"headspace-activity: cannot serve on 127.0.0.1:{port}: Address already in use; "
        "choose another with --host or --port\n"
    )
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["import", "--transcripts", "/nowhere/at/all"],
            "transcripts: cannot read /nowhere/at/all: ",
        ),
        (["status", "--database-url", "sqlite:///x"], "database-url: 'sqlite://…' is not allowed"),
        (
            ["aggregate", "--database-url", "postgresql://ada:secret@127.0.0.1:1/x"],
            "cannot use the database postgresql://ada:***@127.0.0.1:1/x: connection to server",
        ),
        (["serve", "--host", ".."], "cannot serve on ..:5055: no such address; choose another"),
        (["serve", "--retention-days", "0"], "--retention-days: '0' is not allowed; expected a"),
        (
            ["serve", "--demo", "--database-url", "postgresql://h/x"],
            "--demo cannot be combined with --database-url or ACTIVITY_DATABASE_URL",
        ),
        (["backfill", "--since", "2020-02-29"], "--since: '2020-02-29' is not allowed; expected "),
    ],
)
@pytest.mark.usefixtures("home_with_database")
def test_what_cannot_be_done_is_one_line_on_stderr_and_exit_code_1(environ, arguments, words):
    done = run(environ, *arguments)

    assert done.returncode == 1
    assert done.stderr.startswith(f"headspace-activity: {words}")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_users_own_database_is_used_instead_of_the_embedded_one(
    environ, transcripts, postgres, home
):
    url = postgres.url("tests_own", fresh=True).set(drivername="postgresql")
    own = ["--database-url", url.render_as_string(hide_password=False)]
    first = run(environ, "import", "--transcripts", transcripts, *own)
    second = run(environ, "import", "--transcripts", transcripts, *own)

    assert "Imported 3 new turns" in first.stdout
    assert "Imported 0 new turns" in second.stdout
    assert not list(home.iterdir())


@pytest.mark.usefixtures("home_with_database")
def test_on_another_address_a_token_is_asked_for_that_no_log_holds(environ, home, tmp_path):
    port = free_port()
    arguments = ("--host", "0.0.0.0", "--port", port, "--transcripts", tmp_path)
    with serving(environ, *arguments) as (process, said):
        url = f"http://127.0.0.1:{port}/api/metrics/overall"
        token = (home / "access-token").read_text().strip()
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(url)
        known = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        status = urllib.request.urlopen(known).status
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=60)

    assert status == 200
    assert said[-2] == (
        "It asks for an access token; to see its link, run: headspace-activity link\n"
    )
    assert token not in "".join(said) + rest + errors
    assert run(environ, "link", "--port", port).stdout == (
        f"http://127.0.0.1:{port}/access#{token}\n"
    )
