"""Fixtures for all tests: a real PostgreSQL with the real migrations, and a real browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Protocol

import pytest
from dash.testing.browser import Browser
from hypothesis import settings
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.support.wait import WebDriverWait
from sqlalchemy import Connection, Engine, create_engine, insert, select, text
from werkzeug.exceptions import NotFound
from werkzeug.serving import BaseWSGIServer, make_server

from aggregator.database.engine import connect
from aggregator.database.models import Agent, Project, Task, Turn
from aggregator.schema import capture
from aggregator.schema.migrate import upgrade
from aggregator.standalone.embedded import EmbeddedPostgres
from dashboard.pictures.renderer import Renderer, shared


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty folder for an embedded server, gone after the test.

    Not below tmp_path: run by root, PostgreSQL's account could not enter it there, and
    its files would stay behind elsewhere.
    """
    with TemporaryDirectory(prefix="activity-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def unused_database() -> Iterator[Path]:
    """A folder in which an embedded server was started, and nothing else."""
    with TemporaryDirectory(prefix="activity-") as folder:
        with EmbeddedPostgres(Path(folder)):
            pass
        yield Path(folder)


@pytest.fixture
def home_with_database(unused_database: Path, home: Path) -> Path:
    """A folder in which an embedded server starts fast, as its files are there."""
    subprocess.run(["cp", "-a", f"{unused_database}/.", home], check=True)
    return home


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let processes that the test starts end on Ctrl-C.

    Python leaves SIGINT ignored where it finds it so, as in the background of a script.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server that lives as long as the tests of this process.

    Tests that run side by side in several processes have one each. What is in it need not
    outlive a power cut, so it does not wait for the disk.
    """
    with TemporaryDirectory(prefix="activity-") as folder, EmbeddedPostgres(Path(folder)) as server:
        owner = create_engine(server.url(), isolation_level="AUTOCOMMIT")
        with owner.connect() as conn:
            for setting in ("fsync", "full_page_writes"):
                conn.execute(text(f"ALTER SYSTEM SET {setting} = off"))
            conn.execute(text("SELECT pg_reload_conf()"))
        owner.dispose()
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
    """The database of all tests without rows and without capture, for tests that commit."""
    with engine.begin() as conn:
        # Commands install it, and it would queue the hours of all that a test writes.
        capture.remove(conn)
        conn.execute(
            text(
                "TRUNCATE projects, signals, live_sessions, watches, transcript_files, "
                "activity_intervals, activity_runs, "
                "activity_changes, activity_fingerprints, activity_state "
                "RESTART IDENTITY CASCADE"
            )
        )
    return engine


@pytest.fixture
def conn(empty_engine: Engine) -> Iterator[Connection]:
    """A connection to an empty database, whose work is always rolled back."""
    with empty_engine.connect() as conn:
        yield conn
        conn.rollback()


@pytest.fixture
def fresh(postgres: EmbeddedPostgres) -> Iterator[Engine]:
    """A database without any tables."""
    engine = connect(postgres.url("fresh"), purpose="tests")
    with engine.begin() as conn:
        conn.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    yield engine
    engine.dispose()


class AllMessages(Options):
    """Chrome's options with all messages of its console; dash[testing] wants only errors."""

    def set_capability(self, name: str, value: Any) -> None:
        super().set_capability(name, {"browser": "ALL"} if name == "goog:loggingPrefs" else value)


class SharedBrowser(Browser):
    """dash[testing]'s browser, to be used by one test after another.

    Attributes:
        download_path: Where the browser saves files.
    """

    download_path = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._first_tab = self.driver.current_window_handle
        # dash[testing] looks twice a second.
        self._wd_wait = WebDriverWait(self.driver, self.wait_timeout, poll_frequency=0.1)

    def open_anew(self, downloads: Path) -> None:
        """Leave everything of the last test behind and open an empty tab."""
        if self.driver.current_window_handle != self._first_tab:
            self.driver.close()
            self.driver.switch_to.window(self._first_tab)
        self.driver.switch_to.new_window("tab")
        for command, arguments in (
            ("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"}),
            ("Network.clearBrowserCookies", {}),
            ("Browser.resetPermissions", {}),
            ("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}),
            # Plotly warns with stack traces, which the browser's log leaves out.
            ("Page.addScriptToEvaluateOnNewDocument", {"source": "console.trace = console.warn"}),
        ):
            self.driver.execute_cdp_cmd(command, arguments)
        self.problems()
        self.download_path = str(downloads)

    def problems(self) -> list[str]:
        """Errors and warnings that the console has shown since the last call."""
        log = self.driver.get_log("browser")
        return [entry["message"] for entry in log if entry["level"] in ("WARNING", "SEVERE")]


@pytest.fixture(scope="session")
def shared_browser(
    request: pytest.FixtureRequest, web_server: BaseWSGIServer
) -> Iterator[SharedBrowser]:
    """The browser of all tests of this process.

    Its first tab stays on the server's empty page. So the process that shows the server's
    pages lives on between tests, with the page's scripts compiled.
    """
    options = AllMessages()
    options.add_argument("--process-per-site")
    with SharedBrowser(
        browser=request.config.getoption("webdriver"),
        headless=request.config.getoption("headless"),
        options=[options],
        percy_run=False,
    ) as browser:
        browser.driver.get(f"http://127.0.0.1:{web_server.port}/")
        yield browser


@pytest.fixture
def dash_br(
    request: pytest.FixtureRequest, shared_browser: SharedBrowser, tmp_path: Path
) -> Iterator[SharedBrowser]:
    """A browser as if it were new: dash[testing] would start one for each test.

    The test fails if a script throws or the console shows an error or a warning. A test
    that causes messages on purpose names them: ``@pytest.mark.console("pattern", ...)``.
    Each message has to match a pattern, and each pattern a message.
    """
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    shared_browser.open_anew(downloads)
    yield shared_browser
    messages = shared_browser.problems()
    patterns = [pattern for mark in request.node.iter_markers("console") for pattern in mark.args]
    unexpected = [text for text in messages if not any(re.search(each, text) for each in patterns)]
    missing = [each for each in patterns if not any(re.search(each, text) for text in messages)]
    # It asks the server for news no longer.
    shared_browser.driver.get("about:blank")
    assert (unexpected, missing) == ([], [])


@pytest.fixture(scope="session")
def web_server() -> Iterator[BaseWSGIServer]:
    """The server of all tests of this process; by itself it has nothing to show."""
    server = make_server("127.0.0.1", 0, NotFound(), threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def serve(web_server: BaseWSGIServer) -> Iterator[Callable[[Any], str]]:
    """Serve a WSGI application; return its address.

    The address is always that of the last test, so that the browser need not compile the
    page's scripts anew. Whatever it may keep has a name that changes with its content.
    """

    def start(application: Any) -> str:
        web_server.app = application
        return f"http://127.0.0.1:{web_server.port}"

    yield start
    web_server.app = NotFound()


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    """The renderer of this process, so that all tests share a browser."""
    yield shared
    shared.close()


# No test looks at the clock: a busy machine is no defect. Tests whose examples take long try
# a part of the profile's number. "make thorough" takes the time for many.
settings.register_profile("activity", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "activity"))


class Record(Protocol):
    """A function that adds turns of one agent and returns the agent's id."""

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
    """Add turns, and their project, agent and task if these do not exist."""
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


# What an hour with time but without turns leaves behind: rows of all its scopes.
TIME_ROWS = text(
    """
    INSERT INTO activity_metrics
        (bucket_start, agent_id, project_id, is_overall, turn_count, active_agents)
    SELECT DISTINCT date_trunc('hour', hours.at, 'UTC'), scopes.agent, scopes.project,
        scopes.overall, 0, CASE WHEN scopes.agent IS NULL THEN 0 END
    FROM unnest(CAST(:agents AS int[]), CAST(:instants AS timestamptz[])) AS hours (agent, at)
    JOIN agents ON agents.id = hours.agent,
    LATERAL (VALUES
        (agents.id, NULL, false), (NULL, agents.project_id, false), (NULL, NULL, true)
    ) AS scopes (agent, project, overall)
    ON CONFLICT DO NOTHING
    """
)


@pytest.fixture(scope="session")
def add_time_rows() -> Callable[[Engine, Iterable[tuple[int, datetime]]], None]:
    """Add rows without turns for some agents and hours, unless these hours have rows."""

    def add(engine, hours):
        hours = list(hours)
        with engine.begin() as conn:
            conn.execute(
                TIME_ROWS,
                {"agents": [agent for agent, _ in hours], "instants": [at for _, at in hours]},
            )

    return add


# As unlike our own tables as a host's may be.
TABLES = {
    "projects": {"id": "bigserial PRIMARY KEY", "name": "varchar(200)"},
    "agents": {
        "id": "bigserial PRIMARY KEY",
        "project_id": "bigint",
        "started_at": "timestamp",
        "ended_at": "timestamp",
    },
    "tasks": {"id": "bigserial PRIMARY KEY", "agent_id": "bigint", "state": "task_state"},
    "turns": {
        "id": "bigserial PRIMARY KEY",
        "task_id": "bigint",
        "actor": "turn_actor",
        "created_at": "timestamp",
    },
}
TYPES = """
    CREATE TYPE task_state AS ENUM ('IDLE', 'PROCESSING', 'AWAITING_INPUT', 'COMPLETE');
    CREATE TYPE turn_actor AS ENUM ('user', 'agent');
"""
# In the hour from 00:00 to 01:00 UTC, Berlin is two hours ahead; later that day, one.
ROWS = """
    INSERT INTO projects VALUES (1, 'alpha'), (2, NULL);
    INSERT INTO agents (id, project_id, ended_at) VALUES
        (1, 1, '2026-10-25 12:45'), (2, 1, '2026-10-25 12:15'), (3000000000, 2, NULL),
        (4, NULL, NULL), (5, 99, NULL);
    INSERT INTO tasks VALUES (1, 1, 'PROCESSING'), (2, 2, 'AWAITING_INPUT'), (3, 3000000000, NULL),
        (4, 4, 'PROCESSING'), (5, NULL, 'PROCESSING'), (6, 5, 'PROCESSING');
    INSERT INTO turns (task_id, actor, created_at) VALUES
        (1, 'user', '2026-10-25 00:10'), (1, 'agent', '2026-10-25 00:11'),
        (1, 'agent', '2026-10-25 00:13'), (1, 'user', '2026-10-25 12:00'),
        (2, 'user', '2026-10-25 00:10'), (2, 'agent', '2026-10-25 00:40'),
        (3, 'user', '2026-10-25 12:10'),
        -- What belongs to nothing: no project, no agent, no such project, no task, no instant.
        (4, 'user', '2026-10-25 12:11'), (5, 'user', '2026-10-25 12:12'),
        (6, 'user', '2026-10-25 12:13'), (NULL, 'user', '2026-10-25 12:14'), (1, 'user', NULL);
"""


class Host:
    """A database with a host's tables in a schema that is not ``public``.

    Attributes:
        engine: Its database, where ``search_path`` leads to the schema, and sessions
            speak the time of Berlin.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create_tables(self, **changes: str | None) -> None:
        """Create the tables; ``turns__actor="text"`` changes a column, None leaves it out."""
        tables = deepcopy(TABLES)
        for name, definition in changes.items():
            table, _, column = name.partition("__")
            if not column:
                del tables[table]
            elif definition is None:
                del tables[table][column]
            else:
                tables[table][column] = definition
        self.run(TYPES)
        for table, columns in tables.items():
            defined = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
            self.run(f"CREATE TABLE {table} ({defined})")

    def fill(self) -> None:
        """Add twelve turns of Sunday, 25 October 2026, up to 12:14; seven of them count."""
        self.run(ROWS)

    def run(self, sql: str) -> None:
        """Run SQL in a separate transaction."""
        with self.engine.begin() as conn:
            conn.execute(text(sql))


@pytest.fixture
def host(postgres: EmbeddedPostgres) -> Iterator[Host]:
    """A database of a host that has not made its tables yet."""
    owner = connect(postgres.url("tests_host", fresh=True), purpose="tests")
    with owner.begin() as conn:
        conn.execute(text("CREATE SCHEMA fleet"))
        conn.execute(text("ALTER DATABASE tests_host SET search_path = fleet, public"))
        conn.execute(text("ALTER DATABASE tests_host SET timezone = 'Europe/Berlin'"))
    owner.dispose()
    # Not connect(), which is ours: a host makes its engines itself.
    engine = create_engine(postgres.url("tests_host"))
    yield Host(engine)
    engine.dispose()
