"""Signals: facts beside turns, from which the intervals of agents are computed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "standalone_0003"
down_revision = "standalone_0002"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "signals",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("until", INSTANT),
        sa.Column("source", sa.Text),
        sa.Column("tool", sa.Text),
        sa.Column("mode", sa.Text),
        sa.Column("milliseconds", sa.BigInteger),
        sa.Column("key", sa.Text, nullable=False, unique=True),
    )
    op.create_index(
        "ix_signals_session_end", "signals", ["session_id", sa.text("coalesce(until, at)")]
    )
    op.create_index("ix_signals_at", "signals", ["at"])
    op.create_index("ix_signals_until", "signals", ["until"])


def downgrade() -> None:
    op.drop_table("signals")
