"""The wheel without an extra: hosts need nothing more, and every command says what it lacks."""

from __future__ import annotations

import pytest

from dashboard import cli

HOST = """
import os
from flask import Flask
from dashboard import Activity

app = Flask("host")
app.config["ACTIVITY_DATABASE_URL"] = os.environ["DATABASE"]
Activity(app)
client = app.test_client()
for path in ("/activity/", "/activity/_dash-layout", "/activity/version", "/api/metrics/overall",
             "/api/metrics/prometheus"):
    print(client.get(path).status_code)
"""
MORE = {"serve": ["--demo"], "export": ["--out", "charts.pdf"]}
COMMANDS = [*sorted(set(cli.main.commands) - {"link", "service"}), "service install"]
"""Commands that need more than the package: ``link`` only reads a file."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_in_one_line_which_extra_it_needs(plain, home, command):
    done = plain.run(plain.command(*command.split(), *MORE.get(command, [])), ACTIVITY_HOME=home)

    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr.startswith("headspace-activity: ")
    assert "of the extra standalone" in done.stderr
    assert done.stderr.endswith(
        f"run: {plain.python} -m pip install "
        f"'headspace-activity[standalone] @ {plain.wheel.as_uri()}'\n"
    )
    assert done.stderr.count("\n") == 1


def test_a_host_shows_the_page_and_answers_questions(host, empty_engine):
    # Without a driver's name: it is the one that is installed.
    url = empty_engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    done = host.run([str(host.python), "-c", HOST], DATABASE=url)

    assert (done.stdout.split(), done.returncode) == (["200"] * 5, 0), done.stderr
