from __future__ import annotations

import os
import signal
import time

import pytest
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from aggregator.database.engine import connect
from aggregator.database.models import OWN_TABLES, STANDALONE_TABLES, Project
from aggregator.errors import (
    ConflictingParametersError,
    DatabaseRefusedError,
    ForeignTablesError,
)
from aggregator.schema import capture
from aggregator.schema.migrate import upgrade
from aggregator.settings import Settings
from aggregator.standalone.database import open_database
from aggregator.standalone.embedded import EmbeddedPostgres
from aggregator.standalone.embedded.cluster import data_folder
from aggregator.standalone.embedded.supervisor import find_postmaster


def settings_for(url) -> Settings:
    return Settings.load({"database_url": url.render_as_string(hide_password=False)}, {})


def test_an_empty_database_gets_all_tables(postgres):
    url = postgres.url("tests_standalone", fresh=True)

    with open_database(settings_for(url), purpose="tests") as engine:
        tables = set(inspect(engine).get_table_names())

    assert tables >= OWN_TABLES | STANDALONE_TABLES


def test_without_a_url_the_embedded_database_in_home_is_used(home):
    settings = Settings.load({"home": home}, {})

    with open_database(settings, purpose="tests") as engine:
        activity = engine.url.database
        with open_database(settings, purpose="tests", demo=True) as demo:
            assert (activity, demo.url.database) == ("activity", "activity_demo")


@pytest.mark.usefixtures("home_with_database")
def test_the_programs_role_has_no_rights_but_its_databases_even_those_of_earlier_versions(home):
    with EmbeddedPostgres(home) as server:
        # As an earlier version left it: everything belongs to the superuser.
        earlier = connect(server.url("activity"), purpose="tests")
        for branch in ("standalone", "activity"):
            upgrade(earlier, branch)
        with earlier.begin() as conn:
            capture.install(conn)
            conn.execute(insert(Project).values(name="alpha", path="/code/alpha"))
        earlier.dispose()

        with open_database(Settings.load({"home": home}, {}), purpose="tests") as engine:
            with engine.begin() as conn:
                names = conn.scalars(select(Project.name)).all()
                conn.execute(insert(Project).values(name="beta", path="/code/beta"))
                conn.execute(text("ALTER TABLE activity_metrics ADD COLUMN later int"))
                rights = conn.execute(
                    text(
                        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication "
                        "FROM pg_roles WHERE rolname = current_user"
                    )
                ).one()
            with pytest.raises(ProgrammingError, match="permission denied"), engine.begin() as conn:
                conn.execute(text("COPY projects TO PROGRAM 'true'"))

    assert (names, tuple(rights)) == (["alpha"], (False,) * 5)


@pytest.mark.usefixtures("home_with_database")
def test_an_embedded_server_that_was_killed_comes_back_with_its_data(home):
    settings = Settings.load({"home": home}, {})
    with open_database(settings, purpose="tests") as engine:
        with engine.begin() as conn:
            conn.execute(insert(Project).values(name="alpha", path="/code/alpha"))
        os.kill(find_postmaster(data_folder(home)).pid, signal.SIGKILL)

        # Its processes take a moment to notice; until then a query may still fail.
        deadline = time.monotonic() + 30
        while not (names := _project_names(engine)) and time.monotonic() < deadline:
            time.sleep(0.05)

    assert names == ["alpha"]


def _project_names(engine) -> list[str]:
    try:
        with engine.connect() as conn:
            return list(conn.scalars(select(Project.name)))
    except OperationalError:
        return []


def test_a_database_of_another_program_is_refused_and_left_alone(postgres):
    url = postgres.url("tests_foreign", fresh=True)
    engine = connect(url, purpose="tests")
    with engine.begin() as conn:
        conn.execute(text("CREATE TABLE agents (id int); CREATE TABLE turns (id int)"))

    with (
        pytest.raises(ForeignTablesError, match="has tables of another program, agents, turns; "),
        open_database(settings_for(url), purpose="tests"),
    ):
        pass

    assert set(inspect(engine).get_table_names()) == {"agents", "turns"}
    engine.dispose()


def test_demo_activity_never_goes_into_a_users_database(postgres):
    with (
        pytest.raises(ConflictingParametersError, match="--demo cannot be combined with --"),
        open_database(settings_for(postgres.url("tests")), purpose="tests", demo=True),
    ):
        pass


def test_a_database_that_fails_later_is_one_line_too(postgres):
    url = postgres.url("tests_views", fresh=True)
    engine = connect(url, purpose="tests")
    with engine.begin() as conn:
        conn.execute(text("CREATE VIEW projects AS SELECT 1 AS id"))
    engine.dispose()

    with (
        pytest.raises(DatabaseRefusedError, match=r'failed: relation "projects" a'),
        open_database(settings_for(url), purpose="tests"),
    ):
        pass
