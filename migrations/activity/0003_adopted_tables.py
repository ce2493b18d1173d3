"""Defaults and a unique key that an adopted table of metrics may lack, and wide keys.

A host whose keys are ``bigint`` may have ids that do not fit into ``integer``.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "activity_0003"
down_revision = "activity_0002"

SCOPE = ["bucket_start", "agent_id", "project_id", "is_overall"]
SCOPE_KEY = "uq_activity_metrics_bucket_scope"
# For a host with an index of that name over something else, such as coalesce(agent_id, -1).
OTHER_SCOPE_KEY = "uq_activity_metrics_scope"


def upgrade() -> None:
    inspector = sa.inspect(op.get_bind())
    _fill_instants(inspector)
    _widen_keys(inspector)
    if not _has_scope_key(inspector):
        op.create_index(
            OTHER_SCOPE_KEY,
            "activity_metrics",
            SCOPE,
            unique=True,
            postgresql_nulls_not_distinct=True,
        )


def _fill_instants(inspector: sa.Inspector) -> None:
    for column in inspector.get_columns("activity_metrics"):
        if column["name"] in ("created_at", "updated_at") and column["default"] is None:
            now = "now()" if column["type"].timezone else "timezone('UTC', now())"
            op.alter_column("activity_metrics", column["name"], server_default=sa.text(now))


def _widen_keys(inspector: sa.Inspector) -> None:
    ours = {column["name"]: column for column in inspector.get_columns("activity_metrics")}
    for table, name in (("agents", "agent_id"), ("projects", "project_id")):
        keys = {column["name"]: column for column in inspector.get_columns(table)}
        if isinstance(keys["id"]["type"], sa.BigInteger) and not isinstance(
            ours[name]["type"], sa.BigInteger
        ):
            op.alter_column("activity_metrics", name, type_=sa.BigInteger)


def _has_scope_key(inspector: sa.Inspector) -> bool:
    return any(
        index["unique"]
        and index["column_names"] == SCOPE
        and index["dialect_options"].get("postgresql_nulls_not_distinct")
        and not index["dialect_options"].get("postgresql_where")
        for index in inspector.get_indexes("activity_metrics")
    )


def downgrade() -> None:
    """Change nothing: older versions work with these changes."""
