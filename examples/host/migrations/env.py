"""Alembic's entry: migrate the database of the server that Flask-Migrate runs in."""

from __future__ import annotations

from alembic import context
from flask import current_app

migrate = current_app.extensions["migrate"]

with migrate.db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=migrate.db.metadata,
        # What Migrate(…) was given, such as include_object.
        **migrate.configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
