from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, inspect, text

from aggregator.database.engine import connect, display_url
from aggregator.database.models import OWN_TABLES, STANDALONE_TABLES, Base
from aggregator.errors import MigrationRefusedError
from aggregator.schema.migrate import (
    VERSION_TABLES,
    alembic_config,
    current_revision,
    leave_activity_alone,
    newest_revision,
    upgrade,
)


@pytest.fixture
def fresh(postgres):
    """An engine on a database without tables."""
    engine = connect(postgres.url("tests_fresh", fresh=True), purpose="tests")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("branch", VERSION_TABLES)
def test_the_newest_revision_is_alembics_head(branch):
    head = ScriptDirectory.from_config(alembic_config(branch)).get_current_head()

    assert newest_revision(branch) == head


def test_processes_that_start_together_migrate_once(fresh):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, [fresh] * 4, ["standalone"] * 4))

    with fresh.connect() as conn:
        assert current_revision(conn, "standalone") == newest_revision("standalone")


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


def test_a_hosts_tables_and_ours_stand_in_its_schema(host):
    host.create_tables()
    tables = set(inspect(host.engine).get_table_names())

    upgrade(host.engine, "activity")

    ours = OWN_TABLES | {VERSION_TABLES["activity"]}
    assert set(inspect(host.engine).get_table_names(schema="fleet")) == tables | ours
    assert inspect(host.engine).get_table_names(schema="public") == []


def test_neither_a_hosts_alembic_nor_ours_wants_to_change_the_others_tables(host):
    host.create_tables()
    models = MetaData()
    models.reflect(host.engine)

    upgrade(host.engine, "activity")

    with host.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"include_object": leave_activity_alone})
        assert compare_metadata(context, models) == []
        config = alembic_config("activity")
        config.attributes["connection"] = conn
        command.check(config)


def test_a_role_that_may_not_make_tables_is_told_so(host):
    host.create_tables()
    host.run("CREATE ROLE reader LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA fleet TO reader")
    reader = create_engine(host.engine.url.set(username="reader", password="x"))

    try:
        with pytest.raises(MigrationRefusedError) as refusal:
            upgrade(reader, "activity")
    finally:
        reader.dispose()
        host.run("DROP OWNED BY reader; DROP ROLE reader")

    assert str(refusal.value) == (
        f"cannot create the tables of headspace-activity in {display_url(reader.url)}: permission "
        "denied for schema fleet; the role must be allowed to create tables and to reference "
        "projects and agents"
    )
