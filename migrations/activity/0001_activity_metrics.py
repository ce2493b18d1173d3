"""Hourly metrics and the aggregator's state.

An ``activity_metrics`` table that a host has already is adopted: it keeps its rows and
columns, and what is missing is added.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "activity_0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)
NOW = sa.text("now()")


def columns() -> list[sa.Column]:
    return [
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("bucket_start", INSTANT, nullable=False),
        sa.Column("agent_id", sa.Integer, sa.ForeignKey("agents.id", ondelete="CASCADE")),
        sa.Column("project_id", sa.Integer, sa.ForeignKey("projects.id", ondelete="CASCADE")),
        sa.Column("is_overall", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("turn_count", sa.Integer, nullable=False),
        sa.Column("avg_turn_time_seconds", sa.Float),
        sa.Column("active_agents", sa.Integer),
        sa.Column("created_at", INSTANT, nullable=False, server_default=NOW),
        sa.Column("updated_at", INSTANT, nullable=False, server_default=NOW),
    ]


INDEXES = {
    "ix_activity_metrics_agent_bucket": ["agent_id", "bucket_start"],
    "ix_activity_metrics_project_bucket": ["project_id", "bucket_start"],
    "ix_activity_metrics_overall_bucket": ["is_overall", "bucket_start"],
}
SCOPE_KEY = "uq_activity_metrics_bucket_scope"
ONE_SCOPE = "ck_activity_metrics_one_scope"


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    if inspector.has_table("activity_metrics"):
        _adopt(inspector)
    else:
        op.create_table("activity_metrics", *columns())
        _constrain(existing_checks=set(), existing_indexes=set())
    op.create_table(
        "activity_state",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_pass_at", INSTANT),
        sa.Column("last_pass_seconds", sa.Float),
        sa.Column("changed_at", INSTANT),
        sa.Column("retention_days", sa.Integer),
        sa.CheckConstraint("id = 1", name="ck_activity_state_one_row"),
    )


def _adopt(inspector: sa.Inspector) -> None:
    present = {column["name"] for column in inspector.get_columns("activity_metrics")}
    for column in columns():
        if column.name not in present:
            op.add_column("activity_metrics", column)
    _constrain(
        existing_checks={
            check["name"] for check in inspector.get_check_constraints("activity_metrics")
        },
        existing_indexes={index["name"] for index in inspector.get_indexes("activity_metrics")},
    )


def _constrain(existing_checks: set[str | None], existing_indexes: set[str | None]) -> None:
    if ONE_SCOPE not in existing_checks:
        op.create_check_constraint(
            ONE_SCOPE,
            "activity_metrics",
            "num_nonnulls(agent_id, project_id) + is_overall::int = 1",
        )
    if SCOPE_KEY not in existing_indexes:
        op.create_index(
            SCOPE_KEY,
            "activity_metrics",
            ["bucket_start", "agent_id", "project_id", "is_overall"],
            unique=True,
            postgresql_nulls_not_distinct=True,
        )
    for name, over in INDEXES.items():
        if name not in existing_indexes:
            op.create_index(name, "activity_metrics", over)


def downgrade() -> None:
    op.drop_table("activity_state")
    op.drop_table("activity_metrics")
