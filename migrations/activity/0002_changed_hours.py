"""A queue of changed hours, and the instant since which all other hours are correct.

The triggers that fill the queue are not part of the migration, because they are optional
on a host (see ``aggregator/schema/capture.py``).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "activity_0002"
down_revision = "activity_0001"

INSTANT = sa.DateTime(timezone=True)
FUNCTIONS = (
    "activity_turns_changed",
    "activity_turns_updated",
    "activity_task_changed",
    "activity_agent_changed",
    "activity_all_changed",
)


def upgrade() -> None:
    op.create_table(
        "activity_changes",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("bucket_start", INSTANT),
        sa.Column("task_id", sa.BigInteger),
        sa.Column("agent_id", sa.BigInteger),
    )
    op.add_column("activity_state", sa.Column("complete_since", INSTANT))
    op.add_column("activity_state", sa.Column("rebuilt_at", INSTANT))


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS {function}() CASCADE")
    op.drop_column("activity_state", "rebuilt_at")
    op.drop_column("activity_state", "complete_since")
    op.drop_table("activity_changes")
