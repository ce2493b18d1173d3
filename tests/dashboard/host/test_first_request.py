from __future__ import annotations

import subprocess
import sys

import pytest
from flask import Flask
from flask.cli import FlaskGroup

from dashboard.host.first_request import start_with_first_request


class Jobs:
    """A job that counts its starts."""

    def __init__(self) -> None:
        self.starts = 0

    def start(self) -> None:
        self.starts += 1


@pytest.fixture
def jobs():
    return Jobs()


@pytest.fixture
def app(jobs):
    app = Flask("host")
    app.add_url_rule("/", view_func=lambda: str(jobs.starts))
    start_with_first_request(app, jobs)
    return app


def test_jobs_start_with_the_first_request_before_it_is_answered(app, jobs):
    before = jobs.starts
    answers = [app.test_client().get(path).text for path in ("/", "/")]

    assert (before, answers) == (0, ["1", "1"])


def test_a_command_of_flask_starts_nothing(app, jobs):
    flask = FlaskGroup(create_app=lambda: app)
    answer = app.test_cli_runner().invoke(flask, ["routes"])

    assert (answer.exit_code, jobs.starts) == (0, 0)


def test_an_application_under_test_starts_nothing(app, jobs):
    app.testing = True

    assert app.test_client().get("/").text == "0"


def test_a_forked_child_starts_its_own_with_its_first_request():
    code = """
import os
from flask import Flask
from dashboard.host.first_request import start_with_first_request

class Jobs:
    def start(self):
        print(os.getpid() == serving, flush=True)

app = Flask("host")
start_with_first_request(app, Jobs())
serving = os.getpid()
app.test_client().get("/")
child = os.fork()
if child:
    os.waitpid(child, 0)
serving = os.getpid()
app.test_client().get("/")
app.test_client().get("/")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "True\n" * 2
