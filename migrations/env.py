"""Entry point of Alembic: migrate one group of tables on a given connection.

``aggregator.schema.migrate.upgrade`` sets ``connection`` and ``branch``.
"""

from __future__ import annotations

from typing import Any

from alembic import context

from aggregator.database.models import OWN_TABLES, STANDALONE_TABLES, Base
from aggregator.schema.migrate import VERSION_TABLES

branch = context.config.attributes["branch"]
TABLES = {"activity": OWN_TABLES, "standalone": STANDALONE_TABLES}[branch]


def include_name(name: str | None, kind: str, parents: dict[str, Any]) -> bool:
    """Include only the tables of this group."""
    return name in TABLES if kind == "table" else True


def include_object(
    item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any
) -> bool:
    """Include only the declared tables of this group, without additions of a host.

    An adopted table keeps its own columns and indexes.
    """
    if kind == "table":
        return name in TABLES
    return not reflected and (kind != "index" or compare_to is None)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLES[branch],
    include_name=include_name,
    include_object=include_object,
    # An adopted table may have wider types; aggregator.schema.adoption decides which.
    compare_type=False,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
