"""The commands ``export``: standalone in a separate process, on a host inside this one."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import BytesIO
from zipfile import ZipFile

import pypdf
import pytest
from flask import Flask

from aggregator.database.engine import connect
from aggregator.passes.run import make_pass
from aggregator.schema.migrate import upgrade
from aggregator.standalone.demo import fill_with_demo
from dashboard import Activity

TODAY = "all-projects-2026-11-22"
REPORT = [
    f"activity-{chart}-{TODAY}"
    for chart in (
        "agents",
        "agents-at-work",
        "capacity",
        "pattern-agents",
        "pattern-turn-time",
        "pattern-turns",
        "pattern-waiting",
        "pattern-working",
        "time",
        "turn-time",
        "turns",
    )
]


@pytest.fixture
def command(tmp_path, empty_engine, home):
    """Run ``headspace-activity export`` with a database, in an empty folder."""
    url = empty_engine.url.render_as_string(hide_password=False)
    (tmp_path / "out").mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TMPDIR": str(home),
        "TZ": "Europe/Berlin",
        "LC_ALL": "C.UTF-8",
    }

    def run(*arguments, **more):
        return subprocess.run(
            [sys.executable, "-m", "dashboard", "export", "--database-url", url, *arguments],
            cwd=tmp_path / "out",
            env={**environ, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def demo(postgres, now):
    """A database with demo activity, which nobody changes."""
    engine = connect(postgres.url("tests_demo", fresh=True), purpose="tests")
    upgrade(engine, "standalone")
    upgrade(engine, "activity")
    fill_with_demo(engine, now, UTC)
    make_pass(engine, now, timedelta(days=30))
    yield engine
    engine.dispose()


@pytest.fixture
def run(demo, now, renderer, tmp_path, monkeypatch):
    """Run ``flask activity export`` on a host with demo activity, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    app = Flask("host")
    Activity(app, engine=demo, clock=lambda: now)

    def run(*arguments):
        return app.test_cli_runner().invoke(args=["activity", "export", *arguments])

    return run


def test_a_chart_of_a_project_becomes_a_file(command, empty_engine, record, tmp_path, home):
    now = datetime.now(UTC)
    with empty_engine.begin() as conn:
        record(conn, "Project X", "a1", [now - timedelta(minutes=one) for one in (1, 2, 3)])
    make_pass(empty_engine, now, timedelta(days=30))
    asked = ["--chart", "turns", "--window", "week", "--project", "project x"]

    done = command(*asked, "--tz", "Europe/Berlin", "--out", "week.svg")

    assert (done.returncode, done.stdout, done.stderr) == (0, "Wrote week.svg\n", "")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["week.svg"]
    picture = (tmp_path / "out" / "week.svg").read_text()
    assert "Turns per hour · Project Project X" in picture
    assert " · Europe/Berlin" in picture
    # Neither a browser nor its files.
    assert list(home.iterdir()) == []


def test_without_chrome_there_is_one_line_and_no_file(command, tmp_path):
    done = command(BROWSER_PATH="/nowhere")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "headspace-activity: pictures need Chrome or Chromium, and none was found at /nowhere; run"
    )
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_is_not_there_is_told_before_any_work(command):
    done = command("--out", "nowhere/week.png", "--database-url", "postgresql://127.0.0.1:1/none")

    assert done.returncode == 1
    assert done.stderr == (
        "headspace-activity: cannot write nowhere/week.png: there is no folder nowhere\n"
    )


def test_without_a_name_the_file_is_called_as_the_page_calls_it(run, tmp_path):
    done = run("--width", "300", "--height", "200", "--scale", "1")

    assert done.output == f"Wrote activity-time-{TODAY}.png\n"
    content = (tmp_path / f"activity-time-{TODAY}.png").read_bytes()
    assert content[16:24].hex() == "0000012c000000c8"


