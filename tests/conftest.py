"""Fixtures for all tests: a real PostgreSQL with the real migrations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pytest
from hypothesis import settings
from sqlalchemy import Connection, Engine, insert, select, text

from aggregator.database import connect
from aggregator.embedded import EmbeddedPostgres
from aggregator.models import Agent, Project, Task, Turn
from aggregator.schema import upgrade


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty folder for an embedded server, gone after the test.

    Not below tmp_path: run by root, PostgreSQL's account could not enter it there, and
    its files would stay behind elsewhere.
    """
    with TemporaryDirectory(prefix="activity-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server that lives as long as the tests."""
    with TemporaryDirectory(prefix="activity-") as folder, EmbeddedPostgres(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def engine(postgres: EmbeddedPostgres) -> Iterator[Engine]:
    """A database with all tables, built by the migrations."""
    engine = connect(postgres.url("tests"), purpose="tests")
    upgrade(engine, "standalone")
    upgrade(engine, "activity")
    yield engine
    engine.dispose()


@pytest.fixture
def empty_engine(engine: Engine) -> Engine:
    """The same database without rows, for what commits."""
    with engine.begin() as conn:
        conn.execute(
            text("TRUNCATE projects, transcript_files, activity_state RESTART IDENTITY CASCADE")
        )
    return engine


@pytest.fixture
def conn(empty_engine: Engine) -> Iterator[Connection]:
    """A connection to an empty database, whose work is always rolled back."""
    with empty_engine.connect() as conn:
        yield conn
        conn.rollback()


# No test looks at the clock: a busy machine is no defect.
settings.register_profile("activity", deadline=None, max_examples=50)
settings.load_profile("activity")


class Record(Protocol):
    """Adds turns of one agent and returns the agent's id."""

    def __call__(
        self,
        conn: Connection,
        project: str,
        agent: str,
        instants: Iterable[datetime],
        *,
        actor: str = "AGENT",
        state: str = "processing",
    ) -> int: ...


@pytest.fixture
def record() -> Record:
    """Adds turns, with the project, agent and task they belong to if need be."""
    added = iter(range(1_000_000))

    def add(conn, project, agent, instants, *, actor="AGENT", state="processing"):
        project_id = conn.scalar(select(Project.id).where(Project.name == project))
        if project_id is None:
            project_id = conn.scalar(
                insert(Project).values(name=project, path=f"/code/{project}").returning(Project.id)
            )
        agent_id = conn.scalar(select(Agent.id).where(Agent.session_id == agent))
        if agent_id is None:
            agent_id = conn.scalar(
                insert(Agent).values(project_id=project_id, session_id=agent).returning(Agent.id)
            )
            conn.execute(insert(Task).values(agent_id=agent_id, state=state))
        task_id = conn.scalar(select(Task.id).where(Task.agent_id == agent_id))
        rows = [
            {"task_id": task_id, "actor": actor, "timestamp": at, "key": f"turn-{next(added)}"}
            for at in instants
        ]
        if rows:
            conn.execute(insert(Turn), rows)
        return agent_id

    return add
