"""Fingerprints of hours, for passes where no triggers record changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "activity_0005"
down_revision = "activity_0004"


def upgrade() -> None:
    op.create_table(
        "activity_fingerprints",
        sa.Column("bucket_start", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("turn_count", sa.BigInteger, nullable=False),
        sa.Column("fingerprint", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("activity_fingerprints")