def test_a_report_is_a_pdf_a_zip_or_a_folder(run, tmp_path):
    said = [
        run("--chart", "all", *more).output
        for more in (["--out", "report.pdf"], ["--out", "report.zip", "--format", "svg"])
    ]
    folder = run("--chart", "all", "--out", "report/", "--format", "svg", "--theme", "dark")

    assert said == ["Wrote report.pdf\n", "Wrote report.zip\n"]
    assert len(pypdf.PdfReader(BytesIO((tmp_path / "report.pdf").read_bytes())).pages) == len(
        REPORT
    )
    with ZipFile(tmp_path / "report.zip") as archive:
        assert sorted(archive.namelist()) == [f"{name}.svg" for name in REPORT]
        # As of the present in the zone of the pictures.
        assert {entry.date_time for entry in archive.infolist()} == {(2026, 11, 22, 14, 5, 0)}
    assert sorted(folder.output.splitlines()) == [f"Wrote report/{name}.svg" for name in REPORT]
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == [
        f"{name}.svg" for name in REPORT
    ]


def test_the_last_24_hours_end_with_the_running_hour_or_before(run, tmp_path):
    asked = ["--chart", "agents", "--window", "last-24-hours", "--format", "svg"]

    said = [run(*asked, *more).output for more in ([], ["--until", "2026-11-21T09:30Z"])]

    assert said == [
        f"Wrote activity-agents-all-projects-24-hours-to-{end}.svg\n"
        for end in ("2026-11-22-1500", "2026-11-21-1000")
    ]
    newest = (tmp_path / said[0].split()[1]).read_text()
    assert "21–22 Nov 2026, 15:00–15:00 · UTC" in newest


def test_days_are_chosen_by_their_first_and_last(run, tmp_path):
    days = ["--from", "2026-11-02", "--to", "2026-11-08", "--agent", "3", "--project", "Atlas-API"]

    done = run(*days, "--chart", "pattern", "--metric", "agents", "--out", "days.svg")

    assert done.output == "Wrote days.svg\n"
    assert "Active agents by weekday and hour · Agent " in (tmp_path / "days.svg").read_text()


def test_agents_of_one_origin_are_drawn_alone(run, tmp_path):
    done = run("--origin", "automated", "--out", "automated.svg")

    assert done.output == "Wrote automated.svg\n"
    assert "All projects, automated agents" in (tmp_path / "automated.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--chart", "nope"], "--chart: 'nope' is not allowed; expected time, turns, turn-time"),
        (["--window", "year"], "--window: 'year' is not allowed; expected day, week, month, last"),
        (["--on", "2026-11-23"], "--on: '2026-11-23' is not allowed; expected a day up to 2026-1"),
        (["--window", "custom"], "--window: 'custom' is not allowed; expected day, week, month, "),
        (
            ["--window", "last-24-hours", "--until", "2026-11-23T00:00Z"],
            "--until: '2026-11-23T00:00Z' is not allowed; expected an instant up to 2026-11-22T15",
        ),
        (["--until", "2026-11-22T00:00Z"], "until needs window=last-24-hours"),
        (["--from", "2026-11-02"], "--from needs --to"),
        (["--to", "2026-11-02"], "--to needs --from"),
        (
            ["--window", "week", "--from", "2026-11-02", "--to", "2026-11-03"],
            "--window cannot be combined with --from and --to",
        ),
        (
            ["--on", "2026-11-02", "--from", "2026-11-02", "--to", "2026-11-03"],
            "--on cannot be combined with --from and --to",
        ),
        (["--tz", "Mars"], "--tz: 'Mars' is not allowed; expected a time zone such as Europe/Ber"),
        (["--origin", "x"], "--origin: 'x' is not allowed; expected interactive or automated"),
        (["--theme", "blue"], "--theme: 'blue' is not allowed; expected light or dark"),
        (["--width", "9"], "--width: '9' is not allowed; expected a whole number from 300 to 4000"),
        (["--format", "gif"], "--format: 'gif' is not allowed; expected png, svg or pdf"),
        (["--out", "x.gif"], "--out: 'x.gif' is not allowed; expected a name that ends in .png"),
        (
            ["--project", "nope"],
            "there is no project named 'nope'; there are atlas-api, billing, docs-site, mobile-app",
        ),
        (["--project", "99"], "there is no project with id 99"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(run, tmp_path, arguments, words):
    done = run(*arguments)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"activity: {words}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
