"""Migrate the tables of a database to their newest version.

There are two groups of tables, each with its own migrations and version table, so that
a host's Alembic history is never touched: ``standalone``, the host's tables where there
is no host, and ``activity``, our tables, which require the host's tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from aggregator.database import locks
from aggregator.database.engine import display_url
from aggregator.database.models import OWN_TABLES
from aggregator.database.sqlstate import INSUFFICIENT_PRIVILEGE, sqlstate
from aggregator.errors import MigrationRefusedError, RightsMissingError
from aggregator.schema.adoption import check_adoption
from aggregator.shipped import shipped_folder

if TYPE_CHECKING:
    from alembic.config import Config


Branch = Literal["standalone", "activity"]

VERSION_TABLES: dict[Branch, str] = {
    "standalone": "standalone_alembic_version",
    "activity": "activity_alembic_version",
}


def upgrade(engine: Engine, branch: Branch) -> None:
    """Migrate one group of tables to its newest version, in one transaction.

    Processes that start together wait for each other. Tables are created in the first
    schema of ``search_path``.

    Raises:
        AdoptionError: A table of metrics exists already and cannot be adopted.
        MigrationRefusedError: The role has no right to create or change our tables.
    """
    try:
        with engine.begin() as conn:
            locks.lock(conn, locks.MIGRATE)
            _upgrade(conn, branch)
    except DBAPIError as failure:
        if sqlstate(failure) == INSUFFICIENT_PRIVILEGE:
            reason = str(failure.orig).partition("\n")[0]
            raise MigrationRefusedError(display_url(engine.url), reason) from None
        raise


def _upgrade(conn: Connection, branch: Branch) -> None:
    current = current_revision(conn, branch)
    if current == newest_revision(branch):
        return
    if branch == "activity" and current is None:
        check_adoption(conn)
    # Most starts have nothing to migrate, so they do not wait for Alembic to load.
    from alembic import command  # noqa: PLC0415

    config = alembic_config(branch)
    config.attributes["connection"] = conn
    command.upgrade(config, "head")


def leave_activity_alone(
    item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any
) -> bool:
    """Keep a host's Alembic from dropping our tables, or our additions to an adopted table.

    Pass it as ``include_object`` to Alembic's ``context.configure``, or to Flask-Migrate:
    ``Migrate(app, db, include_object=leave_activity_alone)``.
    """
    if not reflected or compare_to is not None:
        return True  # The host's models declare it, so its migrations decide.
    table = name if kind == "table" else item.table.name
    return table not in OWN_TABLES and table not in VERSION_TABLES.values()


def current_revision(conn: Connection, branch: Branch) -> str | None:
    """Return the revision that the database is at, or None."""
    table = VERSION_TABLES[branch]
    if not inspect(conn).has_table(table):
        return None
    revision: str | None = conn.scalar(
        text(f"SELECT version_num FROM {table}")  # noqa: S608 - the name is ours
    )
    return revision


_UNREADABLE = text(
    """
    SELECT name FROM unnest(CAST(:tables AS text[])) AS ours (name)
    WHERE NOT has_table_privilege(to_regclass(name), 'SELECT') ORDER BY name
    """
)


def check_rights(conn: Connection) -> None:
    """Check that the role may read those of our tables that exist.

    Raises:
        RightsMissingError: It may not.
    """
    tables = [*OWN_TABLES, VERSION_TABLES["activity"]]
    if refused := conn.scalars(_UNREADABLE, {"tables": tables}).all():
        raise RightsMissingError(refused)


def newest_revision(branch: Branch) -> str:
    """Return the newest revision: files are numbered, and ``0001_….py`` is ``<branch>_0001``."""
    files = (shipped_folder("aggregator", "migrations") / branch).glob("[0-9]*.py")
    return f"{branch}_{max(file.name for file in files).split('_')[0]}"


def alembic_config(branch: Branch) -> Config:
    """Build the Alembic configuration of one group, without an ini file."""
    from alembic.config import Config  # noqa: PLC0415 - see upgrade

    scripts = shipped_folder("aggregator", "migrations")
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("version_locations", str(scripts / branch).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["branch"] = branch
    return config
