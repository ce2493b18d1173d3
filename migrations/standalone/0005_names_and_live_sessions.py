"""Names and folders of agents, and what Claude Code's files say about sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "standalone_0005"
down_revision = "standalone_0004"


def upgrade() -> None:
    op.add_column("agents", sa.Column("name", sa.Text))
    op.add_column("agents", sa.Column("cwd", sa.Text))
    op.add_column("agents", sa.Column("named_at", sa.DateTime(timezone=True)))
    op.create_table(
        "live_sessions",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("session_id", sa.Text, nullable=False, index=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "watches",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("folders", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("watches")
    op.drop_table("live_sessions")
    for name in ("named_at", "cwd", "name"):
        op.drop_column("agents", name)
