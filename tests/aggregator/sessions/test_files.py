from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from aggregator.sessions.files import SessionFile, read_session_files, sessions_folders

PID = os.getpid()
STARTED = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
SINCE = (STARTED + timedelta(minutes=1)).replace(microsecond=0)


def write(folder, pid=PID, **fields):
    told = {"pid": pid, "sessionId": "s1", "cwd": "/code", "status": "busy"}
    content = json.dumps(told | {"statusUpdatedAt": SINCE.isoformat()} | fields)
    (folder / f"{pid}.json").write_text(content)


def file(**fields):
    return SessionFile(PID, "s1", "busy", SINCE, is_alive=True)._replace(**fields)


def test_a_session_that_runs_is_found(tmp_path):
    write(tmp_path)
    (tmp_path / "notes.json").write_text("{}")

    assert read_session_files(tmp_path) == ([file()], set())


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"statusUpdatedAt": SINCE.timestamp()}, {}),
        ({"statusUpdatedAt": int(SINCE.timestamp() * 1000)}, {}),
        ({"status": "dreaming"}, {"status": "dreaming"}),
        ({"status": 7}, {"status": ""}),
        ({"status": None}, {"status": ""}),
    ],
)
def test_times_have_several_forms_and_what_is_unknown_is_kept(tmp_path, fields, found):
    write(tmp_path, **fields)

    assert read_session_files(tmp_path) == ([file(**found)], set())


@pytest.mark.parametrize("at", [None, "soon", True, 1e300])
def test_without_a_time_that_of_the_file_counts(tmp_path, at):
    write(tmp_path, statusUpdatedAt=at)
    os.utime(tmp_path / f"{PID}.json", (SINCE.timestamp(), SINCE.timestamp()))

    assert read_session_files(tmp_path) == ([file()], set())


@pytest.mark.parametrize(
    "content", ["", '{"pid": 1, "sess', "[]", "{}", "\udcff", '{"sessionId": 7}']
)
def test_a_file_that_is_half_written_is_told_apart(tmp_path, content):
    (tmp_path / f"{PID}.json").write_bytes(content.encode("utf-8", "surrogateescape"))

    assert read_session_files(tmp_path) == ([], {PID})


def test_a_process_that_is_gone_and_one_that_only_has_its_number_are_not_alive(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    write(tmp_path, gone.pid)
    write(tmp_path, statusUpdatedAt=(STARTED - timedelta(minutes=1)).isoformat())

    found, unreadable = read_session_files(tmp_path)

    assert ([one.is_alive for one in found], unreadable) == ([False, False], set())


def test_a_folder_need_not_exist(tmp_path):
    assert read_session_files(tmp_path / "sessions") == ([], set())


def test_the_folder_of_sessions_is_beside_that_of_transcripts():
    folders = [Path("/home/me/.claude/projects"), Path("/srv/transcripts")]

    assert sessions_folders(folders) == (Path("/home/me/.claude/sessions"),)
