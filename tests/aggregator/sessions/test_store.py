from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from sqlalchemy import insert, select, update

from aggregator.database.models import Agent, LiveSession, Signal
from aggregator.query.agents.states import read_present
from aggregator.sessions.processes import Candidate, gone_sessions
from aggregator.sessions.store import note_gone_processes, note_session_files

STARTED = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
NOW = STARTED + timedelta(hours=1)


def at(seconds):
    return STARTED + timedelta(seconds=seconds)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sessions").mkdir()
    return tmp_path / "sessions"


@pytest.fixture
def outside(monkeypatch):
    """Look at the processes even where the tests run in a container."""
    monkeypatch.setattr("aggregator.sessions.processes.CONTAINER_MARKS", ())


def write(folder, status, seconds, session="s1", pid=None):
    pid = pid or os.getpid()
    told = {"sessionId": session, "status": status, "statusUpdatedAt": at(seconds).isoformat()}
    (folder / f"{pid}.json").write_text(json.dumps(told))


def stored(conn):
    columns = LiveSession.session_id, LiveSession.status, LiveSession.status_at, LiveSession.gone_at
    return [tuple(row) for row in conn.execute(select(*columns).order_by(LiveSession.key))]


def test_a_status_is_kept_with_the_instant_at_which_it_began(conn, folder):
    told = []
    for status, seconds in (("busy", 5), ("busy", 65), ("waiting", 70)):
        write(folder, status, seconds)
        told.append(note_session_files(conn, [folder], NOW))

    assert told == [True, False, True]
    assert stored(conn) == [("s1", "waiting", at(70), None)]


def test_a_file_that_is_half_written_changes_nothing(conn, folder):
    write(folder, "busy", 5)
    note_session_files(conn, [folder], NOW)
    (folder / f"{os.getpid()}.json").write_text('{"sess')

    assert not note_session_files(conn, [folder], NOW)
    assert stored(conn) == [("s1", "busy", at(5), None)]


def test_a_session_whose_file_is_gone_or_has_become_another_ones_is_gone(conn, folder):
    write(folder, "busy", 5)
    note_session_files(conn, [folder], NOW)
    write(folder, "idle", 9, session="s2")
    note_session_files(conn, [folder], NOW)
    (folder / f"{os.getpid()}.json").unlink()
    note_session_files(conn, [folder], NOW + timedelta(seconds=1))

    assert stored(conn) == [
        ("s1", "busy", at(5), NOW),
        ("s2", "idle", at(9), NOW + timedelta(seconds=1)),
    ]


def test_a_killed_process_is_gone_and_a_file_of_one_that_never_was_seen_says_nothing(conn, folder):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        write(folder, "busy", 3600, pid=process.pid)
        note_session_files(conn, [folder], NOW + timedelta(hours=1))
        process.kill()
        process.wait()
        write(folder, "busy", 3600, session="s2", pid=2**22 + 1)
        note_session_files(conn, [folder], NOW + timedelta(hours=2))

    assert [row[0] for row in stored(conn)] == ["s1"]
    assert stored(conn)[0][3] == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("busy", "working"),
        ("idle", "waiting"),
        ("waiting", "waiting"),
        ("shell", "background"),
        ("dreaming", "unknown"),
    ],
)
def test_the_state_of_an_agent_is_what_its_session_says(conn, record, folder, status, state):
    record(conn, "alpha", "s1", [at(3500)], actor="USER")
    write(folder, status, 3550)
    note_session_files(conn, [folder], NOW)

    assert read_present(conn, NOW).at(NOW).states["state"].tolist() == [state]


def session(conn, record, cwd, session="s1", last=3000):
    record(conn, "alpha", session, [at(2900)], actor="USER")
    conn.execute(update(Agent).where(Agent.session_id == session).values(cwd=str(cwd)))
    lines = {"session_id": session, "kind": "lines", "at": at(2900), "until": at(last)}
    conn.execute(insert(Signal).values(**lines, key=session))


@pytest.mark.usefixtures("outside")
def test_a_silent_session_is_gone_if_no_process_works_in_its_folder(conn, record, tmp_path):
    session(conn, record, tmp_path)

    assert note_gone_processes(conn, NOW)
    assert read_present(conn, NOW).at(NOW).states.empty
    # Once is enough, until there are new lines.
    assert not note_gone_processes(conn, NOW)


@pytest.mark.parametrize("last", [3541, 3600])
def test_a_session_with_new_lines_is_there(conn, record, tmp_path, last):
    session(conn, record, tmp_path, last=last)

    assert not note_gone_processes(conn, NOW)


@pytest.mark.usefixtures("outside")
def test_of_folders_with_several_sessions_and_of_those_elsewhere_nothing_is_said(tmp_path):
    (tmp_path / "one").mkdir()
    one = str(tmp_path / "one")

    assert gone_sessions([Candidate("s1", one)]) == {"s1"}
    assert gone_sessions([Candidate("s1", one), Candidate("s2", one)]) == set()
    assert gone_sessions([Candidate("s1", str(tmp_path / "gone"))]) == set()


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("below", "gone"), [(".", False), ("deeper", False), ("..", True)])
def test_a_process_of_claude_code_in_the_folder_or_near_it_may_run_the_session(
    tmp_path, below, gone
):
    folder, program = tmp_path / "repo", tmp_path / "claude"
    (folder / below).mkdir(parents=True, exist_ok=True)
    program.symlink_to(sys.executable)
    program = subprocess.Popen(
        [program, "-c", "print(flush=True); input()"],
        cwd=folder / below, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    folder.mkdir(exist_ok=True)
    with program:
        program.stdout.readline()
        found = gone_sessions([Candidate("s1", str(folder))])
        program.kill()

    assert found == ({"s1"} if gone else set())


def test_in_a_container_nothing_is_said(tmp_path, monkeypatch):
    mark = tmp_path / "mark"
    mark.touch()
    monkeypatch.setattr("aggregator.sessions.processes.CONTAINER_MARKS", (str(mark),))

    assert gone_sessions([Candidate("s1", str(tmp_path))]) == set()
