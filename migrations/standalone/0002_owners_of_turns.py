"""Facts that tell the original of a repeated turn from its copies, and the rules of a reading."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "standalone_0002"
down_revision = "standalone_0001"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "turns", sa.Column("is_copy", sa.Boolean, nullable=False, server_default=sa.text("false"))
    )
    op.add_column("tasks", sa.Column("state_at", INSTANT))
    op.add_column(
        "tasks", sa.Column("state_rank", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.add_column("agents", sa.Column("known_since", INSTANT))
    op.add_column(
        "transcript_files",
        sa.Column("format", sa.Integer, nullable=False, server_default=sa.text("1")),
    )


def downgrade() -> None:
    op.drop_column("transcript_files", "format")
    op.drop_column("agents", "known_since")
    op.drop_column("tasks", "state_rank")
    op.drop_column("tasks", "state_at")
    op.drop_column("turns", "is_copy")
