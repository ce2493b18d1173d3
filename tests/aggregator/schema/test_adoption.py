from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text
from sqlalchemy.exc import IntegrityError

from aggregator.errors import AdoptionError
from aggregator.metrics.measures import TIME_MEASURES
from aggregator.schema.migrate import alembic_config, leave_activity_alone, upgrade

COLUMNS = {
    "id": "serial PRIMARY KEY",
    "bucket_start": "timestamptz NOT NULL",
    "agent_id": "bigint REFERENCES agents ON DELETE CASCADE",
    "project_id": "bigint REFERENCES projects ON DELETE CASCADE",
    "is_overall": "bool NOT NULL",
    "turn_count": "int NOT NULL",
    "avg_turn_time_seconds": "float",
    "active_agents": "int",
    "created_at": "timestamp NOT NULL",
    "frustration": "float",
}
INDEXES = """
    CREATE UNIQUE INDEX uq_activity_metrics_bucket_scope ON activity_metrics
        (bucket_start, coalesce(agent_id, -1), coalesce(project_id, -1), is_overall);
    CREATE INDEX ix_activity_metrics_agent_bucket ON activity_metrics (agent_id, bucket_start);
    ALTER TABLE activity_metrics ADD CONSTRAINT ck_activity_metrics_scope
        CHECK ((agent_id IS NOT NULL)::int + (project_id IS NOT NULL)::int + is_overall::int = 1);
"""
HOUR = "2026-11-22 14:00Z"


def create_metrics(host, **changes):
    """A host's own table of metrics; None leaves a column out."""
    host.create_tables()
    columns = {**COLUMNS, **changes}
    defined = ", ".join(f"{name} {kind}" for name, kind in columns.items() if kind)
    host.run(f"CREATE TABLE activity_metrics ({defined})")


def test_a_table_that_a_host_has_keeps_its_rows_and_takes_ours(host):
    create_metrics(host)
    host.run(INDEXES)
    host.run(
        "INSERT INTO activity_metrics (bucket_start, is_overall, turn_count, created_at, "
        f"frustration) VALUES ('{HOUR}', true, 5, '2026-11-22 15:00', 0.5)"
    )
    with host.engine.connect() as conn:
        before = dict(conn.execute(text("SELECT * FROM activity_metrics")).mappings().one())

    upgrade(host.engine, "activity")

    with host.engine.begin() as conn:
        after = dict(conn.execute(text("SELECT * FROM activity_metrics")).mappings().one())
        columns = "bucket_start, agent_id, project_id, is_overall, turn_count"
        row = "timestamptz '2026-11-22 15:00Z', NULL::int, NULL::int, true, 1"
        for _ in range(2):
            conn.execute(
                text(
                    f"INSERT INTO activity_metrics ({columns}) SELECT {row} "
                    "ON CONFLICT (bucket_start, agent_id, project_id, is_overall) DO NOTHING"
                )
            )
        assert conn.scalar(text("SELECT count(*) FROM activity_metrics")) == 2
    assert {name: after[name] for name in before} == before
    assert {measure.column: after[measure.column] for measure in TIME_MEASURES} == {
        measure.column: measure.default for measure in TIME_MEASURES
    }


def test_a_column_of_time_that_a_host_has_gets_a_value_in_every_row(host):
    create_metrics(host, working_seconds="float")
    host.run(
        "INSERT INTO activity_metrics (bucket_start, is_overall, turn_count, created_at) "
        f"VALUES ('{HOUR}', true, 5, '2026-11-22 15:00')"
    )

    upgrade(host.engine, "activity")

    with host.engine.connect() as conn:
        assert conn.scalar(text("SELECT working_seconds FROM activity_metrics")) == 0
    with pytest.raises(IntegrityError, match="not-null"):
        host.run("UPDATE activity_metrics SET working_seconds = NULL")


def test_neither_side_of_an_adopted_table_wants_to_migrate_it(host):
    create_metrics(host)
    host.run(INDEXES)
    models = MetaData()
    models.reflect(host.engine)

    upgrade(host.engine, "activity")

    with host.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"include_object": leave_activity_alone})
        assert compare_metadata(context, models) == []
        config = alembic_config("activity")
        config.attributes["connection"] = conn
        command.check(config)


@pytest.mark.parametrize(
    ("changes", "rows", "problem"),
    [
        (
            {"bucket_start": "timestamp NOT NULL", "turn_count": None},
            "",
            "bucket_start is timestamp without time zone (expected timestamp with time zone); "
            "turn_count is missing (expected integer or bigint)",
        ),
        (
            {"mood": "text NOT NULL", "id": "int PRIMARY KEY"},
            "",
            "id has no default and must not be null (expected a default); "
            "mood has no default and must not be null (expected a default)",
        ),
        (
            {"agent_id": "int REFERENCES agents ON DELETE SET NULL"},
            "",
            "agent_id is cleared when the row it references is deleted (expected CASCADE)",
        ),
        (
            {},
            f"('{HOUR}', 1, NULL, false, 3), ('{HOUR}', 1, NULL, false, 4)",
            "1 row repeating the hour and scope of another",
        ),
        (
            {"turn_count": "int"},
            f"('{HOUR}', 1, 1, true, 3), ('{HOUR}', NULL, NULL, false, 3), "
            "('2026-11-22 14:15Z', 1, NULL, false, NULL)",
            "1 row without an hour, a scope or a count; "
            "2 rows not of exactly one agent, one project or overall; "
            "1 row not starting on the hour",
        ),
    ],
)
def test_what_cannot_be_adopted_is_refused_and_left_as_it_is(host, changes, rows, problem):
    create_metrics(host, **changes)
    host.run("INSERT INTO projects VALUES (1, 'alpha'); INSERT INTO agents VALUES (1, 1)")
    if rows:
        host.run(
            "ALTER TABLE activity_metrics ALTER created_at SET DEFAULT now();"
            "INSERT INTO activity_metrics "
            f"(bucket_start, agent_id, project_id, is_overall, turn_count) VALUES {rows}"
        )
    tables = inspect(host.engine).get_table_names()

    with pytest.raises(AdoptionError) as refusal:
        upgrade(host.engine, "activity")

    assert str(refusal.value) == (
        f"the existing table activity_metrics cannot be adopted: {problem}"
    )
    assert inspect(host.engine).get_table_names() == tables


def test_a_table_with_nothing_but_hours_and_counts_can_be_adopted(host):
    create_metrics(
        host,
        **dict.fromkeys(COLUMNS, None)
        | {name: COLUMNS[name] for name in ("id", "bucket_start", "turn_count")},
    )

    upgrade(host.engine, "activity")

    assert {column["name"] for column in inspect(host.engine).get_columns("activity_metrics")} == {
        *COLUMNS,
        *(measure.column for measure in TIME_MEASURES),
        "updated_at",
    } - {"frustration"}
