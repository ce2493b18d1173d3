"""Projects, agents, tasks and turns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "fleet_0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "project_id", sa.Integer, sa.ForeignKey("projects.id"), nullable=False, index=True
        ),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("agent_id", sa.Integer, sa.ForeignKey("agents.id"), nullable=False, index=True),
        sa.Column(
            "state",
            sa.Enum("PROCESSING", "AWAITING_INPUT", "COMPLETE", name="taskstate"),
            nullable=False,
        ),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("task_id", sa.Integer, sa.ForeignKey("tasks.id"), nullable=False, index=True),
        sa.Column("actor", sa.Enum("USER", "AGENT", name="turnactor"), nullable=False),
        sa.Column("timestamp", INSTANT, nullable=False, index=True),
    )


def downgrade() -> None:
    for table in ("turns", "tasks", "agents", "projects"):
        op.drop_table(table)
    for name in ("turnactor", "taskstate"):
        op.execute(f"DROP TYPE {name}")
