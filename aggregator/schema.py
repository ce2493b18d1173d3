"""Migrations: bringing a database's tables to their newest form.

There are two groups of tables, each with migrations and a version table of its own,
so that a host's Alembic history is never touched: ``standalone``, the host's tables
where there is no host, and ``activity``, ours, which needs the host's to be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, Engine, inspect, text

from aggregator.shipped import shipped_folder

if TYPE_CHECKING:
    from alembic.config import Config

Branch = Literal["standalone", "activity"]
VERSION_TABLES: dict[Branch, str] = {
    "standalone": "standalone_alembic_version",
    "activity": "activity_alembic_version",
}
MIGRATION_LOCK = 5055_0003
"""Key of the advisory lock that lets one process at a time migrate."""


def upgrade(engine: Engine, branch: Branch) -> None:
    """Bring one group of tables to its newest form, in one transaction.

    Processes that start together wait for each other.
    """
    with engine.begin() as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        if current_revision(conn, branch) == newest_revision(branch):
            return
        # Most starts have nothing to migrate and need not wait for Alembic to load.
        from alembic import command  # noqa: PLC0415

        config = alembic_config(branch)
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def current_revision(conn: Connection, branch: Branch) -> str | None:
    """The migration that the database is at, or None."""
    table = VERSION_TABLES[branch]
    if not inspect(conn).has_table(table):
        return None
    revision: str | None = conn.scalar(
        text(f"SELECT version_num FROM {table}")  # noqa: S608 - the name is ours
    )
    return revision


def newest_revision(branch: Branch) -> str:
    """The last migration: files are numbered, and ``0001_….py`` is ``<branch>_0001``."""
    files = (shipped_folder("aggregator", "migrations") / branch).glob("[0-9]*.py")
    return f"{branch}_{max(file.name for file in files).split('_')[0]}"


def alembic_config(branch: Branch) -> Config:
    """The Alembic configuration of one group, without an ini file."""
    from alembic.config import Config  # noqa: PLC0415 - see upgrade

    scripts = shipped_folder("aggregator", "migrations")
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("version_locations", str(scripts / branch).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["branch"] = branch
    return config
