"""Intervals and runs of agents, and time in the hourly metrics.

Every hour counts as dirty afterwards, so that the next pass computes what is new. An adopted
table of metrics may have some of the columns already; its values are computed anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "activity_0004"
down_revision = "activity_0003"

INSTANT = sa.DateTime(timezone=True)
SECONDS = (
    "working_seconds",
    "blocked_seconds",
    "waiting_seconds",
    "background_seconds",
    "stalled_seconds",
    "limited_seconds",
    "exact_seconds",
    "response_seconds",
)
SUMS = {**dict.fromkeys(SECONDS, sa.Float()), "responses": sa.Integer()}
PEAKS = ("peak_working_agents", "peak_waiting_agents")


def upgrade() -> None:
    op.create_table(
        "activity_intervals",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("agent_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("run_started_at", INSTANT),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("tool", sa.Text),
        sa.Column("mode", sa.Text),
        sa.Column("is_exact", sa.Boolean, nullable=False),
        sa.CheckConstraint("started_at < ended_at", name="ck_activity_intervals_not_empty"),
    )
    op.create_table(
        "activity_runs",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("agent_id", sa.BigInteger, nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("ended_by", sa.Text, nullable=False),
        sa.Column("working_seconds", sa.Float, nullable=False),
        sa.Column("blocked_seconds", sa.Float, nullable=False),
        sa.Column("is_exact", sa.Boolean, nullable=False),
        sa.Column("is_response", sa.Boolean, nullable=False),
    )
    for name in ("intervals", "runs"):
        table = f"activity_{name}"
        op.create_index(f"uq_{table}_agent_start", table, ["agent_id", "started_at"], unique=True)
        op.create_index(f"ix_{table}_end", table, ["ended_at"])
    _extend_metrics()
    op.execute("UPDATE activity_state SET complete_since = NULL, rebuilt_at = NULL")


def _extend_metrics() -> None:
    inspector = sa.inspect(op.get_bind())
    present = {column["name"] for column in inspector.get_columns("activity_metrics")}
    for name, kind in SUMS.items():
        if name not in present:
            column = sa.Column(name, kind, nullable=False, server_default=sa.text("0"))
            op.add_column("activity_metrics", column)
            continue
        column = sa.column(name)
        op.execute(
            sa.table("activity_metrics", column).update().where(column.is_(None)).values({name: 0})
        )
        op.alter_column("activity_metrics", name, nullable=False, server_default=sa.text("0"))
    for name in PEAKS:
        if name not in present:
            op.add_column("activity_metrics", sa.Column(name, sa.Integer))


def downgrade() -> None:
    for function in ("activity_signals_changed", "activity_signals_updated"):
        op.execute(f"DROP FUNCTION IF EXISTS {function}() CASCADE")
    for name in (*PEAKS, *SUMS):
        op.drop_column("activity_metrics", name)
    op.drop_table("activity_runs")
    op.drop_table("activity_intervals")
