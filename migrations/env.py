"""Alembic's entry: migrate one group of tables on the connection it is handed.

``aggregator.database.upgrade`` sets ``connection`` and ``branch``.
"""

from __future__ import annotations

from typing import Any

from alembic import context

from aggregator.models import OWN_TABLES, STANDALONE_TABLES, Base
from aggregator.schema import VERSION_TABLES

branch = context.config.attributes["branch"]
TABLES = {"activity": OWN_TABLES, "standalone": STANDALONE_TABLES}[branch]


def include_name(name: str | None, kind: str, parents: dict[str, Any]) -> bool:
    """Look at nothing but this group's own tables."""
    return name in TABLES if kind == "table" else True


def include_object(
    item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any
) -> bool:
    """The same for the tables that the models declare."""
    return name in TABLES if kind == "table" else True


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLES[branch],
    include_name=include_name,
    include_object=include_object,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
