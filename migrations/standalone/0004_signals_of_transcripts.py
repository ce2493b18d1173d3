"""Originals of signals, the state of their import, and the origin of agents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "standalone_0004"
down_revision = "standalone_0003"


def upgrade() -> None:
    op.add_column(
        "signals", sa.Column("is_copy", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    op.add_column("agents", sa.Column("origin", sa.Text))
    op.add_column(
        "transcript_files",
        sa.Column("signals", JSONB, nullable=False, server_default=sa.text("'{}'")),
    )


def downgrade() -> None:
    op.drop_column("transcript_files", "signals")
    op.drop_column("agents", "origin")
    op.drop_column("signals", "is_copy")
