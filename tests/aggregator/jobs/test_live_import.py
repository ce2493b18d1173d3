from __future__ import annotations

import errno
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from dash.testing.wait import until
from sqlalchemy import func, select

from aggregator.database.models import ActivityMetric, LiveSession, Turn, Watch
from aggregator.jobs.live_import import LiveImport
from aggregator.passes.run import make_pass
from aggregator.settings import Settings

SETTINGS = Settings.load(environ={})
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def config(tmp_path):
    """A folder of Claude Code with transcripts and sessions, both empty."""
    for name in ("projects/cli", "sessions"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def line(number, session="s"):
    at = NOON + timedelta(seconds=number)
    told = {"type": "user", "uuid": f"{session}{number}", "sessionId": session, "cwd": "/gone/cli"}
    return json.dumps({**told, "message": {"content": "Hi"}, "timestamp": at.isoformat()}) + "\n"


def live_import(engine, config, **settings):
    def pass_now():
        return make_pass(engine, NOON + timedelta(hours=1), timedelta(days=30))

    chosen = replace(SETTINGS, transcripts=(config / "projects",), **settings)
    return LiveImport(engine, chosen, pass_now)


@contextmanager
def running(*imports):
    """Let imports run in threads."""
    stopping = threading.Event()
    threads = [threading.Thread(target=one.run, args=[stopping]) for one in imports]
    for thread in threads:
        thread.start()
    yield
    stopping.set()
    for thread in threads:
        thread.join()


def counted(engine):
    """Turns that the metrics count, which follow from a pass after an import."""
    with engine.connect() as conn:
        overall = ActivityMetric.is_overall
        return conn.scalar(select(func.sum(ActivityMetric.turn_count)).where(overall)) or 0


def modes(engine):
    with engine.connect() as conn:
        return [tuple(row) for row in conn.execute(select(Watch.mode, Watch.reason))]


def wait(condition):
    until(condition, timeout=30, poll=0.05)


@pytest.mark.parametrize("mode", ["events", "polling"])
def test_what_changes_is_imported_and_counted_at_once(empty_engine, config, mode):
    file = config / "projects" / "cli" / "s.jsonl"
    with running(live_import(empty_engine, config, live=mode)):
        wait(lambda: modes(empty_engine) == [(mode, "")])
        file.write_text(line(1))
        wait(lambda: counted(empty_engine) == 1)
        with file.open("a") as end:
            end.write(line(2) + line(3)[:30])
        wait(lambda: counted(empty_engine) == 2)
        # An editor replaces a file by another.
        other = file.with_suffix(".tmp")
        other.write_text(line(1) + line(2) + line(3) + line(4))
        other.replace(file)
        wait(lambda: counted(empty_engine) == 4)


def test_many_sessions_that_write_at_once_are_all_imported(empty_engine, config):
    with running(live_import(empty_engine, config)):
        wait(lambda: modes(empty_engine) == [("events", "")])
        for number in range(200):
            (config / "projects" / "cli" / f"{number}.jsonl").write_text(line(1, f"s{number}-"))
        wait(lambda: counted(empty_engine) == 200)


def test_folders_that_come_later_are_watched_too(empty_engine, tmp_path):
    with running(live_import(empty_engine, tmp_path)):
        wait(lambda: modes(empty_engine) == [("events", "")])
        (tmp_path / "projects" / "cli").mkdir(parents=True)
        (tmp_path / "projects" / "cli" / "s.jsonl").write_text(line(1))
        live_import(empty_engine, tmp_path).poll()
        (tmp_path / "sessions").mkdir()
        told = {"sessionId": "s", "status": "busy"}
        (tmp_path / "sessions" / f"{os.getpid()}.json").write_text(json.dumps(told))

        def statuses():
            with empty_engine.connect() as conn:
                return conn.scalars(select(LiveSession.status)).all()

        wait(lambda: statuses() == ["busy"])


def test_where_the_system_refuses_events_files_are_looked_at_and_one_line_says_so(
    empty_engine, config, caplog
):
    with no_inotify_left(), running(live_import(empty_engine, config)):
        reason = "the limit of watches, fs.inotify.max_user_instances, is reached"
        wait(lambda: modes(empty_engine) == [("polling", reason)])
        (config / "projects" / "cli" / "s.jsonl").write_text(line(1))
        wait(lambda: counted(empty_engine) == 1)

    assert [record.getMessage() for record in caplog.records] == [
        f"No events of changed files ({reason}): looking at them every second"
    ]


@contextmanager
def no_inotify_left():
    """Use up all of the user's instances of inotify."""
    import ctypes

    libc, taken = ctypes.CDLL(None, use_errno=True), []
    while (descriptor := libc.inotify_init1(os.O_CLOEXEC)) >= 0:
        taken.append(descriptor)
    assert ctypes.get_errno() == errno.EMFILE
    yield
    for descriptor in taken:
        os.close(descriptor)


def test_where_events_do_not_arrive_files_are_looked_at(empty_engine, config):
    live = live_import(empty_engine, config)
    with running(live):
        wait(lambda: modes(empty_engine) == [("events", "")])
        # Nobody tells of what lies behind a link.
        (config / "elsewhere").mkdir()
        (config / "projects" / "link").symlink_to(config / "elsewhere")
        for number in (1, 2):
            (config / "elsewhere" / f"{number}.jsonl").write_text(line(number))
            live._told_at = 0.0
            live.poll()
        wait(lambda: modes(empty_engine) == [("polling", "events do not arrive")])


def test_one_process_watches_and_another_goes_on_when_it_ends(empty_engine, config):
    first, second = (live_import(empty_engine, config) for _ in range(2))
    with running(second):
        wait(lambda: modes(empty_engine) == [("events", "")])
        with running(first):
            pass
        assert (first._mode, second._mode) == ("", "events")


def test_live_import_can_be_off(empty_engine, config):
    live_import(empty_engine, config, live="off").run(threading.Event())

    assert modes(empty_engine) == []
    with empty_engine.connect() as conn:
        assert conn.scalar(select(func.count()).select_from(Turn)) == 0


def test_a_folder_that_is_not_there_is_logged_once(empty_engine, tmp_path, caplog):
    there, missing = tmp_path / "a" / "projects", tmp_path / "b" / "projects"
    there.mkdir(parents=True)
    variable = {"CLAUDE_CONFIG_DIR": f"{tmp_path}/a,{tmp_path}/b"}
    live = LiveImport(empty_engine, Settings.load(environ=variable), lambda: None)

    live.poll()
    live.poll()

    assert [record.getMessage() for record in caplog.records] == [
        f"There is no folder {missing} with transcripts"
    ]
