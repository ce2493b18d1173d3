"""The example host, on a real database, with all its protection on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import URL

from aggregator.standalone.embedded import EmbeddedPostgres
from fleet import create_app
from fleet.models import Agent, Project, Task, TaskState, Turn, TurnActor, db

PASSWORD = "open sesame"


@pytest.fixture
def url(postgres: EmbeddedPostgres) -> URL:
    return postgres.url("tests_fleet", fresh=True)


@pytest.fixture
def make_app(url: URL) -> Iterator[Callable[[], Flask]]:
    """Make the server as its own code does, without the background job."""
    apps = []

    def make() -> Flask:
        app = create_app(
            SQLALCHEMY_DATABASE_URI=url, SECRET_KEY="x", PASSWORD=PASSWORD, ACTIVITY_JOBS=False
        )
        assert not app.testing
        apps.append(app)
        return app

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[[], Flask]) -> Flask:
    """The server on a database with both sides' tables."""
    app = make_app()
    with app.app_context():
        flask_migrate.upgrade()
    run(app, "activity", "migrate")
    return app


def run(app: Flask, *command: str) -> str:
    """Run one of the server's commands; return its output."""
    result = app.test_cli_runner().invoke(args=command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def command() -> Callable[..., str]:
    return run


@pytest.fixture
def address(app: Flask, serve: Callable[[Flask], str]) -> str:
    """The server's address on the network."""
    return serve(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that has logged in."""
    client = app.test_client()
    client.post("/login", data={"password": PASSWORD, "csrf_token": token(client, "/login")})
    return client


def token(client: FlaskClient, path: str) -> str:
    return re.search('<meta name="csrf-token" content="([^"]+)">', client.get(path).text)[1]


@pytest.fixture
def csrf_token(client: FlaskClient) -> str:
    return token(client, "/activity")


@pytest.fixture
def turns(app: Flask) -> None:
    """Three turns a minute apart just now, and two three days ago; counted."""
    now = datetime.now(UTC)
    add_turns(app, [now - timedelta(minutes=ago) for ago in (2, 3, 4, 3 * 1440, 3 * 1440 + 2)])


@pytest.fixture
def wednesday(app: Flask) -> date:
    """A Wednesday with three turns at noon, after a Tuesday with two; counted."""
    today = datetime.now(UTC).date()
    day = today - timedelta(days=7 + (today.weekday() - 2) % 7)
    noon = datetime.combine(day, time(12), UTC)
    add_turns(app, [noon + timedelta(minutes=later) for later in (0, 1, 2, -1440, -1439)])
    return day


def add_turns(app: Flask, instants: list[datetime]) -> None:
    with app.app_context():
        agent = Agent(name="ranking", project=Project(name="search"), started_at=instants[-1])
        agent.tasks = [Task(state=TaskState.PROCESSING)]
        db.session.add(agent)
        db.session.flush()
        for at in instants:
            db.session.add(Turn(task_id=agent.tasks[0].id, actor=TurnActor.USER, timestamp=at))
        db.session.commit()
    run(app, "activity", "aggregate")


@pytest.fixture
def password() -> str:
    return PASSWORD
