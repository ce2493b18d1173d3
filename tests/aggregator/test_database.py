from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from aggregator.database import VERSION_TABLES, alembic_config, connect, parse_url, upgrade
from aggregator.errors import DatabaseUnreachableError, SettingError
from aggregator.models import OWN_TABLES, STANDALONE_TABLES, Base


@pytest.fixture
def fresh(postgres):
    """An engine on a database without tables."""
    engine = connect(postgres.url("tests_fresh", fresh=True), purpose="tests")
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    "raw",
    [
        "postgresql://ada:x@db/activity",
        "postgres://ada:x@db/activity",
        "postgresql+psycopg://ada:x@db/activity",
    ],
)
def test_any_postgresql_url_is_used_with_psycopg2(raw):
    assert parse_url(raw).render_as_string(False) == "postgresql+psycopg2://ada:x@db/activity"


@pytest.mark.parametrize("raw", ["activity", "sqlite:///x.db", "mysql://ada:secret@db/x"])
def test_another_kind_of_url_is_refused_without_telling_its_password(raw):
    with pytest.raises(SettingError, match="expected postgresql://") as error:
        parse_url(raw)
    assert "secret" not in str(error.value)


def test_a_database_that_does_not_answer_is_one_line_without_password(postgres):
    wrong = postgres.url("tests").set(password="not-this")

    with pytest.raises(DatabaseUnreachableError) as error:
        connect(wrong, purpose="tests")

    assert "password authentication failed" in str(error.value)
    assert "not-this" not in str(error.value)
    assert "\n" not in str(error.value)


def test_sessions_speak_utc_and_tell_their_purpose(fresh):
    with fresh.connect() as conn:
        assert conn.scalar(text("SHOW timezone")) == "UTC"
        assert conn.scalar(text("SHOW application_name")).startswith("headspace-activity tests (")


def test_migrations_and_models_describe_the_same_tables(fresh):
    upgrade(fresh, "standalone")
    upgrade(fresh, "activity")

    with fresh.connect() as conn:
        context = MigrationContext.configure(
            conn,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: (
                    kind != "table" or name not in VERSION_TABLES.values()
                ),
            },
        )
        assert compare_metadata(context, Base.metadata) == []
        assert set(inspect(conn).get_table_names()) == (
            OWN_TABLES | STANDALONE_TABLES | set(VERSION_TABLES.values())
        )


def test_upgrading_twice_and_downgrading_leave_only_the_version_tables(fresh):
    for branch in ("standalone", "activity", "standalone", "activity"):
        upgrade(fresh, branch)

    for branch in ("activity", "standalone"):
        with fresh.begin() as conn:
            config = alembic_config(branch)
            config.attributes["connection"] = conn
            command.downgrade(config, "base")

    assert set(inspect(fresh).get_table_names()) == set(VERSION_TABLES.values())


def test_a_table_of_metrics_that_is_already_there_keeps_its_rows_and_columns(fresh):
    upgrade(fresh, "standalone")
    with fresh.begin() as conn:
        conn.execute(
            text(
                "CREATE TABLE activity_metrics (id serial PRIMARY KEY, note text, "
                "bucket_start timestamptz NOT NULL, agent_id int REFERENCES agents, "
                "is_overall bool NOT NULL DEFAULT false, turn_count int NOT NULL)"
            )
        )
        conn.execute(
            text(
                "INSERT INTO activity_metrics (bucket_start, is_overall, turn_count, note) "
                "VALUES ('2026-11-22 14:00Z', true, 5, 'kept')"
            )
        )

    upgrade(fresh, "activity")

    with fresh.connect() as conn:
        row = conn.execute(text("SELECT * FROM activity_metrics")).mappings().one()
        indexes = {index["name"] for index in inspect(conn).get_indexes("activity_metrics")}
    assert (row["note"], row["turn_count"], row["project_id"]) == ("kept", 5, None)
    assert "uq_activity_metrics_bucket_scope" in indexes
