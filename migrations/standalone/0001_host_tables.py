"""Projects, agents, tasks, turns and the importer's state, for use without a host."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "standalone_0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "project_id",
            sa.Integer,
            sa.ForeignKey("projects.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("session_id", sa.Text, nullable=False, unique=True),
        sa.Column("started_at", INSTANT),
        sa.Column("ended_at", INSTANT),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "agent_id",
            sa.Integer,
            sa.ForeignKey("agents.id", ondelete="CASCADE"),
            nullable=False,
            unique=True,
        ),
        sa.Column("state", sa.Text, nullable=False),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column(
            "task_id",
            sa.Integer,
            sa.ForeignKey("tasks.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("timestamp", INSTANT, nullable=False, index=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.CheckConstraint("actor IN ('USER', 'AGENT')", name="ck_turns_actor"),
    )
    op.create_table(
        "transcript_files",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("is_main", sa.Boolean, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("modified_ns", sa.BigInteger, nullable=False),
        sa.Column("read_bytes", sa.BigInteger, nullable=False),
        sa.Column("read_digest", sa.Text, nullable=False),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.Column("objects", sa.BigInteger, nullable=False),
        sa.Column("waiting", sa.Boolean, nullable=False),
        sa.Column("skipped", JSONB, nullable=False),
        sa.Column("sessions", JSONB, nullable=False),
    )


def downgrade() -> None:
    for table in ("transcript_files", "turns", "tasks", "agents", "projects"):
        op.drop_table(table)
